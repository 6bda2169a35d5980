"""A job that is killed takes nothing with it that was committed."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from launching import Launcher
from store_killing import VICTIMS, WRITER, aftermath, announced, kill, layouts, wait_for

from mpi_automl.storage.reader import RunReader
from mpi_automl.trial import TrialKey

pytestmark = pytest.mark.alone


@pytest.mark.parametrize(
    ("layout", "victim"), [*((layouts()[0], victim) for victim in VICTIMS), ("per-rank", "all ranks")]
)
def test_killed_while_writing(launch: Launcher, tmp_path: Path, layout: str, victim: str) -> None:
    place, options = tmp_path / "announced", ["--layout", layout, "--keep", "3"]
    with launch.start(3, "python", WRITER, tmp_path, "0", "100000", *options, "--announce", place) as job:
        wait_for(job, place, TrialKey(0, 2, 3))
        time.sleep(np.random.default_rng().uniform(0, 0.3))
        kill(job, victim, which=1)
        # A rank that is flushing cannot die before the disk has answered.
        assert job.wait(60).returncode != 0
    found = aftermath(tmp_path, announced(place))
    assert found.announced > 0
    assert found.lost == ()
    assert found.problems == ()


def test_killed_alone_and_gone_on_in_a_new_leg(launch: Launcher, tmp_path: Path) -> None:
    place = tmp_path / "announced"
    with launch.start(None, "python", WRITER, tmp_path, "0", "100000", "--room", "40", "--announce", place) as job:
        wait_for(job, place, TrialKey(0, 0, 100))
        kill(job, "all ranks", which=0)
        job.wait(10)
    before = aftermath(tmp_path, announced(place))
    assert before.lost == before.problems == ()
    assert launch(2, "python", WRITER, tmp_path, "1", "5", "--layout", "per-rank").returncode == 0
    reader = RunReader(tmp_path)
    assert [leg.ranks for leg in reader.legs] == [1, 2]
    assert len(reader) == before.found + 10
    assert {key.leg for key in reader.best(50)} == {0, 1}
