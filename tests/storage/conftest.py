"""Launches that several tests share."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest
from launching import Launcher
from store_killing import WRITER


@pytest.fixture(scope="session", params=["shared", "per-rank", "one rank"])
def written_run(request: pytest.FixtureRequest, launch: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a leg of 12 trials per rank, room for 10 and predictions of 5; one more trial was begun."""
    directory = tmp_path_factory.mktemp("run")
    options = ["--room", "10", "--keep", "5", "--in-flight"]
    ranks = None if request.param == "one rank" else 4
    layout = "auto" if ranks is None else request.param
    if request.param == "shared" and not h5py.get_config().mpi:
        pytest.skip("h5py was built without MPI")
    completed = launch(ranks, "python", WRITER, directory, "3", "12", "--layout", layout, *options)
    assert completed.returncode == 0
    return directory
