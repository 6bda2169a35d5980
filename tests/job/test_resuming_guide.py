"""Every command of the guide to resuming does what the guide says."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from launching import CHECKOUT, clean_environment, default_mpi, require_environment

GUIDE = (CHECKOUT / "docs" / "guides" / "resuming.md").read_text()
COMMANDS = [line for block in re.findall(r"```\n(.*?)```", GUIDE, flags=re.DOTALL) for line in block.splitlines()]
QUICK = "--include regressor:decision_tree,regressor:ard_regression"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("guide")
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.random((120, 3)), columns=["size", "age", "price"])
    table.to_csv(directory / "train.csv", index=False)
    return directory


def run(command: str, place: Path) -> subprocess.CompletedProcess[str]:
    environment = require_environment(default_mpi())
    program = place / "bin" / "mpi-automl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {environment.python} -m mpi_automl "$@"\n')
    program.chmod(0o755)
    variables = clean_environment(environment)
    variables["PATH"] = f"{program.parent}:{environment.mpirun.parent}:{variables['PATH']}"
    # An hour is too long for a test; few trials end a leg early.
    quick = re.sub(r"(--time (?:1h|30m|auto))", rf"\1 --trials 2 {QUICK}", command)
    return subprocess.run(
        quick, shell=True, env=variables, cwd=place, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_commands_in_their_order(place):
    said = {}
    for command in COMMANDS:
        done = run(command, place)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        said[command] = done.stdout
    assert len(said) == 8
    first, second, again, limited, *outside = said.values()
    assert "3 ranks on" in first
    assert "Going on with runs/price" in second
    assert "nothing is left to do" in again
    assert "MPI_AUTOML_TIME_LEFT tells the time left" in limited
    assert "2 legs" in outside[2]
    assert '"state": "finished"' in outside[3]
