#!/usr/bin/env bash
# Make the virtual environments of the tests in the checkout and print their names, the one to start pytest in first:
#
#   .venv-test      everything; with parallel h5py and Debian's Open MPI where these can be had
#   .venv-openmpi5  Open MPI 5 and h5py from PyPI, everything else from .venv-test
#   .venv-mpich     MPICH and h5py from PyPI, everything else from .venv-test
#   .venv-deepcave  what of DeepCAVE reads runs, everything else from .venv-test; left out where it cannot be had
#
# With --quick only .venv-test is made, with parallel h5py only if that has been built before; where the system has no
# MPI, also .venv-mpich.
# What is up to date is left alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

main=$PWD/.venv-test
h5py_version=$(sed -n 's/^version=//p' tests/environment/parallel_h5py.sh)
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '== %s\n' "$*" >&2; }

fingerprint() {
    { cat setup.cfg pyproject.toml tests/environment/environments.sh; pwd; printf '%s\n' "$@"; } | sha256sum | cut -d' ' -f1
}

# is_current DIRECTORY FINGERPRINT: whether the environment was made from that and still starts.
is_current() { [ "$(cat "$1/tests.stamp" 2>/dev/null)" = "$2" ] && "$1/bin/python" -c '' 2>/dev/null; }

make_main() {
    local wheel=$1 made
    made=$(fingerprint "$wheel")
    is_current "$main" "$made" && return
    say "Making .venv-test ($([ -n "$wheel" ] && echo parallel || echo serial) h5py)"
    rm -rf "$main"
    bash jobs/make_venv.sh "$main" >&2
    "$main/bin/python" -m pip install -qq --editable '.[test,xgboost,study]' ${wheel:+"$wheel"} >&2
    echo "$made" >"$main/tests.stamp"
}

# make_layer NAME ARGUMENTS: an environment that holds what pip installs for these, and sees the rest in .venv-test.
make_layer() {
    local directory=$PWD/.venv-$1 made
    shift
    made=$(fingerprint "$@" "$(cat "$main/tests.stamp")")
    is_current "$directory" "$made" && return
    say "Making ${directory##*/}"
    rm -rf "$directory"
    "$main/bin/python" -m venv --without-pip "$directory"
    "$main/bin/python" -m pip --python "$directory/bin/python" install -qq --no-deps "$@" >&2 || return
    "$directory/bin/python" - "$("$main/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" <<'PROGRAM'
import pathlib, sys, sysconfig
below = pathlib.Path(sysconfig.get_path("purelib"), "zz_layer.pth")
below.write_text(f"import site; site.addsitedir({sys.argv[1]!r})\n")
PROGRAM
    echo "$made" >"$directory/tests.stamp"
}

python=${PYTHON:-$(command -v python3 || true)}
if [ "${1:-}" = --quick ]; then
    # Unit tests do as well without parallel h5py, but the environment of a full run must not be replaced by a lesser one.
    make_main "$(bash tests/environment/parallel_h5py.sh "$python" --built 2>/dev/null || true)"
    "$main/bin/python" -c 'from mpi4py import MPI' 2>/dev/null || make_layer mpich 'mpich>=5,<6' "h5py==$h5py_version"
    exit
fi

wheel=
if [ -x /usr/bin/mpicc.openmpi ] && [ -e /usr/include/hdf5/openmpi/hdf5.h ]; then
    wheel=$(bash tests/environment/parallel_h5py.sh "$python") || say "No parallel h5py: its build failed."
fi
make_main "$wheel"
make_layer openmpi5 'openmpi>=5,<6' "h5py==$h5py_version"
make_layer mpich 'mpich>=5,<6' "h5py==$h5py_version"
# Its declared requirements pin old versions for its web pages; reading a run takes none of these.
make_layer deepcave --ignore-requires-python deepcave==1.4.1 jsonlines attrs || say "No DeepCAVE: pip failed."
