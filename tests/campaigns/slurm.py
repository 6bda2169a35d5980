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
LONG = SLOW.replace("--trials 15", "--trials 100000")


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


# The batch script runs on n1: if that dies, Slurm queues the job again; if another dies, the script does.
@pytest.mark.parametrize("node", ["n1", "n2"])
def test_a_node_dies_and_the_job_goes_on_with_others(tmp_path, table, node):
    with private_slurm(nodes=3, configuration="SlurmdTimeout=10") as slurm:
        submit = Submitter(slurm, tmp_path, table)
        job = submit("until_done.sbatch", "job", *SPREAD, OPTIONS=SLOW, TOTAL="600s")
        job.wait_for_trials(0)
        dying = processes_of(slurm, node)
        assert len(dying) > 2
        kill(dying)
        facts = job.wait(400)
        assert (facts["JobState"], facts["Restarts"]) == ("COMPLETED", "1")
        assert node not in {rank["host"] for rank in RunDirectory(job.run).read_ensemble()["ranks"]}
        assert {key.leg for key in RunReader(job.run).keys} == {0, 1}
        assert RunDirectory(job.run).state == "finished"


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
