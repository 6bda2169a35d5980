#!/usr/bin/env bash
# From nothing to a first result: makes the virtual environment .venv in this checkout, installs
# mpi_automl into it (with an MPI from PyPI where the system has none that works), runs the built-in
# example on four ranks and shows what came out.
#
#   bash jobs/quickstart.sh [options of python -m mpi_automl]
#
# Needs Python 3.10 or newer and 800 MB; no root. RANKS=8 changes the number of ranks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=$PWD/.venv
stamp=$venv/quickstart.stamp
ranks=${RANKS:-4}

# Open MPI wants to be asked before it runs as root or with more ranks than cores.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:OVERSUBSCRIBE
export OMPI_MCA_mpi_yield_when_idle=1
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '== %s\n' "$*"; }

# What the environment was made from; the checkout's place is in its scripts.
fingerprint() { { cat setup.cfg pyproject.toml jobs/quickstart.sh; pwd; } | sha256sum | cut -d' ' -f1; }

# Whether a launcher and the MPI library that mpi4py finds belong together.
works() {
    local answer
    answer=$(timeout 60 "$1" -n 2 "$venv/bin/python" -c 'from mpi4py import MPI; print(MPI.COMM_WORLD.size)' 2>&1) &&
        [ "$(tr -d '[:space:]' <<<"$answer")" = 22 ]
}

install() {
    say "Making the virtual environment .venv"
    bash jobs/make_venv.sh "$venv"
    say "Installing mpi_automl and what it needs from PyPI (about a minute)"
    "$venv/bin/python" -m pip install -qq --editable .
    mpirun=$(command -v mpirun || true)
    if [ -z "$mpirun" ] || ! works "$mpirun"; then
        say "Installing MPICH from PyPI: ${mpirun:-no mpirun} ${mpirun:+does not fit mpi4py}"
        "$venv/bin/python" -m pip install -qq mpich
        mpirun=$venv/bin/mpirun
        works "$mpirun" || { "$mpirun" -n 2 "$venv/bin/python" -c 'from mpi4py import MPI'; exit 1; }
    fi
    printf '%s\n%s\n' "$(fingerprint)" "$mpirun" >"$stamp"
}

read_stamp() {
    local made
    [ -s "$stamp" ] && { read -r made && read -r mpirun; } <"$stamp" &&
        [ "$made" = "$(fingerprint)" ] && [ -x "$mpirun" ] && "$venv/bin/python" -c '' 2>/dev/null
}

read_stamp || install
export PATH=$venv/bin:$PATH

before=$(mktemp)
trap 'rm -f "$before"' EXIT
say "mpirun -n $ranks python -m mpi_automl $*"
"$mpirun" -n "$ranks" python -m mpi_automl "$@"

for run in mpi_automl_2*/; do
    [ "$run" -nt "$before" ] && newest=${run%/}
done
if [ -n "${newest:-}" ]; then
    say "mpi-automl show $newest"
    mpi-automl show "$newest"
fi
