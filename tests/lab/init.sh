#!/bin/busybox sh
# PID 1 of the laboratory's machine: makes the host's own environment usable
# inside, runs one command in it, hands out what it said and how it ended.
#
# /modules  kernel modules, numbered in loading order
# /job      what this run is about: settings (shell variables), command, stdin
#
# Whatever fails before the command starts ends this script, hence the machine.
set -e
export PATH=/bin
/bin/busybox --install -s /bin

mkdir /proc /sys /dev 2>/dev/null || : # the kernel brings some of them
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do insmod "$module"; done
. /job/settings

# Named ports appear one after the other once their driver is loaded.
mkdir /dev/virtio-ports
for name in $ports; do
    until entry=$(grep -lsx "$name" /sys/class/virtio-ports/*/name); do usleep 10000; done
    device=$(basename "$(dirname "$entry")")
    ln -s "../$device" "/dev/virtio-ports/$name"
done

# The host's files, writable without the host noticing.
mkdir /host /changes /system
files() { mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose "$1" "$2"; }
files host /host
mount -t tmpfs changes /changes
mkdir /changes/upper /changes/work
mount -t overlay -o lowerdir=/host,upperdir=/changes/upper,workdir=/changes/work overlay /system

cd /system
if [ -n "$work" ]; then # the one folder that a system of another architecture shares with it
    mkdir -p "/system$work"
    files work "/system$work"
fi
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t devtmpfs devtmpfs dev
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mkdir dev/pts dev/shm
mount -t devpts -o ptmxmode=0666,gid=5 devpts dev/pts
mount -t tmpfs shm dev/shm
mount -t tmpfs run run
mount -t cgroup2 cgroup2 sys/fs/cgroup
for controller in $(cat sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" >sys/fs/cgroup/cgroup.subtree_control
done
hostname lab
ip link set lo up

echo "$balancing" >proc/sys/kernel/numa_balancing
if [ -n "$swap" ]; then
    echo "$swap" >sys/block/zram0/disksize
    mkswap dev/zram0 >/dev/null
    swapon dev/zram0
fi

# From here on this script alone sees the initramfs; all others see the host's tree as theirs.
mount --move . /
echo >/dev/virtio-ports/status

# Pipes, because a port can be opened only once and /dev/stdout has to work.
mkfifo /stdout /stderr
cat </stdout >/dev/virtio-ports/stdout & keep=" $! "
cat </stderr >/dev/virtio-ports/stderr & keep="$keep$! "
set +e
(. /job/command) </job/stdin >/stdout 2>/stderr
status=$?

# What the command left running must not keep its output open.
for process in proc/[0-9]*; do
    process=${process#proc/}
    case " 1$keep" in *" $process "*) ;; *) kill -9 "$process" 2>/dev/null ;; esac
done
wait

# A port that says this has said everything. The host then pulls the plug.
printf %s "$status" >/dev/virtio-ports/status
for name in $ports; do printf %s "$end" >"/dev/virtio-ports/$name"; done
while :; do sleep 60; done
