#!/usr/bin/env bash
# Run the tests, having installed all they need: with root also Debian's Open MPI, parallel HDF5 and Slurm.
#
#   bash tests/run.sh [options of pytest]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '== %s\n' "$*"; }

bash tests/environment/system_packages.sh || say "The tests that need these packages are skipped."
bash tests/environment/environments.sh

required=openmpi5,mpich
# Importing mpi4py needs an MPI: the system's, or else the one of the environment that has MPICH.
python=.venv-mpich/bin/python
if [ -x /usr/bin/mpirun.openmpi ]; then
    required+=,debian
    python=.venv-test/bin/python
else
    say "Left out: Open MPI 4.1, which is not installed."
fi
if "$python" -c 'import sys, h5py; sys.exit(not h5py.get_config().mpi)'; then
    required+=,parallel-hdf5
else
    say "Left out: the store as one shared file, which takes an h5py with parallel HDF5."
fi
if [ -x /usr/sbin/slurmctld ] && [ "$(id -u)" = 0 ] && unshare --uts --mount --propagation slave true 2>/dev/null; then
    required+=,slurm
else
    say "Left out: Slurm, which takes its packages, root, and a host (or container) that allows namespaces."
fi
say "Testing with ${required//,/, }"

# What is installed here must not be skipped for want of it.
export MPI_AUTOML_TEST_REQUIRED=$required
exec "$python" -m pytest -q "$@"
