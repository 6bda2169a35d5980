#!/usr/bin/env bash
# Print the path of a wheel of h5py with parallel HDF5 for Debian's Open MPI; build it if it is not in the
# cache (one to four minutes on two cores). PyPI has no such wheel.
#
#   parallel_h5py.sh PYTHON [--built]
#
# With --built nothing is built: where there is no wheel in the cache, it fails.
set -euo pipefail

python=$1
version=3.16.0
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

for tool in mpicc.openmpi pkg-config; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed." >&2; exit 1; }
done
hdf5=$(pkg-config --modversion hdf5-openmpi) || { echo "libhdf5-openmpi-dev is not installed." >&2; exit 1; }
mpi=$(pkg-config --modversion ompi-c)
tag=$("$python" -c 'import sys, sysconfig; print("cp%d%d-%s" % (*sys.version_info[:2], sysconfig.get_platform()))')
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/mpi_automl/h5py-$version-$tag-hdf5-$hdf5-openmpi-$mpi

find_wheel() { find "$cache" -name 'h5py-*.whl' 2>/dev/null | grep . ; }
find_wheel && exit 0
[ "${2:-}" != --built ] || exit 1

echo "Building h5py $version with HDF5 $hdf5 and Open MPI $mpi" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PYTHON=$python bash "$here/../../jobs/make_venv.sh" "$work/venv" >&2
build=$work/venv/bin/python
"$build" -m pip install -qq 'setuptools>=77' wheel cython pkgconfig numpy mpi4py >&2
# Optimising and debugging symbols are what takes the time, and the tests need neither.
printf '[build_ext]\nparallel=2\n' >"$work/extra.cfg"
DIST_EXTRA_CONFIG=$work/extra.cfg CFLAGS='-O1 -g0 -fwrapv -DNDEBUG' CC=mpicc.openmpi HDF5_MPI=ON \
    HDF5_PKGCONFIG_NAME=hdf5-openmpi "$build" -m pip wheel --quiet --no-build-isolation --no-deps \
    --no-binary=h5py --no-cache-dir --wheel-dir "$work/wheelhouse" "h5py==$version" >"$work/log" 2>&1 || {
    tail -n 30 "$work/log" >&2
    exit 1
}
mkdir -p "$cache"
mv "$work"/wheelhouse/h5py-*.whl "$cache/"
find_wheel
