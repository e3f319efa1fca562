#!/usr/bin/env bash
# Becomes a machine of its own, as far as files and processes go, and runs a command there: what `ray stop`
# finds by name, /root, /tmp and /dev/shm are nobody else's. Started inside `unshare --mount --pid --fork`.
# KEEP is a colon-separated list of folders that stay visible although they lie below one of those.
set -euo pipefail
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /mnt
IFS=: read -ra kept <<< "$KEEP"
for number in "${!kept[@]}"; do
    mkdir "/mnt/$number"
    mount --rbind "${kept[$number]}" "/mnt/$number"
done
for place in /root /tmp /dev/shm; do
    mount -t tmpfs tmpfs "$place"
done
chmod 700 /root
chmod 1777 /tmp /dev/shm
for number in "${!kept[@]}"; do
    mkdir -p "${kept[$number]}"
    mount --rbind "/mnt/$number" "${kept[$number]}"
done
export HOME=/root
cd /root
exec "$@"
