"""One rank raises or is stuck in a real job: everybody ends, and nothing that was finished is lost."""

import os
import signal
import time
from pathlib import Path

import pytest
from job_faults import logged

from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.storage.verify import check

pytestmark = pytest.mark.alone

PROGRAM = Path(__file__).parent / "programs" / "planted_trouble.py"
CHEAP = ["--include", "classifier:gaussian_nb,classifier:decision_tree", "--trial-time", "5", "--report", "false"]


def last_line_of_job(done):
    """The last line that is not the launcher's own."""
    lines = [line for line in done.stderr.splitlines() if "What was finished is kept" in line]
    return lines[-1] if lines else ""


def test_an_exception_on_a_rank_ends_all_and_names_the_resuming_command(launch, tmp_path, mpis):
    run = tmp_path / "run"
    done = launch(3, "python", PROGRAM, "raise", "1", "--time", "60", *CHEAP, "--out", run, mpi=mpis, timeout=60)
    assert done.returncode != 0
    assert "Rank 1 on " in done.stderr
    assert "ZeroDivisionError: planted on purpose" in done.stderr
    assert "ZeroDivisionError: planted on purpose" in (run / "logs" / "rank-0001.log").read_text()
    assert last_line_of_job(done).endswith(f"--resume {run}")
    assert done.seconds < 45
    assert not done.survivors
    assert check(run).is_sound
    # Rank 1 proposes its third configuration when its first trial has ended; the others may have ended none.
    ended = logged(run)
    assert {key.rank for key in ended} >= {1}
    assert ended <= set(RunReader(run).keys)


def test_an_exception_in_the_work_of_rank_0_alone_ends_the_others(launch, tmp_path):
    run = tmp_path / "run"
    words = ["--time", "60", "--trials", "2", *CHEAP, "--out", run]
    done = launch(2, "python", PROGRAM, "raise-late", "0", *words, timeout=60)
    assert done.returncode != 0
    assert "Rank 0 on " in done.stderr
    assert last_line_of_job(done).endswith(f"--resume {run}")
    assert not done.survivors
    assert len(RunReader(run)) == 4


def test_a_stuck_rank_is_named_and_the_result_is_built_without_it(launch, tmp_path):
    run = tmp_path / "run"
    words = ["--time", "90", "--trials", "4", "--heartbeat-timeout", "5", *CHEAP, "--out", run]
    done = launch(3, "python", PROGRAM, "sleep", "1", *words, timeout=100)
    assert done.returncode != 0
    text = " ".join(done.stdout.split())
    assert text.count("Rank 1 on ") == 1
    assert "has shown no sign of life for" in text
    assert "waiting for rank 1." in text
    assert "There is nothing from rank 1, which the job waited for." in done.stderr
    assert last_line_of_job(done).endswith(f"--resume {run}")
    assert not done.survivors
    log = (run / "logs" / "rank-0001.log").read_text()
    assert "planted_trouble.py" in log
    assert "in trouble" in log
    assert RunDirectory(run).state == "interrupted"
    assert RunDirectory(run).read_ensemble()["members"]
    assert {key.rank for key in RunReader(run).keys} == {0, 1, 2}
    assert check(run).is_sound


def test_a_batch_system_that_ends_all_processes_makes_no_trial_a_failed_one(launch, tmp_path):
    run = tmp_path / "run"
    words = ["--time", "90", "--include", "classifier:mlp", "--resampling", "cv", "--out", run]
    with launch.start(2, "python", "-m", "mpi_automl", *words) as job:
        limit = time.monotonic() + 60
        while len(logged(run)) < 4:
            assert job.process.poll() is None and time.monotonic() < limit, job.output()
            time.sleep(0.1)
        # Not the launcher: it would leave the ranks a second, and Slurm's srun does not.
        for pid, command in job.processes().items():
            if "mpirun" not in command:
                os.kill(pid, signal.SIGTERM)
        done = job.wait(60)
    assert done.returncode == 75
    last = " ".join(" ".join(done.stdout.splitlines()[-3:]).split())
    assert "Interrupted." in last
    assert last.endswith(f"--resume {run}")
    assert "crashed" not in set(RunReader(run).trials()["status"])
    assert RunDirectory(run).state == "interrupted"
    assert RunDirectory(run).read_ensemble()["members"]
