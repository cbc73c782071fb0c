#!/bin/sh
# The first process of a cluster: of its own pid, network, mount, UTS and IPC namespaces. Whatever is
# started here ends with it, and what is made here (interfaces, mounts) goes with the namespaces.
#
#   cluster.sh FOLDER HOST...
#
# FOLDER holds hosts (for /etc/hosts), etc (for /etc/slurm) and, where ssh is to reach the hosts, ssh.
# This host is called control.
set -e
folder=$1
shift

mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs run /run
mkdir -p /run/munge /run/slurm /run/lock
mount --bind "$folder/hosts" /etc/hosts
mkdir -p /etc/slurm
mount --bind "$folder/etc" /etc/slurm
if [ -d "$folder/ssh" ]; then
    mkdir /run/sshd
    mount --bind "$folder/ssh/passwd" /etc/passwd
    mount --bind "$folder/ssh/config" /etc/ssh/ssh_config
fi
hostname control
ip link set lo up
ip link add bridge type bridge
ip addr add 10.0.0.1/16 dev bridge
ip link set bridge up

# munged trusts no key or folder that others can write to, and answers for all hosts: they have the
# kernel, and with it the users, in common.
head -c 128 /dev/urandom >/run/munge/key
chown -R munge: /run/munge
chmod 400 /run/munge/key
chmod 755 /run/munge
setpriv --reuid munge --regid munge --clear-groups munged --foreground --force \
    --key-file /run/munge/key --log-file /run/munge/log --pid-file /run/munge/pid \
    --seed-file /run/munge/seed --socket /run/munge/munge.socket.2 &
slurmctld -D &

number=0
for host; do
    number=$((number + 1))
    mkdir -p "/run/slurm/$host"
    unshare --net --uts --pid --mount --ipc --fork --kill-child \
        sh "$folder/host.sh" "$host" "10.0.1.$number/16" "$folder/ssh" &
    until [ -s "/run/slurm/$host/pid" ]; do sleep 0.01; done
    init=$(cat "/run/slurm/$host/pid")
    ip link add "veth$number" type veth peer name eth0 netns "$init"
    ip link set "veth$number" master bridge up
done
# Waits for ever, and for whoever is left without a parent.
while :; do wait; sleep 1000 & done
