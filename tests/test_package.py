"""What a user gets: a complete wheel, and commands that answer before anything heavy is imported."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from launching import CHECKOUT

HEAVY = {"numpy", "scipy", "sklearn", "pandas", "pyarrow", "ConfigSpace", "smac", "mpi4py", "h5py"}


def _run(*words):
    return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, cwd=CHECKOUT, check=True)


def test_the_wheel_holds_every_file_of_the_package(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "setup.cfg", "LICENSE", "README.md"):
        shutil.copy(CHECKOUT / name, source)
    shutil.copytree(CHECKOUT / "mpi_automl", source / "mpi_automl", ignore=shutil.ignore_patterns("__pycache__"))
    _run("-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, source)
    with zipfile.ZipFile(next(tmp_path.glob("mpi_automl-*.whl"))) as wheel:
        packed = {name for name in wheel.namelist() if name.startswith("mpi_automl/")}
    there = {str(path.relative_to(source)) for path in (source / "mpi_automl").rglob("*") if path.is_file()}
    assert packed == there


@pytest.mark.parametrize(
    "program",
    [
        "import mpi_automl",
        "import mpi_automl.settings as s; s.Settings(time='15m')",
        "import runpy, sys; sys.argv[1:] = ['--help']; runpy.run_module('mpi_automl', run_name='__main__')",
        "import runpy, sys; sys.argv[1:] = ['fit', '--help']; runpy.run_module('mpi_automl', run_name='__main__')",
    ],
)
def test_nothing_heavy_is_imported(program):
    report = "import atexit, sys; atexit.register(lambda: print('LOADED', *sorted(sys.modules)));"
    loaded = _run("-c", report + program).stdout.split("LOADED ")[1].split()
    assert HEAVY.isdisjoint(loaded)


def test_the_console_command_is_the_module():
    command = Path(sys.executable).with_name("mpi-automl")
    if not command.exists():
        pytest.skip("the package is not installed in this environment")
    printed = subprocess.run([command, "--help"], capture_output=True, text=True, check=True).stdout
    assert printed == _run("-m", "mpi_automl", "--help").stdout
