#!/usr/bin/env bash
# A host of the cluster: an ssh server on port 22 of one loopback address, and a Python environment that has
# every dependency but not this project, which the set-up commands of cluster.yaml install.
# host.sh ADDRESS PUBLIC-KEY PYTHON
set -euo pipefail
address=$1 public=$2 python=$3
mkdir -p ~/.ssh ~/.config/pip ~/fedras /run/sshd
echo "$public" > ~/.ssh/authorized_keys
chmod 700 ~/.ssh
chmod 600 ~/.ssh/authorized_keys
ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/host

site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$python" -m venv --without-pip ~/fedras/.venv
echo "$site" > "$(~/fedras/.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/others.pth"
for command in pip:pip ray:ray.scripts.scripts; do
    printf '#!/bin/sh\nexec ~/fedras/.venv/bin/python -m %s "$@"\n' "${command#*:}" > ~/fedras/.venv/bin/"${command%%:*}"
    chmod +x ~/fedras/.venv/bin/"${command%%:*}"
done
# "false" is how pip.conf says that what is there already builds: there is no network to fetch setuptools from
printf '[global]\nno-index = true\ndisable-pip-version-check = true\n[install]\nno-build-isolation = false\n' \
    > ~/.config/pip/pip.conf

cat > ~/sshd_config <<CONFIG
Port 22
ListenAddress $address
HostKey /root/.ssh/host
PasswordAuthentication no
UsePAM no
PermitRootLogin prohibit-password
PidFile /root/sshd.pid
CONFIG
exec /usr/sbin/sshd -D -e -f ~/sshd_config
