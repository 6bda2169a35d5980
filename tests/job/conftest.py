"""One finished job that many tests look at; launches are expensive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from launching import Completed


@dataclass(frozen=True)
class Job:
    """A finished launch and its run directory."""

    done: Completed
    directory: Path


@pytest.fixture(scope="session")
def example_job(launch, tmp_path_factory) -> Job:
    """The built-in example on 4 ranks, to the end of ten trials each: a busy machine only makes it take longer."""
    directory = tmp_path_factory.mktemp("example") / "run"
    words = ["--time", "150", "--trials", "10", "--seed", "3", "--out", directory]
    done = launch(4, "python", "-m", "mpi_automl", *words, timeout=200)
    assert done.returncode == 0, done.stderr
    return Job(done, directory)
