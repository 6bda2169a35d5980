"""One finished run that many tests look at; launches are expensive."""

from __future__ import annotations

from pathlib import Path

import pytest
from once import make_once


@pytest.fixture(scope="session")
def finished_run(launch, tmp_path_factory) -> Path:
    """A run whose members were fitted on all rows; it ends by its number of trials, however busy the machine is."""

    def make(run: Path) -> None:
        words = ["--time", "120", "--trials", "5", "--trial-time", "30", "--resampling", "holdout"]
        words += ["--final-time", "15", "--report", "false"]
        words += ["--include", "classifier:lda,classifier:gaussian_nb,classifier:decision_tree"]
        done = launch(2, "python", "-m", "mpi_automl", "example", *words, "--out", run, timeout=170)
        assert done.returncode == 0, done.stderr

    run, _ = make_once(tmp_path_factory, "finished_run", make)
    return run
