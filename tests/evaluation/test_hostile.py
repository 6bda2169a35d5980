"""Whatever a learner does costs one trial, gets the right status, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hostile import ACTS, Hostile
from processes import marked, new_mark, settle
from setups import make_setup, trial, write_setup

from mpi_automl.evaluation.evaluator import Evaluator
from mpi_automl.trial import Status

KINDS = list(ACTS)
IDLE_PROCESSES = 2  # guardian and server


@pytest.fixture(scope="module")
def setup_file(tmp_path_factory):
    setup = make_setup(*[Hostile(kind) for kind in KINDS])
    return write_setup(setup, tmp_path_factory.mktemp("hostile") / "setup")


@pytest.fixture(scope="module")
def opened(evaluator, setup_file):
    evaluator.open(setup_file)
    return evaluator


@pytest.mark.parametrize("kind", KINDS)
def test_status_of(opened, one, mark, kind):
    _, status = ACTS[kind]
    given = trial(0, KINDS.index(kind))
    opened.submit(given, seconds=0.5 if status is Status.TIMEOUT else 20.0, memory=128)
    result = one(opened)
    assert result.status is status, result.reason
    assert bool(result.reason) == (status is not Status.SUCCESS)
    assert len(result.reason) <= 200
    assert result.trial is given
    assert result.has_cost == (status is Status.SUCCESS)
    assert len(settle(mark, IDLE_PROCESSES)) <= IDLE_PROCESSES
    assert not list(Path("/dev/shm").glob("hostile_*"))


def test_working_directory_is_cleared(opened, one):
    for number, kind in enumerate(("litters", "behave")):
        opened.submit(trial(number, KINDS.index(kind)), seconds=20.0, memory=128)
        one(opened)
    assert not Path("catboost_info").exists()
    assert not list(Path(tempfile.gettempdir()).glob("mpi_automl-trials-*/catboost_info"))


@pytest.mark.launches
def test_closing_ends_everything_at_once(setup_file):
    mark = new_mark()
    with Evaluator.start() as evaluator:
        evaluator.open(setup_file)
        evaluator.submit(trial(0, KINDS.index("few_forks_that_loop")), seconds=60.0, memory=512)
        while len(marked(mark)) < 10:
            assert not evaluator.poll(0.05)
    assert not settle(mark, 0)


@pytest.mark.launches
def test_killed_rank_takes_everything_with_it(setup_file, tmp_path):
    """Nobody can clean up after SIGKILL except the processes themselves."""
    program = """
import sys, time
from pathlib import Path
from mpi_automl.evaluation.evaluator import Evaluator
from setups import trial
evaluator = Evaluator.start()
evaluator.open(Path(sys.argv[1]))
evaluator.submit(trial(0, int(sys.argv[2])), seconds=60.0, memory=512)
print("submitted", flush=True)
evaluator.poll(60.0)
"""
    mark = new_mark()
    scratch = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, str(setup_file), str(KINDS.index("few_forks_that_loop"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=scratch) as rank:
        assert rank.stdout is not None
        rank.stdout.readline()
        while len(marked(mark)) < 10:
            assert rank.poll() is None
        rank.send_signal(signal.SIGKILL)
    assert not settle(mark, 0)
    assert not list(tmp_path.iterdir())
