"""A study without a launcher: ranks are started for it, and again when one of them dies, until no run is left."""

import os
import signal
import time

import pandas as pd
import pytest
from small_study import write_tables

from mpi_automl.study.directory import State, StudyDirectory

pytestmark = pytest.mark.campaign

STUDY = """
[study]
ranks = {ranks}
time = "200s"
seeds = 2
metrics = ["accuracy"]

[settings]
trials = 2
trial_time = "30s"
include = ["classifier:decision_tree"]

[[tables]]
files = "tables/classes.csv"
target = "y"

[variants.all]
share = "history"

[variants.forest]
system = "random_forest"
options = {{n_estimators = 20}}
"""
WORDS = ("python", "-m", "mpi_automl", "study")


@pytest.fixture(params=[1, 2])
def place(request, tmp_path):
    """A directory with tables and a study of so many ranks for each run."""
    write_tables(tmp_path / "tables")
    (tmp_path / "study.toml").write_text(STUDY.format(ranks=request.param))
    return tmp_path


def table_of(launch, place):
    done = launch(None, *WORDS, "collect", place / "study.toml")
    assert done.returncode == 0, done.stderr
    return pd.read_parquet(place / "study" / "results.parquet")


def test_all_runs_are_done_one_after_the_other(launch, place):
    done = launch(None, *WORDS, "run", place / "study.toml", timeout=400)
    assert done.returncode == 0 and not done.survivors, done.stdout + done.stderr
    table = table_of(launch, place)
    assert list(table["state"]) == ["finished"] * 4 and table["score"].notna().all()
    spans = sorted(zip(table["started"], table["ended"], strict=True))
    assert all(first[1] <= second[0] for first, second in zip(spans, spans[1:], strict=False))


def test_a_rank_that_dies_costs_its_run_another_attempt_and_nothing_else(launch, place):
    with launch.start(None, *WORDS, "run", place / "study.toml") as job:
        limit = time.monotonic() + 200
        while not (begun := list((place / "study" / "runs").glob("*/attempt-0/job/config.toml"))):
            assert job.process.poll() is None and time.monotonic() < limit, job.output()
            time.sleep(0.05)
        ranks = [pid for pid, command in job.processes().items() if "study run" in command and "mpirun" not in command]
        # The last one started is a rank, or, where a run has one rank only, the study itself.
        os.kill(max(ranks), signal.SIGKILL)
        done = job.wait(300)
    if done.returncode != 0:
        resumed = launch(None, *WORDS, "resume", place / "study.toml", timeout=400)
        assert resumed.returncode == 0, resumed.stderr
    directory = StudyDirectory.existing(place / "study")
    states = directory.states(directory.read_plan().runs)
    assert {state.state for state in states} == {State.FINISHED}
    assert {state.run.id: state.attempts for state in states if state.attempts > 1} == {begun[0].parts[-4]: 2}
    assert len(table_of(launch, place)) == 4
