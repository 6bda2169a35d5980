"""What counts as a trial's memory, and that a dead server costs only the trial that ran."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hostile import Hostile
from processes import marked
from setups import make_setup, table, trial, write_setup
from sklearn.linear_model import LogisticRegression
from takes_memory import ReadsEverything, TakesMemory

from mpi_automl.evaluation.server_memory import attributed_memory
from mpi_automl.trial import Status

READS, TAKES, LOGISTIC, SLEEPER = range(4)
TABLE = 64.0
"""MiB."""


@pytest.fixture(scope="module")
def opened(evaluator):
    task = table(n_rows=2**13, n_columns=2**10)
    assert task.X.nbytes == TABLE * 2**20
    setup = make_setup(
        ReadsEverything(), TakesMemory(100), LogisticRegression(max_iter=5), Hostile("ignores_sigterm"), task=task
    )
    directory = Path(tempfile.mkdtemp(dir="/dev/shm"))
    evaluator.open(write_setup(setup, directory / "setup"))
    yield evaluator
    shutil.rmtree(directory)


def test_the_table_in_shared_memory_does_not_count(opened, one):
    opened.submit(trial(0, READS), seconds=30.0, memory=TABLE / 2)
    result = one(opened)
    assert result.status is Status.SUCCESS, result.reason
    assert result.memory_peak < TABLE / 2


def test_what_a_trial_takes_is_what_it_is_said_to_take(opened, one):
    opened.submit(trial(0, TAKES), seconds=30.0, memory=150.0)
    result = one(opened)
    assert result.status is Status.SUCCESS, result.reason
    assert 95 < result.memory_peak < 130
    opened.submit(trial(1, TAKES), seconds=30.0, memory=80.0)
    assert one(opened).status is Status.MEMOUT


def test_killed_server_costs_only_the_running_trial(opened, mark):
    opened.submit(trial(0, SLEEPER), seconds=60.0, memory=256.0)
    opened.submit(trial(1, LOGISTIC), seconds=60.0, memory=256.0)
    assert not opened.poll(0.5)
    _, server, *_ = sorted(marked(mark))
    os.kill(server, signal.SIGKILL)
    results = []
    while len(results) < 2:
        results += opened.poll(1.0)
    assert [result.status for result in results] == [Status.CRASHED, Status.SUCCESS]
    assert "server was killed" in results[0].reason


def test_killed_guardian_too(opened, mark):
    opened.submit(trial(0, SLEEPER), seconds=60.0, memory=256.0)
    opened.submit(trial(1, LOGISTIC), seconds=60.0, memory=256.0)
    assert not opened.poll(0.5)
    guardian, *_ = sorted(marked(mark))
    before = set(Path(tempfile.gettempdir()).glob("mpi_automl-trials-*"))
    os.kill(guardian, signal.SIGKILL)
    results = []
    while len(results) < 2:
        results += opened.poll(1.0)
    assert [result.status for result in results] == [Status.CRASHED, Status.SUCCESS]
    assert any(not directory.exists() for directory in before)


def test_attributed_memory_leaves_out_a_file(tmp_path):
    import mmap

    path = Path(tempfile.mkdtemp(dir="/dev/shm")) / "file"
    path.write_bytes(bytes(2**25))
    with path.open("r+b") as file:
        region = mmap.mmap(file.fileno(), 2**25)
    before = attributed_memory(os.getpid(), str(path.stat().st_ino).encode())
    assert region[:] == bytes(2**25)
    with_file = attributed_memory(os.getpid(), b"1")
    without = attributed_memory(os.getpid(), str(path.stat().st_ino).encode())
    shutil.rmtree(path.parent)
    assert with_file - without == pytest.approx(32.0, abs=1.0)
    assert without - before < 8.0
