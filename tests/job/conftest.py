"""One finished job that many tests look at; launches are expensive."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from launching import Completed
from once import make_once


@dataclass(frozen=True)
class Job:
    """A finished launch and its run directory."""

    done: Completed
    directory: Path


@pytest.fixture(scope="session")
def example_job(launch, tmp_path_factory) -> Job:
    """The built-in example on 4 ranks, to the end of ten trials each: a busy machine only makes it take longer."""

    def make(directory: Path) -> dict[str, Any]:
        words = ["--time", "150", "--trials", "10", "--seed", "3", "--out", directory]
        done = launch(4, "python", "-m", "mpi_automl", *words, timeout=200)
        assert done.returncode == 0, done.stderr
        return asdict(done)

    directory, fields = make_once(tmp_path_factory, "example_job", make)
    return Job(Completed(**{**fields, "survivors": tuple(fields["survivors"])}), directory)
