#!/bin/sh
# The first process of one host of a cluster (cluster.sh): HOST ADDRESS SSH
set -e
# /proc is that of the cluster still, and tells the pid that this process has there.
read -r pid rest </proc/self/stat
mount -t proc proc /proc
hostname "$1"
ip link set lo up
echo "$pid" >"/run/slurm/$1/new" && mv "/run/slurm/$1/new" "/run/slurm/$1/pid"
until ip link show eth0 >/dev/null 2>&1; do sleep 0.01; done
ip addr add "$2" dev eth0
ip link set eth0 up
[ ! -d "$3" ] || sh "$3/start" &
slurmd -D -N "$1" &
while :; do wait; sleep 1000 & done
