"""The one start: in a fixed order, with the scheduler asked once in a job, and the user's mistakes known to all."""

import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from launching import default_mpi, require_environment
from small_study import write_tables

from mpi_automl.errors import UserError
from mpi_automl.job.observer import Observer
from mpi_automl.job.rank_log import RankLog
from mpi_automl.job.session import JobSession, start_ranks
from mpi_automl.parallel.world import World
from mpi_automl.settings import Settings

PROGRAM = Path(__file__).parent / "programs" / "estimator_session.py"
FAST = ("--trials", "1", "--include", "classifier:gaussian_nb", "--report", "false")
STUDY = """
[study]
ranks = 1
time = "20s"

[settings]
trials = 1
include = ["classifier:gaussian_nb"]

[[tables]]
files = "tables/classes.csv"
target = "y"

[variants.a]

[variants.b]
share = "none"
"""


class Notes(Observer):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def in_slurm(tmp_path):
    """Words before a command that make it a Slurm job with two minutes left; and the calls of squeue."""
    calls, bin_ = tmp_path / "calls", tmp_path / "bin"
    bin_.mkdir()
    calls.touch()
    (bin_ / "squeue").write_text(f'#!/bin/sh\necho "$@" >> {calls}\necho 2:00\n')
    (bin_ / "squeue").chmod(0o755)
    # Set behind the launcher, which would take it for a real Slurm job.
    python = require_environment(default_mpi()).python
    words = ("env", "SLURM_JOB_ID=7", f"PATH={bin_}:{os.environ['PATH']}", python)
    return words, lambda: calls.read_text().splitlines()


def test_one_rank_of_a_fit_asks_the_scheduler(launch, in_slurm, tmp_path):
    words, calls = in_slurm
    out = tmp_path / "run"
    done = launch(3, *words, "-m", "mpi_automl", "example", "--time", "auto", *FAST, "--out", out, timeout=120)
    assert done.returncode == 0, done.stderr
    assert calls() == ["-h -j 7 -o %L"]
    assert "Slurm tells the time left: --time auto is 11" in done.stdout


def test_one_rank_of_a_communicator_asks_the_scheduler(launch, in_slurm, tmp_path):
    words, calls = in_slurm
    done = launch(2, *words, PROGRAM, tmp_path / "run", timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(calls()) == 1


def test_one_rank_of_a_study_asks_the_scheduler(launch, in_slurm, tmp_path):
    words, calls = in_slurm
    write_tables(tmp_path / "tables")
    (tmp_path / "study.toml").write_text(STUDY)
    done = launch(2, *words, "-m", "mpi_automl", "study", "run", "study.toml", cwd=tmp_path, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 finished" in done.stdout
    assert len(calls()) == 1


def test_a_wrong_variable_is_one_sentence_on_all_ranks(launch, tmp_path):
    words = [
        "env",
        "MPI_AUTOML_TIME_LEFT=soon",
        "python",
        "-m",
        "mpi_automl",
        "--time",
        "auto",
        "--out",
        tmp_path / "run",
    ]
    done = launch(2, *words, "--out", tmp_path / "run", timeout=40)
    assert done.returncode == 2
    assert done.stderr.count("MPI_AUTOML_TIME_LEFT is 'soon'") == 1
    assert not done.survivors


def test_auto_becomes_seconds_and_is_reported(monkeypatch):
    monkeypatch.setenv("MPI_AUTOML_TIME_LEFT", "100")
    settings, evaluator = Settings(time="auto"), SimpleNamespace()
    with JobSession.start(settings, lambda world: Notes(), evaluator=evaluator, started=time.time()) as session:
        assert session.settings.time == pytest.approx(95, abs=1)
        assert session.evaluator is evaluator
        assert session.threads == 1
        assert session.observer.notes == ["MPI_AUTOML_TIME_LEFT tells the time left: --time auto is 95 s."]


def test_another_time_asks_nobody(monkeypatch):
    monkeypatch.setenv("MPI_AUTOML_TIME_LEFT", "soon")
    with JobSession.start(Settings(time=9), evaluator=SimpleNamespace()) as session:
        assert session.settings.time == 9
    with start_ranks() as ranks:
        assert ranks.time_left is None
    with pytest.raises(UserError, match="is 'soon'"), start_ranks(needs_time_left=True):
        pass


def test_a_session_notes_signals_and_those_that_came_while_it_started(tmp_path):
    with JobSession.start(Settings(), evaluator=SimpleNamespace()) as session:
        os.kill(os.getpid(), signal.SIGUSR1)
        with session:
            session.open_files(tmp_path / "log", "resume it")
            assert session.signals.received == signal.SIGUSR1
            os.kill(os.getpid(), signal.SIGTERM)
    assert (tmp_path / "log").exists()


def test_sessions_of_one_process_follow_each_other():
    world, settings = World(None, time.time()), Settings(threads=3)
    for _ in range(2):
        with JobSession(settings, world, SimpleNamespace(), RankLog(), Observer()) as session:
            assert session.signals.received is None
            assert session.threads == 3
