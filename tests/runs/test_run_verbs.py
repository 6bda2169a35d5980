"""Verbs on a finished run: all trials, other predictions, exports, refits, importance."""

import json
import os
import shutil
import subprocess
import sys
from io import StringIO

import numpy as np
import pandas as pd
import pytest
import skops.io
from launching import CHECKOUT, is_required
from sklearn.datasets import load_breast_cancer

from mpi_automl.ensemble.combination import Calibrated, combine
from mpi_automl.ensemble.model import EnsembleModel
from mpi_automl.ensemble.saved_pipelines import trusted_types
from mpi_automl.runs.run import Run
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.trial import Origin


@pytest.fixture(scope="module")
def verb(launch):
    def run(*words, ranks=None):
        return launch(ranks, "python", "-m", "mpi_automl", *words, timeout=120)

    return run


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    data = load_breast_cancer(as_frame=True)
    frame = data.data.assign(target=data.target_names[data.target])
    path = tmp_path_factory.mktemp("table") / "cancer.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def own_run(finished_run, tmp_path):
    shutil.copytree(finished_run, tmp_path / "run")
    return tmp_path / "run"


def test_the_leaderboard_has_every_trial(verb, finished_run, tmp_path):
    out = tmp_path / "all.csv"
    done = verb("leaderboard", finished_run, "--csv", out)
    assert done.returncode == 0, done.stderr
    written = pd.read_csv(out)
    reader = RunReader(finished_run)
    assert set(written["key"]) == {str(key) for key in reader.keys}
    assert written["ensemble_weight"].sum() == pytest.approx(1.0)
    ranked = written.dropna(subset="rank")
    assert ranked["cost"].is_monotonic_increasing
    assert len(ranked) == Run(finished_run).is_full.sum()
    assert "dummy" not in set(ranked["origin"])


def test_the_leaderboard_is_sorted_and_filtered(verb, finished_run):
    done = verb("leaderboard", finished_run, "--status", "success", "--sort=-duration", "--csv", "-")
    lines = pd.read_csv(StringIO(done.stdout))
    assert set(lines["status"]) == {"success"}
    assert lines["duration"].is_monotonic_decreasing
    assert "trials" in verb("leaderboard", finished_run, "--members", "--top", "3").stdout
    wrong = verb("leaderboard", finished_run, "--sort", "durations")
    assert wrong.returncode == 2
    assert "did you mean duration" in wrong.stderr


def test_rows_dealt_over_ranks_are_predicted_as_by_one(verb, finished_run, table, tmp_path):
    alone = verb("predict", finished_run, table, "--proba", "--out", tmp_path / "alone.csv")
    together = verb("predict", finished_run, table, "--proba", "--out", tmp_path / "together.csv", ranks=3)
    assert (alone.returncode, together.returncode) == (0, 0), alone.stderr + together.stderr
    first, second = (pd.read_csv(tmp_path / name) for name in ("alone.csv", "together.csv"))
    assert len(first) == 569
    pd.testing.assert_frame_equal(first, second, rtol=1e-6)


def test_an_exported_ensemble_predicts_raw_tables(verb, finished_run, table, tmp_path):
    done = verb("export", finished_run, "--ensemble", tmp_path / "all.skops")
    assert done.returncode == 0, done.stderr
    pipeline = skops.io.load(tmp_path / "all.skops", trusted=trusted_types())
    model, frame = EnsembleModel.load(finished_run / "model"), pd.read_csv(table)
    np.testing.assert_allclose(pipeline.predict_proba(frame), model.predict_proba(frame), atol=1e-5)
    assert list(pipeline.classes_) == ["benign", "malignant"]
    assert (pipeline.predict(frame) == model.predict(frame)).mean() > 0.99


def test_an_exported_member_needs_no_schema(verb, finished_run, table, tmp_path):
    model = EnsembleModel.load(finished_run / "model")
    key, out = next(iter(model.weights)), tmp_path / "member.skops"
    done = verb("export", finished_run, "--member", str(key), "--out", out, "--encoded")
    assert done.returncode == 0, done.stderr
    loaded = skops.io.load(out, trusted=trusted_types())
    encoded = model.schema.encode(pd.read_csv(table))
    np.testing.assert_allclose(loaded.predict_proba(encoded), model.member_predictions(key, encoded), atol=1e-5)
    wrong = verb("export", finished_run, "--member", "9-9-9", "--out", out)
    assert wrong.returncode == 2
    assert "is not a member" in wrong.stderr


def test_smac_reads_the_exported_history(verb, finished_run, tmp_path):
    from smac.runhistory.runhistory import RunHistory
    from smac.scenario import Scenario

    out = tmp_path / "smac"
    done = verb("export", finished_run, "--smac", out)
    assert done.returncode == 0, done.stderr
    scenario = Scenario.load(out)
    history = RunHistory()
    history.load(out / "runhistory.json", scenario.configspace)
    records = RunReader(finished_run).records
    usable = records[(records["origin"] != Origin.DUMMY) & np.isfinite(records["cost"])]
    assert 0 < len(history) <= len(records)
    assert min(value.cost for value in history.values()) == usable["cost"].min()
    intensifier = json.loads((out / "intensifier.json").read_text())
    assert len(intensifier["incumbent_ids"]) == 1
    again = verb("export", finished_run, "--smac", out)
    assert again.returncode == 2


def test_deepcave_opens_the_exported_history(verb, finished_run, tmp_path):
    python = CHECKOUT / ".venv-deepcave" / "bin" / "python"
    if not python.exists():
        reason = "DeepCAVE is not installed (bash tests/run.sh installs it)"
        (pytest.fail if is_required("deepcave") else pytest.skip)(reason)
    out = tmp_path / "smac"
    assert verb("export", finished_run, "--smac", out).returncode == 0
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from deepcave.runs.converters.smac3v2 import SMAC3v2Run\n"
        "run = SMAC3v2Run.from_path(Path(sys.argv[1]))\n"
        "cost = run.get_objective('cost')\n"
        "best, value = run.get_incumbent(cost)\n"
        "encoded = run.get_encoded_data(cost)\n"
        "print(json.dumps([len(run.history), len(run.configspace), value, len(dict(best)), len(encoded)]))\n"
    )
    done = subprocess.run([python, "-c", program, out], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    trials, hyperparameters, best, chosen, encoded = json.loads(done.stdout.splitlines()[-1])
    reader = RunReader(finished_run)
    usable = reader.records[(reader.records["origin"] != Origin.DUMMY) & np.isfinite(reader.records["cost"])]
    assert 0 < encoded <= trials <= len(reader)
    assert hyperparameters == reader.vectors.shape[1] >= chosen > 0
    assert best == pytest.approx(usable["cost"].min())


def test_members_are_fitted_anew_on_two_ranks(verb, own_run, table):
    before = EnsembleModel.load(own_run / "model").weights
    done = verb("refit", own_run, "--time", "60", ranks=2)
    assert done.returncode == 0, done.stderr
    model = EnsembleModel.load(own_run / "model")
    assert model.weights == before
    kept = done.stdout.count("keeps the models it had")
    assert [file.kind for file in model.files.values()].count("refit") == len(before) - kept > 0
    frame = pd.read_csv(table)
    assert (model.predict(frame) == frame["target"]).mean() > 0.9


def test_an_ensemble_for_ranks_gives_out_probabilities_to_rely_on(verb, own_run, table, tmp_path):
    done = verb("ensemble", own_run, "--metric", "roc_auc", "--select-by", "same")
    assert done.returncode == 0, done.stderr
    run = Run(own_run, "log_loss")
    reader, combination = run.reader, run.model.combination
    best = min(run.costs([key for key in reader.keys if key != run.dummy]))

    def log_loss(combination):
        members = dict(zip(combination.weights, reader.predictions(list(combination.weights)), strict=True))
        return run.metric.cost(reader.truth(), combine(combination, members), run.schema.task_type)

    assert isinstance(combination, Calibrated)
    assert log_loss(combination) < min(1.1 * best, log_loss(combination.combination))
    # What is given out is what was calibrated.
    assert verb("predict", own_run, table, "--proba", "--out", tmp_path / "p.csv").returncode == 0
    given = pd.read_csv(tmp_path / "p.csv").to_numpy()[:, -2:].astype(float)
    np.testing.assert_allclose(given, run.model.predict_proba(pd.read_csv(table)), rtol=1e-6)
    manifest = json.loads((own_run / "model" / "manifest.json").read_text())
    assert manifest["combination"]["calibration"]["temperature"] == combination.scaling.temperature


def evaluated(verb, *words, ranks=None):
    done = verb("evaluate", *words, "--json", ranks=ranks)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_evaluation_is_the_same_on_any_number_of_ranks(verb, finished_run, table, tmp_path):
    frame = pd.read_csv(table).assign(ward=lambda rows: np.where(rows.index < 5, "few", "many"))
    frame.to_csv(tmp_path / "wards.csv", index=False)
    words = [finished_run, tmp_path / "wards.csv", "--by", "ward", "--metrics", "acc_of_none,auc", "--resamples", "200"]
    wrong = verb("evaluate", *words)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1) and "acc_of_none" in wrong.stderr
    words[5] = "accuracy,auc"
    alone, together = evaluated(verb, *words), evaluated(verb, *words, ranks=3)
    for part in ("metrics", "classes", "groups"):
        pd.testing.assert_frame_equal(pd.DataFrame(alone[part]), pd.DataFrame(together[part]), rtol=1e-6)
    accuracy, auc = alone["metrics"]
    right = EnsembleModel.load(finished_run / "model").predict(frame) == frame["target"]
    assert accuracy["value"] == pytest.approx(right.mean())
    assert accuracy["baseline"] == pytest.approx((frame["target"] == "benign").mean())
    assert auc["baseline"] == 0.5 < auc["percentile_low"] < auc["value"]
    assert [group["group"] for group in alone["groups"]] == ["many", "many", "few", "few"]
    assert alone["groups"][2]["rows"] == 5 and alone["groups"][2]["bca_low"] is None
    assert any("fewer than 10 rows" in note and "few" in note for note in alone["notes"])


def test_every_metric_that_fits_is_shown_and_one_class_is_told(verb, finished_run, table, tmp_path):
    shown = verb("evaluate", finished_run, table, "--resamples", "100")
    assert shown.returncode == 0, shown.stderr
    for word in ("95 % bootstrap intervals", "100 resamples, seed 0", "roc_auc", "log_loss", "malignant", "support"):
        assert word in shown.stdout
    frame = pd.read_csv(table)
    frame[frame["target"] == "benign"].head(30).to_csv(tmp_path / "benign.csv", index=False)
    found = evaluated(verb, finished_run, tmp_path / "benign.csv", "--resamples", "0")
    values = {row["metric"]: row["value"] for row in found["metrics"]}
    assert values["roc_auc"] is None and values["accuracy"] > 0.8
    assert "All rows are of class benign." in found["notes"]


@pytest.mark.parametrize(
    ("change", "words", "answer"),
    [
        (lambda frame: frame.assign(target="odd"), (), "labels odd, which are not in the training table"),
        (lambda frame: frame.assign(target=None), (), "missing in 20 of 20 rows; leave these rows out"),
        (lambda frame: frame.drop(columns="target"), (), "no target column target"),
        (lambda frame: frame, ("--by", "mean radios"), "did you mean 'mean radius'?"),
        (lambda frame: frame, ("--level", "95"), "above 0 and below 1"),
        (lambda frame: frame, ("--metrics", "rmse"), "choose one that fits"),
    ],
)
def test_a_table_that_cannot_be_evaluated_is_one_sentence(verb, finished_run, table, tmp_path, change, words, answer):
    change(pd.read_csv(table).head(20)).to_csv(tmp_path / "changed.csv", index=False)
    done = verb("evaluate", finished_run, tmp_path / "changed.csv", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert answer in done.stderr and done.stderr.count("\n") == 1


def test_importance_is_measured_once_and_shown(verb, own_run, table):
    verb("ensemble", own_run, "--size", "2", "--nbest", "2")
    done = verb("importance", own_run, table, "--repeats", "1", ranks=2)
    assert done.returncode == 0, done.stderr
    found = RunDirectory(own_run).read_importance()
    assert len(found["columns"]) == 30
    assert found["columns"][0]["mean"] >= found["columns"][-1]["mean"]
    shown = verb("show", own_run)
    assert "Columns: growth of the ensemble's cost" in shown.stdout
    assert json.loads(verb("show", own_run, "--json").stdout)["importance"] == found


def test_an_ensemble_of_fold_models_predicts_bit_for_bit_in_a_fresh_process(finished_run, table, tmp_path):
    expected = EnsembleModel.load(finished_run / "model").predict_proba(pd.read_csv(table))
    np.save(tmp_path / "expected.npy", expected)
    program = (
        "import sys, numpy as np, pandas as pd\n"
        "from mpi_automl.ensemble.model import EnsembleModel\n"
        "found = EnsembleModel.load(sys.argv[1]).predict_proba(pd.read_csv(sys.argv[2]))\n"
        "assert np.array_equal(found, np.load(sys.argv[3]))\n"
    )
    words = [finished_run / "model", table, tmp_path / "expected.npy"]
    subprocess.run([sys.executable, "-c", program, *words], check=True, env=dict(os.environ))
