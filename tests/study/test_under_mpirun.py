"""A study in one MPI job: groups of ranks, a failed run, a rank that dies, going on, and one table at the end."""

import json
import os
import signal
import sys
import time

import pandas as pd
import pytest

from mpi_automl.study.directory import State, StudyDirectory

pytestmark = pytest.mark.campaign

STUDY = """
[study]
ranks = 2
time = "200s"
metrics = ["accuracy", "r2", "log_loss"]

[settings]
trials = 2
trial_time = "30s"

[[tables]]
files = "tables/*.csv"
target = "y"

[variants.other]
system = "./adapter.py"
time = "210s"

[variants.all]
share = "history"

[variants.nothing]
share = "none"
"""

ADAPTER = f"""#!{sys.executable}
import json, pathlib, sys
import pandas as pd
job = json.load(open(sys.argv[1]))
if not (pathlib.Path(__file__).parent / "licence").exists():
    sys.exit("there is no licence")
rows = len(pd.read_csv(job["test"]))
names = job["classes"] or job["target"]
pd.DataFrame({{name: [1.0 / len(names)] * rows for name in names}}).to_csv(job["predictions"], index=False)
"""


def ranks_of(job):
    return [pid for pid, command in job.processes().items() if "-m mpi_automl " in command and "mpirun" not in command]


def wait_for(condition, job, seconds=240):
    limit = time.monotonic() + seconds
    while not condition():
        assert job.process.poll() is None, job.output()
        if time.monotonic() > limit:
            pytest.fail(f"nothing happened within {seconds} s: {job.output()}")
        time.sleep(0.05)


@pytest.fixture(scope="module")
def study(launch, tmp_path_factory):
    """The study after a rank died, and after it was gone on with."""
    place = tmp_path_factory.mktemp("study")
    from small_study import write_tables

    write_tables(place / "tables")
    (place / "study.toml").write_text(STUDY)
    (place / "adapter.py").write_text(ADAPTER)
    (place / "adapter.py").chmod(0o755)
    words = ["python", "-m", "mpi_automl", "study"]
    runs = place / "study" / "runs"

    def is_under_way():
        failed = [path for path in runs.glob("*/result.json") if '"failed"' in path.read_text()]
        return len(failed) == 2 and any(runs.glob("*/attempt-0/job/config.toml"))

    with launch.start(4, *words, "run", place / "study.toml") as job:
        wait_for(is_under_way, job)
        os.kill(ranks_of(job)[-1], signal.SIGKILL)
        died = job.wait(40)
    directory = StudyDirectory.existing(place / "study")
    before = directory.states(directory.read_plan().runs)
    status = launch(None, *words, "status", place / "study")
    (place / "licence").touch()
    resumed = launch(4, *words, "resume", place / "study.toml", timeout=400)
    return {"place": place, "died": died, "before": before, "status": status, "resumed": resumed}


def test_a_dead_rank_ends_the_job_and_what_it_was_at_is_seen(study):
    assert study["died"].returncode != 0 and not study["died"].survivors
    states = {state.state for state in study["before"]}
    assert State.HALF_WRITTEN in states and State.RUNNING not in states
    failed = [state for state in study["before"] if state.state is State.FAILED]
    assert {state.run.variant.name for state in failed} == {"other"}
    assert all("there is no licence" in state.remark for state in failed)
    assert study["status"].returncode == 0
    assert "half-written: " in study["status"].stdout and "there is no licence" in study["status"].stdout


def test_going_on_does_what_is_missing_or_failed_and_nothing_else(study):
    assert study["resumed"].returncode == 0, study["resumed"].stderr
    directory = StudyDirectory.existing(study["place"] / "study")
    after = directory.states(directory.read_plan().runs)
    assert {state.state for state in after} == {State.FINISHED}
    for before, now in zip(study["before"], after, strict=True):
        was_begun = before.state in (State.HALF_WRITTEN, State.FAILED)
        assert now.attempts == (2 if was_begun else 1)
    assert study["resumed"].stdout.count("this job has done") >= 1


def test_all_groups_took_part_and_no_run_was_done_twice(study):
    directory = StudyDirectory.existing(study["place"] / "study")
    accounts = list(directory.read_groups())
    last = max(account["job"] for account in accounts)
    groups = [account for account in accounts if account["job"] == last]
    assert {account["group"] for account in groups} == {0, 1} and all(account["ranks"] == 2 for account in groups)
    done = [run["id"] for account in groups for run in account["runs"]]
    assert len(done) == len(set(done))
    for account in groups:
        ends = [(run["began"], run["ended"]) for run in account["runs"]]
        assert all(first[1] <= second[0] for first, second in zip(ends, ends[1:], strict=False))


def test_one_row_for_each_run(study, launch):
    place = study["place"] / "study"
    done = launch(None, "python", "-m", "mpi_automl", "study", "collect", place)
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(place / "results.parquet")
    assert len(table) == 6 and table["id"].is_unique and set(table["state"]) == {"finished"}
    own = table[table["by"] == "mpi_automl"]
    assert (own["trials"] == 4).all() and own["utilisation"].between(0, 1).all()
    assert table["score"].notna().all() and table["test_rows"].eq(30).all()
    classes, numbers = table[table["table"] == "classes"], table[table["table"] == "numbers"]
    assert set(classes["metric"]) == {"accuracy"} and set(numbers["metric"]) == {"r2"}
    assert classes["score_log_loss"].notna().all() and numbers["score_log_loss"].isna().all()
    for row in own.itertuples():
        assert len(row.curve_seconds) == len(row.curve_validation) == len(row.curve_test) >= 1
        assert (row.curve_seconds >= 0).all()
    assert {"version_numpy", "version_mpi", "table_hash", "settings_hash", "hosts"} <= set(table)
    csv = pd.read_csv(place / "results.csv")
    assert json.loads(csv["curve_seconds"][csv["by"] == "mpi_automl"].iloc[0])


def test_what_is_finished_is_left_alone(study, launch):
    done = launch(None, "python", "-m", "mpi_automl", "study", "run", study["place"] / "study.toml", timeout=100)
    assert done.returncode == 0, done.stderr
    assert "6 finished" in done.stdout and "this job has done" not in done.stdout


def test_too_few_ranks_and_unknown_places(study, launch):
    words = ["python", "-m", "mpi_automl", "study"]
    few = launch(1, *words, "run", study["place"] / "study.toml")
    assert few.returncode == 2 and "takes 2 ranks and this job has 1" in few.stderr
    nowhere = launch(None, *words, "status", study["place"])
    assert nowhere.returncode == 2 and "is not the directory of a study" in nowhere.stderr
