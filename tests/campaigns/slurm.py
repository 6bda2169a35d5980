"""What takes minutes on a private Slurm: real time limits and nodes that die.

``pytest -m campaign tests/campaigns/slurm.py`` as root where Slurm is installed; ``-s`` shows what a user sees.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from job_scripts import SLOW, SPREAD, TOGETHER, Submitter, command_of, write_table
from private_slurm import PrivateSlurm, private_slurm

from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]

LAUNCHERS = {"srun": "srun --mpi=pmix", "mpirun": "mpirun --bind-to none"}
LONG = SLOW.replace("--trials 12", "--trials 100000")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("table") / "train.csv")


def processes_of(slurm: PrivateSlurm, node: str) -> list[int]:
    """Everything that runs on a node: its processes, and no others, have its host name."""
    slurmd = (slurm.directory / "run" / f"{node}.pid").read_text().strip()
    name_space = Path(f"/proc/{slurmd}/ns/uts").readlink()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "ns" / "uts").readlink() == name_space:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def kill(processes: list[int]) -> None:
    """Kill processes, some of which may have gone meanwhile."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def has_died(process: int) -> bool:
    """Whether a process has gone, or has only its exit status left."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def ranks_on(slurm: PrivateSlurm, node: str) -> list[int]:
    """The ranks of a job that run on a node."""
    found = []
    for process in processes_of(slurm, node):
        # Trials come and go.
        with suppress(OSError):
            if b"mpi-automl\0fit" in Path(f"/proc/{process}/cmdline").read_bytes():
                found.append(process)
    return found


def dying(slurm: PrivateSlurm, what: str) -> list[int]:
    """The processes to kill."""
    node = what.split()[-1]
    if what.startswith("slurmd"):
        return [int((slurm.directory / "run" / f"{node}.pid").read_text())]
    if what.startswith("rank"):
        return ranks_on(slurm, node)
    return processes_of(slurm, node)


# The batch script runs on n1.
@pytest.mark.parametrize("what", ["node n1", "node n2", "rank on n2", "slurmd of n2"])
def test_a_job_goes_on_with_another_leg_after(tmp_path, table, what):
    with private_slurm(nodes=3, configuration="SlurmdTimeout=10") as slurm:
        submit = Submitter(slurm, tmp_path, table)
        # Without its slurmd a node goes on for as long as Slurm has not noticed.
        total, options = ("120s", LONG) if what.startswith("slurmd") else ("600s", SLOW)
        job = submit("until_done.sbatch", "job", *SPREAD, OPTIONS=options, TOTAL=total)
        job.wait_for_trials(0)
        killed, of_first_leg = dying(slurm, what), ranks_on(slurm, "n2")
        assert killed and of_first_leg
        kill(killed)
        facts = job.wait(400)
        assert (facts["JobState"], facts["Restarts"]) == ("COMPLETED", "1")
        assert {key.leg for key in RunReader(job.run).keys} == {0, 1}
        assert RunDirectory(job.run).state == "finished"
        assert "crashed" not in set(RunReader(job.run).trials()["status"])
        if what != "rank on n2":
            assert what.split()[-1] not in {rank["host"] for rank in RunDirectory(job.run).read_ensemble()["ranks"]}
            assert all(map(has_died, of_first_leg))


def test_real_time_limits_cut_runs_into_legs(slurm, tmp_path, table):
    submit = Submitter(slurm, tmp_path, table)
    limit = ("--time=3", "--signal=B:USR1@60")
    jobs = [
        submit("until_done.sbatch", name, *SPREAD, *limit, OPTIONS=LONG, TOTAL="260s", LAUNCHER=launcher)
        for name, launcher in LAUNCHERS.items()
    ]
    for job in jobs:
        facts = job.wait(500)
        assert facts["JobState"] == "COMPLETED"
        legs = {key.leg for key in RunReader(job.run).keys}
        assert len(legs) == int(facts["Restarts"]) + 1 >= 3
        assert RunDirectory(job.run).state == "finished"


@pytest.mark.parametrize(("mpi", "launcher"), [("openmpi5", "srun --mpi=pmix"), ("mpich", "srun --mpi=pmi2")])
def test_other_mpis_start_by_srun(slurm, tmp_path, table, mpi, launcher):
    submit = Submitter(slurm, tmp_path, table)
    path = f"{command_of(mpi, tmp_path)}:{submit.slurm_path}"
    job = submit("one_node.sbatch", "job", *TOGETHER, PATH=path, LAUNCHER=launcher)
    assert job.wait()["JobState"] == "COMPLETED"
    assert {key.rank for key in RunReader(job.run).keys} == {0, 1}
