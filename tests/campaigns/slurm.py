"""What takes minutes on a private Slurm: real time limits and nodes that die.

``pytest -m campaign tests/campaigns/slurm.py`` as root where Slurm is installed; ``-s`` shows what a user sees.
"""

from __future__ import annotations

import os
import signal
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


def kill_node(slurm: PrivateSlurm, node: str) -> int:
    """Kill everything that runs on a node; the number of processes."""
    slurmd = (slurm.directory / "run" / f"{node}.pid").read_text().strip()
    # A node's processes, and no others, have its host name.
    name_space = Path(f"/proc/{slurmd}/ns/uts").readlink()
    killed = 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "ns" / "uts").readlink() == name_space:
                os.kill(int(entry.name), signal.SIGKILL)
                killed += 1
        except OSError:
            continue
    return killed


def test_a_node_dies_and_the_run_goes_on_with_others(tmp_path, table):
    with private_slurm(nodes=3, configuration="SlurmdTimeout=10") as slurm:
        submit = Submitter(slurm, tmp_path, table)
        job = submit("until_done.sbatch", "job", *SPREAD, OPTIONS=SLOW, TOTAL="600s")
        job.wait_for_trials(0)
        assert kill_node(slurm, "n2") > 2
        # The job fails, or is queued again, whichever of srun and Slurm notices first.
        print(job.wait(300))
        again = submit("until_done.sbatch", "again", *SPREAD, OPTIONS=SLOW, TOTAL="600s", OUT=str(job.run))
        assert again.wait(300)["JobState"] == "COMPLETED"
        assert {key.leg for key in RunReader(job.run).keys} == {0, 1}


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
