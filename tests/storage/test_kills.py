"""A job that is killed takes nothing with it that was committed."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from launching import Launcher
from store_killing import VICTIMS, WRITER, aftermath, announced, kill, layouts, wait_for

from mpi_automl.storage.reader import RunReader


@pytest.mark.parametrize(
    ("layout", "victim"), [*((layouts()[0], victim) for victim in VICTIMS), ("per-rank", "all ranks")]
)
def test_killed_while_writing(launch: Launcher, tmp_path: Path, layout: str, victim: str) -> None:
    with launch.start(3, "python", WRITER, tmp_path, "0", "100000", "--layout", layout, "--keep", "3") as job:
        wait_for(job, "committed 0 2 3\n")
        time.sleep(np.random.default_rng().uniform(0, 0.3))
        kill(job, victim, which=1)
        assert job.wait(20).returncode != 0
        keys = announced(job.output()[0])
    found = aftermath(tmp_path, keys)
    assert found.announced > 0
    assert found.lost == ()
    assert found.problems == ()


def test_killed_alone_and_gone_on_in_a_new_leg(launch: Launcher, tmp_path: Path) -> None:
    with launch.start(None, "python", WRITER, tmp_path, "0", "100000", "--room", "40") as job:
        wait_for(job, "committed 0 0 100\n")
        kill(job, "all ranks", which=0)
        job.wait(10)
        keys = announced(job.output()[0])
    before = aftermath(tmp_path, keys)
    assert before.lost == before.problems == ()
    assert launch(2, "python", WRITER, tmp_path, "1", "5", "--layout", "per-rank").returncode == 0
    reader = RunReader(tmp_path)
    assert [leg.ranks for leg in reader.legs] == [1, 2]
    assert len(reader) == before.found + 10
    assert {key.leg for key in reader.best(50)} == {0, 1}
