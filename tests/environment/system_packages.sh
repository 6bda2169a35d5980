#!/usr/bin/env bash
# Install the system packages that the tests can use, with apt-get and as root: Open MPI, the headers of
# parallel HDF5, a compiler for h5py, and Slurm. Their daemons are not started.
set -euo pipefail

declare -A package_with=(
    [/usr/bin/mpirun.openmpi]=openmpi-bin
    [/usr/bin/mpicc.openmpi]=libopenmpi-dev
    [/usr/include/hdf5/openmpi/hdf5.h]=libhdf5-openmpi-dev
    [/usr/bin/gcc]=gcc
    [/usr/bin/pkg-config]=pkg-config
    [/usr/sbin/munged]=munge
    [/usr/sbin/slurmctld]=slurmctld
    [/usr/sbin/slurmd]=slurmd
    [/usr/bin/sbatch]=slurm-client
)

missing=()
for file in "${!package_with[@]}"; do
    [ -e "$file" ] || missing+=("${package_with[$file]}")
done
headers=$("${PYTHON:-python3}" -c 'import sysconfig; print(sysconfig.get_path("include"))' 2>/dev/null || true)
[ -e "$headers/Python.h" ] || missing+=(libc6-dev python3-dev)
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Not installed, because that takes root on Debian or Ubuntu: ${missing[*]}." >&2
    exit 1
fi

policy=/usr/sbin/policy-rc.d
log=$(mktemp)
trap 'rm -f "$log" ${ours:+"$ours"}' EXIT
if [ ! -e "$policy" ]; then
    ours=$policy
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y --no-install-recommends "${missing[@]}"; }
echo "Installing with apt-get: ${missing[*]}"
install >"$log" 2>&1 || { apt-get update && install; } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    echo "apt-get could not install them." >&2
    exit 1
}
