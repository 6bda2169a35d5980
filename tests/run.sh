#!/usr/bin/env bash
# Run the tests, having installed all they need: with root also Debian's Open MPI, parallel HDF5 and Slurm.
#
#   bash tests/run.sh [--quick | options of pytest]
#
# Without options all tests run, those that can on two cores; the last line counts them. With --quick only the unit
# tests run, in an environment that needs neither root nor Slurm nor parallel HDF5; their coverage is printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Every rank of every job imports hundreds of modules, which must not be compiled anew each time.
unset PYTHONDONTWRITEBYTECODE

say() { printf '== %s\n' "$*"; }

if [ "${1:-}" = --quick ]; then
    shift
    bash tests/environment/environments.sh --quick
    python=.venv-test/bin/python
    "$python" -c 'from mpi4py import MPI' 2>/dev/null || python=.venv-mpich/bin/python
    COVERAGE_FILE=$(mktemp)
    export COVERAGE_FILE
    trap 'rm -f "$COVERAGE_FILE"' EXIT
    status=0
    "$python" -m pytest -q -m "not launches and not alone and not slow and not campaign" --numprocesses 2 \
        --dist loadfile --cov mpi_automl --cov-report= "$@" || status=$?
    say "Coverage of the unit tests: $("$python" -m coverage report --format=total) % of the lines of mpi_automl"
    exit "$status"
fi

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
if [ -e .venv-deepcave/tests.stamp ]; then
    required+=,deepcave
else
    say "Left out: DeepCAVE, which could not be installed."
fi
if [ -x /usr/sbin/slurmctld ] && [ "$(id -u)" = 0 ] && unshare --uts --mount --propagation slave true 2>/dev/null; then
    required+=,slurm
else
    say "Left out: Slurm, which takes its packages, root, and a host (or container) that allows namespaces."
fi
say "Testing with ${required//,/, }"

# What is installed here must not be skipped for want of it.
export MPI_AUTOML_TEST_REQUIRED=$required

# Options choose tests: these run one after the other.
[ $# -eq 0 ] || exec "$python" -m pytest -q "$@"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

# tests_with EXPRESSION [options]: one run of pytest over the tests whose marks fit.
tests_with() {
    local expression=$1
    shift
    "$python" -m pytest -q --durations=10 -m "$expression and not campaign" "$@" 2>&1 | tee -a "$log" || status=1
}

say "Tests that can run side by side"
# A file's tests share what it starts; the order of files puts long ones before the end.
tests_with 'not alone' --numprocesses 2 --dist loadfile --no-loadscope-reorder
say "Tests that want the machine for themselves"
tests_with alone

# counted WORD: how many tests the two summaries count under that word.
counted() { grep -aE '(passed|failed|error).* in [0-9.]+s' "$log" | grep -oE "[0-9]+ $1" | awk '{n += $1} END {print n + 0}'; }
printf '\n%d passed, %d failed, %d skipped\n' "$(counted passed)" "$(($(counted failed) + $(counted error)))" "$(counted skipped)"
exit "$status"
