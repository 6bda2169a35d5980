"""Every script in jobs/slurm/ runs to its end on a private Slurm of two nodes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from job_scripts import ALONE, SLOW, SPREAD, TOGETHER, Job, Submitter, write_table
from private_slurm import PrivateSlurm

from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory

pytestmark = pytest.mark.timeout(600)

# Jobs to which something happens do not wait for others, also when they are queued again.
FIRST = "--nice=-1000"
STUDY = """
[study]
ranks = 1
time = "150s"
seeds = 2
metrics = ["accuracy"]

[[tables]]
files = "{table}"
target = "y"

[variants.tree]
trials = 1
include = ["classifier:decision_tree"]
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("table") / "train.csv")


@pytest.fixture(scope="module")
def submit(slurm: PrivateSlurm, tmp_path_factory: pytest.TempPathFactory, table: Path) -> Submitter:
    return Submitter(slurm, tmp_path_factory.mktemp("jobs"), table)


@pytest.fixture(scope="module")
def jobs(submit: Submitter, table: Path) -> dict[str, Job]:
    """All jobs, submitted at once; Slurm has them wait for their turn."""
    disks = [submit.directory / name for name in ("disk", "disks")]
    for disk in disks:
        disk.mkdir()
    study = submit.directory / "study.toml"
    study.write_text(STUDY.format(table=table))
    slow = {"OPTIONS": SLOW, "TOTAL": "600s"}
    mpirun = "mpirun --bind-to none"
    return {
        "requeued": submit(
            "until_done.sbatch", "requeued", *SPREAD, FIRST, OPTIONS=SLOW, TOTAL="600s", LAUNCHER=mpirun
        ),
        "signalled": submit("one_node.sbatch", "signalled", *TOGETHER, FIRST, OPTIONS=SLOW),
        "cancelled": submit("until_done.sbatch", "cancelled", *SPREAD, FIRST, **slow),
        "mpirun": submit("one_node.sbatch", "mpirun", *TOGETHER, LAUNCHER=mpirun, STAGE=str(disks[0])),
        "study": submit("study.sbatch", "study", *SPREAD, STUDY=str(study), OPTIONS=""),
        "nodes": submit("many_nodes.sbatch", "nodes", *SPREAD, STAGE=str(disks[1])),
        "array": submit("array.sbatch", "array", *ALONE, "--array=0-2", SEEDS="4 7", TABLES=str(table)),
    }


@pytest.fixture(scope="module")
def events(jobs: dict[str, Job], submit: Submitter) -> Iterator[dict[str, Future[Any]]]:
    """What happens to some of the jobs, each in a thread of its own: no job waits for another one's test."""
    with ThreadPoolExecutor() as threads:
        yield {
            "requeued": threads.submit(cut_twice, jobs["requeued"]),
            "signalled": threads.submit(signal_and_go_on, jobs["signalled"], submit),
            "cancelled": threads.submit(cancel, jobs["cancelled"]),
        }


def cut_twice(job: Job) -> None:
    for leg in (0, 1):
        job.wait_for_trials(leg)
        job.slurm.run("scancel", "--batch", "--signal=USR1", str(job.number))


def signal_and_go_on(job: Job, submit: Submitter) -> Job:
    job.wait_for_trials(0)
    job.slurm.run("scancel", "--signal=USR1", str(job.number))
    facts = job.wait()
    assert (facts["JobState"], facts["ExitCode"]) == ("FAILED", "75:0")
    assert RunDirectory(job.run).state == "interrupted"
    assert RunDirectory(job.run).read_ensemble()["members"]
    # Slurm signals every process of the job, trials and their server too.
    assert "crashed" not in set(RunReader(job.run).trials()["status"])
    more = f"{SLOW} --trials 1 --resume auto"
    return submit("one_node.sbatch", "again", *TOGETHER, OUT=str(job.run), OPTIONS=more)


def cancel(job: Job) -> None:
    job.wait_for_trials(0)
    job.slurm.run("scancel", str(job.number))


def hosts_of(run: Path) -> list[str]:
    """The host of each rank of a run's last leg."""
    return [rank["host"] for rank in RunDirectory(run).read_ensemble()["ranks"]]


def test_a_job_that_is_cut_twice_ends_with_one_result_of_all_legs(jobs, events):
    events["requeued"].result()
    job = jobs["requeued"]
    facts = job.wait()
    assert (facts["JobState"], facts["Restarts"]) == ("COMPLETED", "2")
    assert job.text.count("ended with status 75") == 2
    assert "leg 3 ended with status 0" in job.text
    assert {key.leg for key in RunReader(job.run).keys} == {0, 1, 2}
    assert "crashed" not in set(RunReader(job.run).trials()["status"])
    assert RunDirectory(job.run).state == "finished"


def test_usr1_reaches_the_ranks_of_srun_and_the_run_can_go_on(jobs, events):
    again = events["signalled"].result()
    assert again.wait()["JobState"] == "COMPLETED"
    assert "+ srun --mpi=pmix " in again.text
    assert {key.leg for key in RunReader(jobs["signalled"].run).keys} == {0, 1}
    assert RunDirectory(jobs["signalled"].run).state == "finished"


def test_a_cancelled_job_is_not_queued_again(jobs, events):
    events["cancelled"].result()
    job = jobs["cancelled"]
    facts = job.wait()
    assert (facts["JobState"], facts["Restarts"]) == ("CANCELLED", "0")
    assert "scontrol requeue" not in job.text


def test_one_node_by_mpirun_with_the_table_on_its_own_disk(jobs, submit):
    job = jobs["mpirun"]
    assert job.wait()["JobState"] == "COMPLETED"
    assert {key.rank for key in RunReader(job.run).keys} == {0, 1}
    assert len(set(hosts_of(job.run))) == 1
    assert f"+ mpirun --bind-to none mpi-automl fit {submit.directory}/disk/train.csv" in job.text


def test_many_nodes_with_the_table_on_their_own_disks(jobs, submit):
    job = jobs["nodes"]
    assert job.wait()["JobState"] == "COMPLETED"
    assert sorted(hosts_of(job.run)) == ["n1", "n2"]
    assert f"mpi-automl fit {submit.directory}/disks/train.csv" in job.text


def test_a_study_is_done_in_groups_and_collected(jobs):
    job = jobs["study"]
    assert job.wait()["JobState"] == "COMPLETED"
    assert "+ mpi-automl study collect" in job.text
    rows = pd.read_csv(job.run / "results.csv")
    assert (list(rows["state"]), sorted(rows["seed"])) == (["finished"] * 2, [1, 2])


def test_an_array_runs_every_seed_and_refuses_numbers_beyond(jobs):
    job = jobs["array"]
    deadline = time.monotonic() + 200
    while (states := job.states()).keys() != {"0", "1", "2"} or not set(states.values()) <= {"COMPLETED", "FAILED"}:
        assert time.monotonic() < deadline, f"{states}\n{job.text}"
        time.sleep(0.3)
    print(job.text)
    assert states == {"0": "COMPLETED", "1": "COMPLETED", "2": "FAILED"}
    assert "set --array=0-1" in job.text
    for seed in (4, 7):
        run = RunDirectory(job.run / f"train-seed-{seed}")
        assert (run.state, run.read_config()["seed"]) == ("finished", seed)
