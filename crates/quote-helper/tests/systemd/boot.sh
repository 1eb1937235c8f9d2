#!/bin/sh
# Becomes systemd, the first process of a machine of its own. It is to be started in new namespaces:
# mounts, processes, cgroups, network, IPC and names.
#
# usage: boot.sh INSTALLED DIRECTORY [FILES]
#
# The machine's files are those of this one, or those in FILES, without what is mounted below;
# /usr/local is INSTALLED. What it writes is kept in memory, at DIRECTORY, and is gone with it.
set -eu
installed=$1
memory=$2
files=${3:-/}
root=$memory/root

mount -t tmpfs machine "$memory"
mkdir "$root" "$memory/written" "$memory/work" "$memory/local" "$memory/local-work"
mount -t overlay machine -o "lowerdir=$files,upperdir=$memory/written,workdir=$memory/work" "$root"
mount -t overlay local -o "lowerdir=$installed,upperdir=$memory/local,workdir=$memory/local-work" "$root/usr/local"

for place in run tmp dev; do
    mount -t tmpfs "$place" "$root/$place"
done
mount -t proc proc "$root/proc"
# Read-only, so that nothing changes the kernel or looks after its devices.
mount --bind -o ro "$root/proc/sys" "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs shm "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"

# Nothing of a quote service of this machine's.
rm -rf "$root/etc/quote-helper" "$root/var/lib/quote-helper" "$root/var/cache/quote-helper" \
    "$root/var/lib/sgx-pccs"
rm -f "$root/etc/systemd/system/"*aesmd* "$root/etc/systemd/system/"*sgx* "$root/etc/machine-id"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"

cd "$root"
mkdir -p "$root/mnt"
pivot_root . mnt
umount -l /mnt
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=basic.target
