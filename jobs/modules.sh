# Sourced by the job scripts (SETUP=jobs/modules.sh): the cluster's modules and a virtual environment.
# Copy it, put your cluster's names in, and make the environment with the same modules loaded.
# shellcheck shell=bash disable=SC1091
module purge
module load "${PYTHON_MODULE:-python/3.11}" "${MPI_MODULE:-openmpi/4.1}" || exit 1
source "${VENV:-$HOME/venvs/automl}/bin/activate" || exit 1
