#!/usr/bin/env bash
# Make a virtual environment with pip in it, also where the system's Python cannot do that by itself
# (Debian and Ubuntu keep ensurepip in a package of its own).
#
#   make_venv.sh DIRECTORY
#
# PYTHON=... chooses the interpreter. Root installs the missing package if nothing else works; nobody
# else changes anything outside DIRECTORY.
# The ways below are called by name.
# shellcheck disable=SC2317,SC2329
set -euo pipefail

directory=$1
virtualenv_zipapp=${VIRTUALENV_ZIPAPP:-https://bootstrap.pypa.io/virtualenv.pyz}
log=$(mktemp)
bootstrap=$(mktemp -d)
trap 'rm -rf "$log" "$bootstrap"' EXIT

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

find_python() {
    local name
    for name in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.10 python; do
        if usable "$name"; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    echo "Python 3.10 or newer was not found; install it (Debian, Ubuntu: apt install python3 python3-venv) or set PYTHON=/path/to/python3." >&2
    return 1
}

with_venv() { "$python" -m venv "$directory"; }

with_virtualenv() { "$python" -m virtualenv --quiet "$directory"; }

with_pip() {
    "$python" -m pip install -qq --target "$bootstrap" virtualenv &&
        PYTHONPATH=$bootstrap "$python" -m virtualenv --quiet "$directory"
}

with_zipapp() {
    "$python" - "$virtualenv_zipapp" "$bootstrap/virtualenv.pyz" <<'PROGRAM' &&
import pathlib, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=20) as answer:
    pathlib.Path(sys.argv[2]).write_bytes(answer.read())
PROGRAM
        "$python" "$bootstrap/virtualenv.pyz" --quiet "$directory"
}

with_apt() {
    if [ "$(id -u)" != 0 ] || [[ $python != /usr/bin/* ]] || ! command -v apt-get >/dev/null; then
        echo "not root on a Debian system"
        return 1
    fi
    local package
    package=python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends "$package" ||
        { apt-get update && apt-get install -y --no-install-recommends "$package"; } || return 1
    echo "Installed $package with apt-get, because this Python could not make a virtual environment." >&3
    with_venv
}

python=$(find_python)
exec 3>&2
tried=
for way in with_venv with_virtualenv with_pip with_zipapp with_apt; do
    rm -rf "$directory"
    if "$way" >"$log" 2>&1 && "$directory/bin/python" -m pip --version >>"$log" 2>&1; then
        exit 0
    fi
    tried+="  ${way//_/ }: $(grep -v '^[[:space:]]*$' "$log" | tail -n 1)"$'\n'
done
rm -rf "$directory"
printf '%s' "$tried" >&2
echo "$python cannot make a virtual environment: install python3-venv (Debian, Ubuntu: sudo apt install python3-venv) and start again." >&2
exit 1
