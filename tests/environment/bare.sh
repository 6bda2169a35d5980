#!/usr/bin/env bash
# Make .venv-bare, an environment with scikit-learn and skops in the versions of .venv-test and nothing else, for models
# that are loaded without this package, and print its interpreter. What is up to date is left alone and needs no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

directory=$PWD/.venv-bare python=${1:-.venv-test/bin/python}
wanted=$("$python" -c '
from importlib.metadata import version
print(*(f"{name}=={version(name)}" for name in ("numpy", "scipy", "scikit-learn", "skops")))')
exec 9<tests/environment/bare.sh
flock 9
if [ "$(cat "$directory/tests.stamp" 2>/dev/null)" != "$wanted" ] || ! "$directory/bin/python" -c 'import skops'; then
    rm -rf "$directory"
    "$python" -m venv --without-pip "$directory"
    # shellcheck disable=SC2086  # several words
    "$python" -m pip --python "$directory/bin/python" install -qq --disable-pip-version-check $wanted >&2
    echo "$wanted" >"$directory/tests.stamp"
fi
echo "$directory/bin/python"
