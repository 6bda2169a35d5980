"""Jobs on targets far from zero, huge, tiny or of a metric's domain: as good as on plain ones, in the table's units."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from in_process import run_verb
from sklearn.metrics import mean_squared_log_error, r2_score

from mpi_automl.runs.run import Run

N = 240
FAR, PLAIN = 1.7e9, 0.0
SMALL = ("--time", "90", "--trial-time", "20", "--trials", "4", "--include", "regressor:ridge,regressor:decision_tree")


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Run the command in a directory of this module; jobs in a process of their own, other verbs in this one."""
    place = tmp_path_factory.mktemp("jobs")

    def run(*words):
        if words[0] != "fit":
            return run_verb(*words, cwd=place)
        program = [sys.executable, "-m", "mpi_automl", *map(str, words)]
        return subprocess.run(program, cwd=place, capture_output=True, text=True, timeout=300)

    run.place = place
    return run


def table(center, scale, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 3))
    s = X @ [3.0, 2.0, 1.0] + 0.1 * rng.normal(size=N)
    return pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=center + scale * s)


def fitted(command, name, frame, *words):
    frame[:160].to_csv(command.place / f"{name}.csv", index=False)
    frame[160:].to_csv(command.place / f"{name}-test.csv", index=False)
    done = command("fit", f"{name}.csv", "--target", "y", "--test", f"{name}-test.csv", *SMALL, "--out", name, *words)
    assert done.returncode == 0, done.stderr
    return done


def predicted(command, name, frame):
    done = command("predict", name, f"{name}-test.csv", "--out", f"{name}-predicted.csv")
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(command.place / f"{name}-predicted.csv")["y"].to_numpy()
    return found, frame["y"][160:].to_numpy()


@pytest.fixture(scope="module")
def plain(command):
    """What a job reaches where nothing is far."""
    fitted(command, "plain", table(PLAIN, 1.0))
    return json.loads((command.place / "plain" / "ensemble.json").read_text())


@pytest.mark.parametrize(
    ("name", "center", "scale"),
    [("seconds", FAR, 10.0), ("counts", 1e15, 100.0), ("huge", 0.0, 1e200), ("tiny", 5e-9, 1e-9)],
)
def test_r2_does_not_depend_on_the_units_of_the_table(command, plain, name, center, scale):
    frame = table(center, scale)
    fitted(command, name, frame)
    outcome = json.loads((command.place / name / "ensemble.json").read_text())
    assert outcome["value"] == pytest.approx(plain["value"], abs=1e-3)
    assert outcome["test_value"] == pytest.approx(plain["test_value"], abs=1e-3)
    found, truth = predicted(command, name, frame)
    assert 1 - np.var((found - truth) / scale) / np.var((truth - truth[0]) / scale) > 0.99


def test_trees_split_where_the_variance_of_a_target_is_next_to_none(command):
    fitted(command, "trees", table(5e-9, 1e-9), "--include", "regressor:decision_tree")
    assert json.loads((command.place / "trees" / "ensemble.json").read_text())["value"] > 0.5


def test_what_follows_a_job_is_as_good(command):
    name, frame = "followed", table(FAR, 10.0)
    fitted(command, name, frame, "--metric", "rmse", "--extra-metrics", "r2,mape", "--report", "true")
    first = json.loads((command.place / name / "ensemble.json").read_text())
    assert 0.5 < first["value"] < 5.0
    assert first["members"][0]["value"] < 5.0
    scores = Run(command.place / name).reader.trials()
    best = scores.iloc[Run(command.place / name).ranking[0]]
    assert best["score_r2"] > 0.99 and -1e-7 < best["score_mean_absolute_percentage_error"] < 0.0
    metadata = Run(command.place / name).reader.metadata()
    assert metadata["target_center"][0] == pytest.approx(FAR, abs=1e3) and metadata["target_scale"][0] == 32.0
    for words in (
        ("refit", name),
        ("fit", f"{name}.csv", "--resume", name, "--time", "90", "--trials", "6"),
        ("ensemble", name, "--metric", "mae"),
        ("importance", name, f"{name}-test.csv"),
        ("show", name),
        ("leaderboard", name),
    ):
        done = command(*words)
        assert done.returncode == 0, (words, done.stderr)
        found, truth = predicted(command, name, frame)
        assert r2_score(truth, found) > 0.99, words
    importance = json.loads((command.place / name / "importance.json").read_text())["columns"]
    assert importance[0]["column"] == "a" and importance[0]["mean"] > 10.0


def test_a_metric_of_positive_values_finds_more_than_the_baseline(command):
    frame = table(0.0, 1.0)
    frame["y"] = np.maximum(np.round(frame["y"] + 1.0), 0.0)
    fitted(command, "counted", frame, "--metric", "rmsle", "--task", "regression")
    outcome = json.loads((command.place / "counted" / "ensemble.json").read_text())
    assert set(outcome["statuses"]) <= {"success", "pruned"}
    assert not outcome["is_dummy"] and outcome["value"] < 0.6
    found, truth = predicted(command, "counted", frame)
    assert found.min() >= 0.0
    assert mean_squared_log_error(truth, found) ** 0.5 == pytest.approx(outcome["test_value"], rel=0.2)


def test_a_target_that_does_not_fit_the_metric_is_one_sentence_at_the_start(command):
    table(0.0, 1.0).assign(y=lambda frame: frame["y"].abs().where(frame.index != 4, 0.0)).to_csv(
        command.place / "zero.csv", index=False
    )
    done = command("fit", "zero.csv", "--target", "y", *SMALL, "--metric", "mean_gamma_deviance", "--out", "zero")
    assert done.returncode == 2
    assert (
        done.stderr.count("\n") == 1
        and "values above zero" in done.stderr
        and "in row 5 (1 of 240 rows)" in done.stderr
    )
    assert not (command.place / "zero").exists()
