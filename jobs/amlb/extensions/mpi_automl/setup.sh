#!/usr/bin/env bash
# Called by the benchmark before the first run: makes the framework's own environment in ./venv. The benchmark's shared
# requirements are for an older NumPy than mpi_automl's; of them, exec.py needs psutil only.
#
# MPI_AUTOML_SOURCE=... names the checkout; otherwise it is the one that this file is in.
# PYTHON=/path/to/python3 chooses the interpreter, from 3.10 on; the benchmark's own may be older.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
source=${MPI_AUTOML_SOURCE:-$(cd "$here/../../../.." && pwd -P)}

python=$here/venv/bin/python
[ -x "$python" ] || bash "$source/jobs/make_venv.sh" "$here/venv"
# An environment that has everything is left alone.
"$python" -c 'import mpi_automl, psutil' 2>/dev/null ||
    "$python" -m pip install -q "${source}[xgboost]" psutil
# The launcher of the system, where there is one that mpi4py finds the library of; otherwise one from PyPI.
if ! { command -v mpirun && "$python" -c 'from mpi4py import MPI'; } >/dev/null 2>&1; then
    "$python" -m pip install -q mpich
fi

version=$("$python" -c 'import mpi_automl; print(mpi_automl.__version__)')
mkdir -p "$here/.setup"
echo "$version" >>"$here/.setup/installed"
