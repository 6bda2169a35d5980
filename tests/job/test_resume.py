"""Runs that were stopped or killed go on in a new leg, and lose nothing."""

import os
import signal
import time

import pytest

from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory


def wait_for_trials(run, count, timeout):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            if len(RunReader(run)) >= count:
                return
        except Exception:  # noqa: BLE001  # the store is not there yet
            pass
        time.sleep(0.2)
    pytest.fail(f"there were no {count} trials after {timeout} s")


def ranks_of(job):
    """Process ids of the ranks of a started job."""
    return [pid for pid, command in job.processes().items() if "-m mpi_automl " in command and "mpirun" not in command]


def test_killed_then_resumed_with_more_ranks(launch, tmp_path):
    run = tmp_path / "run"
    with launch.start(2, "python", "-m", "mpi_automl", "--time", "90", "--out", run) as job:
        wait_for_trials(run, 5, 60)
        os.kill(ranks_of(job)[-1], signal.SIGKILL)
        done = job.wait(20)
    assert done.returncode != 0
    assert not done.survivors
    committed = set(RunReader(run).keys)
    before = RunReader(run).trials()
    learned_from = ((before["status"] != "stopped") & (before["origin"] != "dummy")).sum()
    checked = launch(None, "python", "-m", "mpi_automl", "check", run)
    assert "nothing is damaged" in checked.stdout
    assert "has not finished" in launch(None, "python", "-m", "mpi_automl", "show", run).stdout
    done = launch(3, "python", "-m", "mpi_automl", "--time", "90", "--trials", "3", "--resume", run, timeout=140)
    assert done.returncode == 0, done.stderr
    assert f"{learned_from} finished trials of earlier legs are known" in " ".join(done.stdout.split())
    reader = RunReader(run)
    assert committed <= set(reader.keys)
    assert {key.rank for key in reader.keys if key.leg == 1} == {0, 1, 2}
    origins = reader.trials()["origin"].value_counts()
    assert (origins["dummy"], origins["default"]) == (1, 1)
    assert not RunDirectory(run).read_ensemble()["is_dummy"]


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM])
def test_a_signal_ends_the_search_and_the_result_is_saved(launch, tmp_path, number):
    run = tmp_path / "run"
    with launch.start(2, "python", "-m", "mpi_automl", "--time", "120", "--out", run) as job:
        wait_for_trials(run, 4, 60)
        os.kill(ranks_of(job)[-1], number)
        done = job.wait(30)
    assert done.returncode == 75, done.stderr
    assert RunDirectory(run).state == "interrupted"
    assert RunDirectory(run).read_ensemble()["members"]
    assert not done.survivors


def test_another_table_or_space_cannot_go_on_with_a_run(example_job, launch):
    words = ["--resume", example_job.directory, "--time", "60"]
    done = launch(None, "python", "-m", "mpi_automl", *words, "--exclude", "classifier:mlp")
    assert done.returncode == 2
    assert "classifier:mlp" in done.stderr
    done = launch(None, "python", "-m", "mpi_automl", *words, "--resampling", "cv")
    assert done.returncode == 2
    assert "validation rows" in done.stderr


def test_the_same_command_again_does_nothing_when_the_run_is_done(example_job, launch):
    done = launch(None, "python", "-m", "mpi_automl", "--resume", "auto", "--out", example_job.directory)
    assert done.returncode == 0, done.stderr
    assert "nothing is left to do" in done.stdout
