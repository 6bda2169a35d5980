"""Other systems: their programs are watched over, the contract is kept, and the baselines that ship keep to it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_study import STUDY
from threadpoolctl import threadpool_limits

from mpi_automl.data.load import make_task
from mpi_automl.data.prepare import prepare
from mpi_automl.errors import UserError
from mpi_automl.study import baseline
from mpi_automl.study.external_systems import AdapterFiles, read_predictions, run_external_system
from mpi_automl.study.process_launcher import ProcessLauncher, Program
from mpi_automl.study.splits import outer_parts


@pytest.fixture(scope="module")
def starter():
    with ProcessLauncher() as made:
        yield made


def program(tmp_path, *command, seconds=30.0, cores=()):
    return Program(command, str(tmp_path), str(tmp_path / "output"), seconds, 3, cores)


def test_a_program_runs_on_its_cores_and_its_output_is_kept(starter, tmp_path):
    core = min(os.sched_getaffinity(0))
    words = "import os; print(os.environ['OMP_NUM_THREADS'], os.sched_getaffinity(0), os.getcwd())"
    ended = starter.run(program(tmp_path, sys.executable, "-c", words, cores=(core,)))
    assert (ended.status, ended.was_killed, ended.error) == (0, False, "")
    assert (tmp_path / "output").read_text() == f"3 {{{core}}} {tmp_path}\n"
    assert ended.cpu_seconds > 0 and ended.memory_peak > 1
    assert starter.run(program(tmp_path, "sh", "-c", "exit 7")).status == 7
    assert "No such file" in starter.run(program(tmp_path, "/no/such/program")).error


def test_a_program_that_takes_too_long_goes_with_all_that_it_started(starter, tmp_path):
    words = "trap '' TERM; (setsid sleep 300 & echo $! > pid); sleep 300"
    ended = starter.run(program(tmp_path, "sh", "-c", words, seconds=0.5))
    assert ended.was_killed and ended.status < 0
    left = int((tmp_path / "pid").read_text())
    assert not Path(f"/proc/{left}").exists()


def test_a_signal_to_the_job_ends_the_program(starter, tmp_path):
    started = time.monotonic()
    ended = starter.run(program(tmp_path, "sleep", "300"), must_stop=lambda: time.monotonic() > started + 0.3)
    assert ended.was_killed and ended.seconds < 60


def test_the_program_goes_when_the_rank_goes(tmp_path):
    words = (
        "import sys, threading, os; from mpi_automl.study.process_launcher import *; s = ProcessLauncher();"
        "threading.Timer(1.0, lambda: os._exit(0)).start();"
        "s.run(Program(('sh', '-c', 'echo $$ > pid; exec sleep 300'), sys.argv[1], sys.argv[1] + '/o', 300, 1, ()))"
    )
    subprocess.run([sys.executable, "-c", words, str(tmp_path)], check=True, timeout=60)
    pid = int((tmp_path / "pid").read_text())
    limit = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < limit:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


ADAPTER = """#!{python}
import json, sys, pandas as pd
job = json.load(open(sys.argv[-1]))
train, test = pd.read_csv(job["train"]), pd.read_csv(job["test"])
assert job["target"][0] in train and job["target"][0] not in test
print(sys.argv[1], job["options"])
{action}
"""


@pytest.fixture
def run_adapter(place, plan_of, starter):
    """PlannedRun an adapter that does something on one of the tables."""

    def run(action, table="classes"):
        path = place / "adapter.py"
        path.write_text(ADAPTER.format(python=sys.executable, action=action))
        path.chmod(0o755)
        plan = plan_of(STUDY + '[variants.mine]\nsystem = "./adapter.py --fast"\noptions = {depth = 3}\n')
        (chosen,) = [r for r in plan.runs if r.variant.system and r.table.name == table and r.seed == 1]
        parts = outer_parts(chosen.table, chosen.split, chosen.fold, place / "splits")
        task = prepare(parts.train, chosen.settings, name=table, test=parts.test)
        where = AdapterFiles(place / f"system-{time.monotonic_ns()}")
        return run_external_system(chosen, parts, task, where, starter, frozenset(), lambda: False), where, task

    return run


def test_an_adapter_gets_the_job_and_its_predictions_are_read(run_adapter):
    action = "pd.DataFrame({'yes': [0.25] * len(test), 'no': [0.5] * len(test)}).to_csv(job['predictions'])"
    (predictions, ended), where, task = run_adapter(action)
    assert list(task.schema.classes) == ["no", "yes"]
    np.testing.assert_allclose(predictions, np.tile([2 / 3, 1 / 3], (30, 1)))
    job = json.loads(where.job.read_text())
    assert job["classes"] == ["no", "yes"] and job["categorical"] == ["colour"] and job["task"] == "binary"
    assert (job["seconds"], job["cores"], job["metric"], job["seed"]) == (12.0, 2, "accuracy", 1)
    assert where.output.read_text() == "--fast {'depth': 3}\n"


def test_an_adapter_that_fails_is_quoted(run_adapter):
    with pytest.raises(UserError, match=r"(?s)ended with status 1 .*output.log.*no licence"):
        run_adapter("sys.exit('no licence')")


@pytest.fixture(scope="module")
def schema():
    labels = np.array(["yes", "no"] * 5)
    return make_task(np.arange(20.0).reshape(10, 2), pd.Series(labels, name="y")).schema


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (None, "wrote no predictions that can be read"),
        ("no,yes\n1,0\n", "wrote 1 rows of predictions; the test table has 2"),
        ("a\n1\n2\n", "have no column no; they have a"),
        ("y\nyes\nperhaps\n", "'perhaps', which is not among no, yes"),
        ("no,yes\n1,0\n1,x\n", "are not all numbers"),
        ("no,yes\n1,0\n1,inf\n", "are not all finite"),
        ("no,yes\n1,0\n1,-1\n", "are negative, or zero"),
    ],
)
def test_what_does_not_fit_the_contract_is_told(tmp_path, schema, written, message):
    path = tmp_path / "predictions.csv"
    if written is not None:
        path.write_text(written)
    with pytest.raises(UserError, match=message):
        read_predictions(path, schema, 2)


def test_labels_alone_will_do(tmp_path, schema):
    (tmp_path / "p.csv").write_text("y\nyes\nno\n")
    np.testing.assert_array_equal(read_predictions(tmp_path / "p.csv", schema, 2), [[0.0, 1.0], [1.0, 0.0]])


def write_job(tmp_path, task, classes, **more):
    """A job with numbers, categories, missing values and a label that looks like one."""
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"size": rng.normal(size=120), "weight": rng.normal(size=120)})
    X["kind"] = np.array(["a", "b", "NA"])[rng.integers(3, size=120)]
    X.loc[::7, "size"] = np.nan
    signal = X["size"].fillna(0) + (X["kind"] == "a")
    targets = {"y": signal}
    if classes:
        targets = {"y": np.array(classes)[np.digitize(signal, np.quantile(signal, [0.4, 0.8][: len(classes) - 1]))]}
    if task in ("multilabel", "multioutput"):
        targets = {"y": (signal > 0).astype(int), "z": (X["weight"] > 0).astype(int)}
    train = X.assign(**targets)[:80]
    train.to_csv(tmp_path / "train.csv", index=False)
    X[80:].to_csv(tmp_path / "test.csv", index=False)
    job = {
        **{part: str(tmp_path / f"{part}.csv") for part in ("train", "test", "predictions")},
        "target": list(targets), "task": task, "classes": classes, "categorical": ["kind"], "text": [], "metric": "x",
        "seconds": 60.0, "cores": 1, "memory": 1000.0, "seed": 1, "options": {}, **more,
    }  # fmt: skip
    (tmp_path / "job.json").write_text(json.dumps(job))
    return pd.DataFrame(targets)[80:].reset_index(drop=True)


@pytest.mark.parametrize("kind", ["random_forest", "hist_gradient_boosting", "logistic_regression"])
@pytest.mark.parametrize(
    ("task", "classes"),
    [("binary", ["NA", "yes"]), ("multiclass", ["1", "2", "3"]), ("regression", []), ("multilabel", [])],
)
def test_the_baselines_learn_every_kind_of_target(tmp_path, kind, task, classes):
    options = {"random_forest": {"n_estimators": 60}, "hist_gradient_boosting": {"max_iter": 20}}.get(kind, {})
    truth = write_job(tmp_path, task, classes, options=options)
    # More threads than idle cores would wait for each other.
    with threadpool_limits(1):
        assert baseline.main([kind, str(tmp_path / "job.json")]) == 0
    predicted = pd.read_csv(tmp_path / "predictions.csv", keep_default_na=False)
    assert list(predicted) == (classes or list(truth))
    if classes:
        found = predicted.idxmax(axis=1)
        assert (found == truth["y"]).mean() > truth["y"].value_counts(normalize=True).max()
    elif task == "multilabel":
        assert ((predicted["y"] > 0.5) == truth["y"]).mean() > 0.7
    else:
        assert np.corrcoef(predicted["y"], truth["y"])[0, 1] > 0.5


def test_a_forest_gets_no_trees_beyond_its_time(tmp_path):
    write_job(tmp_path, "binary", ["no", "yes"], seconds=0.0)
    job = json.loads((tmp_path / "job.json").read_text())
    train = baseline.read(job, "train")
    X, y = train.drop(columns="y"), train["y"]
    model = baseline.build("random_forest", job, X)
    baseline.fit_in_stages(model, X, y, 100_000, time.monotonic())
    assert model[-1].n_estimators == 50


def test_predictions_of_classes_that_look_like_numbers(tmp_path):
    task = make_task(np.arange(12.0).reshape(6, 2), np.array([1, 2, 3, 1, 2, 3]))
    (tmp_path / "p.csv").write_text("3,1,2\n0.2,0.5,0.3\n")
    np.testing.assert_allclose(read_predictions(tmp_path / "p.csv", task.schema, 1), [[0.5, 0.3, 0.2]])
