"""One finished job that many tests look at; launches are expensive."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass
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
    """The built-in example on 4 ranks, to the end of ten trials each: a busy machine only makes it take longer.

    Test processes that run side by side have one such job together: who comes second waits for it.
    """
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    directory, record = place / "example_job", place / "example_job.json"
    with (place / "example_job.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            words = ["--time", "150", "--trials", "10", "--seed", "3", "--out", directory]
            done = launch(4, "python", "-m", "mpi_automl", *words, timeout=200)
            assert done.returncode == 0, done.stderr
            record.write_text(json.dumps(asdict(done)))
    fields = json.loads(record.read_text())
    return Job(Completed(**{**fields, "survivors": tuple(fields["survivors"])}), directory)
