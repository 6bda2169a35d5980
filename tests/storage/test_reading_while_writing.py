"""A reader sees the committed trials of a job that is still writing, and never a half-written one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from launching import Launcher
from store_killing import WRITER, layouts, wait_for
from write_trials import make_result, make_trial

from mpi_automl.storage.reader import RunReader
from mpi_automl.trial import TrialKey


@pytest.mark.parametrize("layout", layouts())
def test_reading_while_writing(launch: Launcher, tmp_path: Path, layout: str) -> None:
    place, options = tmp_path / "announced", ["--layout", layout, "--keep", "4", "--pause", "0.005"]
    with launch.start(2, "python", WRITER, tmp_path, "0", "100000", *options, "--announce", place) as job:
        wait_for(job, place, TrialKey(0, 1, 0))
        sizes = []
        for _ in range(15):
            reader = RunReader(tmp_path)
            sizes.append(len(reader))
            for key, record in zip(reader.keys, reader.records, strict=True):
                np.testing.assert_equal(float(record["cost"]), make_result(make_trial(*key)).cost)
            for key in reader.best(4):
                try:
                    (predictions,) = reader.predictions([key])
                except KeyError:
                    continue  # gave way since the reader was made
                np.testing.assert_array_equal(predictions, make_result(make_trial(*key)).predictions)
        assert job.process.poll() is None
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
