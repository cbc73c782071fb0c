#!/bin/sh
# Makes a machine a member of a cluster of several: FOLDER HOST ADDRESS... [-- COMMAND...]
#
# FOLDER is as for cluster.sh, and holds the key of munge too. The machine with a command has the
# controller, and runs the command when all that it takes has been started.
set -e
folder=$1
host=$2
shift 2

ip link set eth0 up
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    ip addr add "$1" dev eth0
    shift
done
mount --bind "$folder/hosts" /etc/hosts
mkdir -p /etc/slurm /run/munge "/run/slurm/$host"
mount --bind "$folder/etc" /etc/slurm
mkdir -p /sys/fs/cgroup/system.slice
for level in /sys/fs/cgroup /sys/fs/cgroup/system.slice; do
    echo '+cpuset +cpu +memory' >"$level/cgroup.subtree_control"
done

cp "$folder/key" /run/munge/key
chown -R munge: /run/munge
chmod 400 /run/munge/key
chmod 755 /run/munge
setpriv --reuid munge --regid munge --clear-groups munged --foreground --force \
    --key-file /run/munge/key --log-file /run/munge/log --pid-file /run/munge/pid \
    --seed-file /run/munge/seed --socket /run/munge/munge.socket.2 &
until [ -S /run/munge/munge.socket.2 ]; do sleep 0.1; done

if [ $# = 0 ]; then
    hostname "$host"
    exec slurmd -D -N "$host"
fi
hostname control
slurmctld -D &
slurmd -D -N "$host" &
shift
exec "$@"
