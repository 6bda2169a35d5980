"""A signal ends the search, the result is saved, and then the program ends as the signal wants it."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from job_faults import logged
from sklearn.datasets import load_breast_cancer

from mpi_automl.estimators import AutoMLClassifier
from mpi_automl.storage.run_directory import RunDirectory

pytestmark = pytest.mark.launches

PROGRAM = Path(__file__).parent / "programs" / "interrupted.py"
LONG = {"time": 120, "trial_time": 20, "include": ("classifier:decision_tree", "classifier:gaussian_nb")}
X, y = load_breast_cancer(return_X_y=True)


def wait_for_trials(find, is_alive, count=2):
    """Wait until a run has ended trials; `find` gives its directory once it is there."""
    limit = time.monotonic() + 100
    while not (place := find()) or len(logged(place)) < count:
        assert is_alive() and time.monotonic() < limit
        time.sleep(0.1)


def is_running(job):
    return lambda: job.process.poll() is None


def test_one_ctrl_c_ends_a_whole_cross_validation(launch, tmp_path):
    with launch.start(None, "python", PROGRAM, "cross_val_score", "-", env={"TMPDIR": str(tmp_path)}) as job:
        wait_for_trials(lambda: next(tmp_path.glob("mpi_automl_*"), None), is_running(job))
        os.kill(job.process.pid, signal.SIGINT)
        done = job.wait(60)
    assert done.stdout.count("fit") == 1
    assert done.returncode == -signal.SIGINT
    assert done.stderr.splitlines()[-1].startswith("KeyboardInterrupt: Interrupted by SIGINT: the result of the trials")
    assert not list(tmp_path.glob("mpi_automl_*"))


def test_a_request_to_end_ends_a_loop_of_fits_and_keeps_the_result(launch, tmp_path):
    with launch.start(None, "python", PROGRAM, "loop", tmp_path / "run") as job:
        wait_for_trials(lambda: tmp_path / "run-0", is_running(job))
        os.kill(job.process.pid, signal.SIGTERM)
        done = job.wait(60)
    assert done.stdout.count("fit") == 1
    assert done.returncode == 75
    assert done.stderr.splitlines()[-1].endswith(f"Resume with resume='{tmp_path / 'run-0'}'.")
    assert RunDirectory(tmp_path / "run-0").read_ensemble()["members"]
    assert not (tmp_path / "run-1").exists()


def test_ctrl_c_keeps_the_result_of_ranks_that_a_fit_started(launch, tmp_path):
    with launch.start(None, "python", PROGRAM, "n_jobs", tmp_path / "run") as job:
        wait_for_trials(lambda: tmp_path / "run", is_running(job))
        # As a terminal does: to all that the program has started in its group.
        os.killpg(job.process.pid, signal.SIGINT)
        done = job.wait(60)
    assert done.returncode == 0, done.stderr
    assert "Interrupted by SIGINT: the result of the trials that had ended is saved." in done.stdout
    assert float(done.stdout.split("score")[1]) > 0.8
    assert not done.survivors
    assert RunDirectory(tmp_path / "run").state == "interrupted"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_under_a_launcher_the_status_says_that_the_run_can_be_resumed(launch, tmp_path, number):
    with launch.start(2, "python", PROGRAM, "ranks", tmp_path / "run") as job:
        wait_for_trials(lambda: tmp_path / "run", is_running(job))
        ranks = [
            pid for pid, command in job.processes().items() if f"{PROGRAM} ranks" in command and "mpirun" not in command
        ]
        os.kill(ranks[-1], number)
        done = job.wait(60)
    assert done.returncode == 75, done.stderr
    assert "the fit returned" not in done.stdout
    lines = [line for line in done.stderr.splitlines() if line.startswith("Interrupted by ")]
    assert len(lines) == 1
    assert lines[0].endswith(f"Resume with resume='{tmp_path / 'run'}'.")
    assert RunDirectory(tmp_path / "run").read_ensemble()["members"]


@contextmanager
def sent(number, place, count):
    """Send this process a signal once a run is there and has ended trials."""

    def send():
        while not (place / "lock.json").exists():
            time.sleep(0.01)
        wait_for_trials(lambda: place, lambda: True, count)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    sender.start()
    yield
    sender.join()


def test_ctrl_c_before_any_trial_has_ended_is_no_mistake_in_the_data(tmp_path):
    automl = AutoMLClassifier(out=str(tmp_path / "run"), **LONG)
    with sent(signal.SIGINT, tmp_path / "run", 0), pytest.raises(KeyboardInterrupt, match="Interrupted by SIGINT"):
        automl.fit(X, y)


def test_a_handler_of_the_program_decides(tmp_path):
    received = []
    previous = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        with sent(signal.SIGTERM, tmp_path / "run", 2):
            automl = AutoMLClassifier(out=str(tmp_path / "run"), **LONG).fit(X, y)
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert received == [signal.SIGTERM]
    assert automl.score(X, y) > 0.8
