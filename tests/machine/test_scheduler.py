"""``--time auto``: what batch systems say, in the forms in which they say it."""

import re
import time

import pytest

from mpi_automl.errors import UserError
from mpi_automl.machine.scheduler import JobEnvironment, clock_seconds
from mpi_automl.settings import Settings

QSTAT = """Job Id: 17.head
    Job_Name = fit
    resources_used.walltime = 00:10:30
    job_state = R
    Resource_List.walltime = 01:00:00
"""


@pytest.fixture
def says(tmp_path, monkeypatch):
    """Plant a command that prints a text."""

    def plant(name, text):
        (tmp_path / "text").write_text(text)
        command = tmp_path / name
        command.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\ncat {tmp_path}/text\n')
        command.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        return tmp_path / "arguments"

    return plant


def seconds_of(environ):
    return JobEnvironment(environ).time_left().end - time.time()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("59:30", 3570),
        ("1:00:00", 3600),
        ("2-03:04:05", 183845),
        ("120", 120),
        ("UNLIMITED", None),
        ("INVALID", None),
        ("", None),
    ],
)
def test_times_as_batch_systems_write_them(text, expected):
    assert clock_seconds(text) == expected


def test_slurm_tells_by_variable_or_by_squeue(says):
    end = int(time.time()) + 500
    assert seconds_of({"SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": str(end)}) == pytest.approx(500, abs=2)
    arguments = says("squeue", "1:10\n")
    assert seconds_of({"SLURM_JOB_ID": "7"}) == pytest.approx(70, abs=2)
    assert arguments.read_text().split() == ["-h", "-j", "7", "-o", "%L"]


def test_pbs_and_torque_tell_by_qstat(says):
    says("qstat", QSTAT)
    assert seconds_of({"PBS_JOBID": "17.head"}) == pytest.approx(2970, abs=2)
    says("qstat", "Job Id: 17\n    Walltime.Remaining = 1234\n")
    assert seconds_of({"PBS_JOBID": "17.head"}) == pytest.approx(1234, abs=2)


def test_lsf_tells_by_bjobs_and_an_estimate_is_no_limit(says):
    says("bjobs", "1:30 L\n")
    assert seconds_of({"LSB_JOBID": "3"}) == pytest.approx(5400, abs=2)
    says("bjobs", "1:30 E\n")
    assert JobEnvironment({"LSB_JOBID": "3"}).time_left() is None


def test_the_own_variable_comes_first():
    found = JobEnvironment({"MPI_AUTOML_TIME_LEFT": "15m", "SLURM_JOB_ID": "7"}).time_left()
    assert (found.end - time.time(), found.source) == (pytest.approx(900, abs=2), "MPI_AUTOML_TIME_LEFT")
    with pytest.raises(UserError, match="MPI_AUTOML_TIME_LEFT is 'soon'"):
        JobEnvironment({"MPI_AUTOML_TIME_LEFT": "soon"}).time_left()


def test_what_is_said_of_a_job_is_read_in_one_place():
    job = JobEnvironment({"SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": "2", "SLURM_CPUS_PER_TASK": "4"})
    assert (job.job_id, job.attempt, job.cores_per_task) == ("7", "2", 4)
    assert job.variables() == ["SLURM_JOB_ID=7", "SLURM_CPUS_PER_TASK=4"]
    assert JobEnvironment({"PBS_JOBID": "17.head"}).job_id == "17.head"
    assert JobEnvironment({"LSB_JOBID": "3"}).job_id == "3"
    outside = JobEnvironment({})
    assert (outside.job_id, outside.attempt, outside.cores_per_task) == ("", "0", None)
    assert (list(outside.memory_limits()), outside.variables(), outside.time_left()) == ([], [], None)


def test_auto_survives_being_written_and_read():
    assert Settings.from_mapping(Settings(time="auto").to_mapping()) == Settings(time="auto")


def test_nothing_told_is_one_sentence_on_all_ranks(launch, tmp_path):
    done = launch(2, "python", "-m", "mpi_automl", "--time", "auto", "--out", tmp_path / "run", timeout=40)
    assert done.returncode == 2
    assert done.stderr.count("--time auto found no Slurm, PBS or LSF job") == 1
    assert not done.survivors


def test_a_slurm_job_takes_its_time_from_slurm(slurm, tmp_path):
    command = f"python -m mpi_automl --time auto --trials 1 --include classifier:gaussian_nb --out {tmp_path}/run"
    job = slurm.submit("--time=2", f"--output={tmp_path}/out", f"--wrap=mpirun --bind-to none -n 1 {command}")
    assert slurm.wait(job, 150)["JobState"] == "COMPLETED", (tmp_path / "out").read_text()
    found = re.search(r"Slurm tells the time left: --time auto is (\d+) s", (tmp_path / "out").read_text())
    assert 60 < int(found[1]) < 120
