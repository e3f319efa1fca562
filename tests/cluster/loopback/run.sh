#!/usr/bin/env bash
# `make test-cluster`: cluster.yaml on two hosts that are namespaces of this machine, over real ssh.
# Nothing leaves the machine and nothing stays: own processes, own network with loopback alone, own files.
# run.sh PYTHON [PROOF...]; without any: all of them
set -euo pipefail
if [ "$(id -u)" != 0 ]; then
    echo "make test-cluster makes namespaces and needs root: sudo make test-cluster" >&2
    exit 2
fi
for tool in sshd:openssh-server rsync:rsync ip:iproute2 ss:iproute2 unshare:util-linux; do
    PATH=$PATH:/usr/sbin command -v "${tool%%:*}" > /dev/null ||
        { echo "${tool%%:*} is missing: apt-get install ${tool#*:}" >&2; exit 2; }
done
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
root=$(cd "$(dirname "$0")/../../.." && pwd)
base=$("$python" -c 'import sys; print(sys.base_prefix)')
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fedras-ray # machine code that takes a minute to make
mkdir -p "$cache"
KEEP="$root:$(dirname "$(dirname "$python")"):$base:$cache"
if [ -n "${FEDRAS_DATA:-}" ]; then
    FEDRAS_DATA=$(realpath "$FEDRAS_DATA")
    export FEDRAS_DATA
    KEEP="$KEEP:$FEDRAS_DATA"
fi
export KEEP PYTHONPATH="$root" RAY_USAGE_STATS_ENABLED=0
shift
[ $# -gt 0 ] || set -- proof growing
for proof in "$@"; do
    unshare --net --mount --pid --fork --kill-child "$root/tests/cluster/loopback/enter.sh" \
        bash -c 'ip link set lo up && cd "$0" && exec "$1" -m "tests.cluster.loopback.$2" "$1"' "$root" "$python" "$proof"
done
