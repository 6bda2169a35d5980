"""What a user does with the estimators: tables, errors, pickles, and a look at the run."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import log_loss, r2_score
from sklearn.model_selection import train_test_split

from mpi_automl.errors import LeftOutWarning
from mpi_automl.estimators import AutoMLClassifier, AutoMLRegressor
from mpi_automl.estimators.jobs import Data
from mpi_automl.settings import Settings

pytestmark = pytest.mark.launches

SMALL = {"time": 60, "trial_time": 20, "trials": 4, "ensemble_size": 5}
TREES = {"include": ("classifier:decision_tree", "classifier:gaussian_nb"), **SMALL}


@pytest.fixture(scope="module")
def split():
    data = load_breast_cancer(as_frame=True)
    labels = data.target.map({0: "malignant", 1: "benign"})
    return train_test_split(data.data, labels, random_state=1)


@pytest.fixture(scope="module")
def fitted(split):
    X_train, X_test, y_train, y_test = split
    return AutoMLClassifier(extra_metrics="log_loss,f1", **TREES).fit(X_train, y_train, X_test, y_test)


def test_labels_come_back_as_they_were(fitted, split):
    _, X_test, _, y_test = split
    predicted = fitted.predict(X_test)
    assert set(predicted) <= {"benign", "malignant"}
    assert (predicted == y_test).mean() > 0.85
    assert fitted.score(X_test, y_test) == pytest.approx((predicted == y_test).mean())
    probabilities = fitted.predict_proba(X_test)
    assert (fitted.classes_[probabilities.argmax(axis=1)] == predicted).all()
    assert list(fitted.feature_names_in_) == list(X_test.columns)


def test_rows_are_evaluated_by_class_and_group_beside_the_baseline(fitted, split):
    _, X_test, y_train, y_test = split
    rooms = np.where(np.arange(len(X_test)) < 100, "one", "other")
    found = fitted.evaluate(X_test, y_test, by=rooms, metrics="accuracy,log_loss", resamples=200)
    right = fitted.predict(X_test) == y_test
    accuracy = found.metrics.loc["accuracy"]
    assert accuracy["value"] == pytest.approx(right.mean())
    assert accuracy["bca_low"] <= right.mean() <= accuracy["bca_high"] <= 1.0
    assert accuracy["baseline"] == pytest.approx((y_test == y_train.mode()[0]).mean())
    expected = log_loss(y_test, fitted.predict_proba(X_test))
    assert found.metrics.loc["log_loss", "value"] == pytest.approx(expected, rel=1e-4)
    assert found.classes.loc[("benign", "recall"), "value"] == pytest.approx(right[y_test == "benign"].mean())
    assert found.classes.loc[("benign", "recall"), "support"] == (y_test == "benign").sum()
    assert found.groups.loc[("one", "accuracy"), "value"] == pytest.approx(right[:100].mean())
    assert found.groups.loc[("other", "accuracy"), "rows"] == len(X_test) - 100
    with pytest.raises(ValueError, match="did you mean 'mean area'"):
        fitted.evaluate(X_test, y_test, by="mean areas")
    with pytest.raises(ValueError, match="labels odd, which are not in the training table"):
        fitted.evaluate(X_test, y_test.where(rooms == "one", "odd"))


def test_an_estimator_without_its_run_is_evaluated_without_the_baseline(fitted, split, tmp_path):
    _, X_test, _, y_test = split
    copy = pickle.loads(pickle.dumps(fitted))
    copy.run_directory_ = str(tmp_path / "gone")
    found = copy.evaluate(X_test, y_test, metrics=["f1"], resamples=0)
    assert np.isnan(found.metrics.loc["f1", "baseline"])
    assert found.metrics.loc["f1", "value"] > 0.8
    assert any("baseline" in note for note in found.notes)


def test_a_pickle_is_complete_in_itself(fitted, split, tmp_path):
    _, X_test, _, _ = split
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(fitted))
    X_test.to_pickle(tmp_path / "table.pickle")
    np.save(tmp_path / "expected.npy", fitted.predict_proba(X_test))
    program = (
        "import pickle, sys, shutil, numpy as np, pandas as pd, pathlib\n"
        "place = pathlib.Path(sys.argv[1])\n"
        "shutil.move(sys.argv[2], sys.argv[2] + '.away')\n"
        "model = pickle.loads((place / 'model.pickle').read_bytes())\n"
        "shutil.move(sys.argv[2] + '.away', sys.argv[2])\n"
        "found = model.predict_proba(pd.read_pickle(place / 'table.pickle'))\n"
        "assert np.array_equal(found, np.load(place / 'expected.npy'))\n"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path, fitted.run_directory_], check=True)


def test_pandas_come_out_where_they_are_asked_for(fitted, split):
    _, X_test, _, _ = split
    arrays = fitted.predict(X_test), fitted.predict_proba(X_test)
    assert all(isinstance(array, np.ndarray) for array in arrays)
    copy = pickle.loads(pickle.dumps(fitted)).set_output(transform="pandas")
    labels, probabilities = copy.predict(X_test), copy.predict_proba(X_test)
    assert labels.index.equals(X_test.index)
    assert labels.name == "target"
    assert list(probabilities.columns) == ["benign", "malignant"]
    assert (probabilities.to_numpy() == arrays[1]).all()
    assert clone(copy)._sklearn_output_config == {"transform": "pandas"}
    assert copy.score(X_test, labels) == 1.0
    with pytest.raises(ValueError, match="must be 'default' or 'pandas'"):
        copy.set_output(transform="polars")


def test_a_clone_is_not_fitted_and_has_the_parameters(fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "model_")


def test_the_run_can_be_looked_at(fitted):
    table = fitted.leaderboard()
    assert len(table) == 4
    assert table["rank"].iloc[0] == 1
    assert table["ensemble_weight"].sum() == pytest.approx(1.0)
    assert {"dummy", "decision_tree"} <= set(table["type"]) or {"dummy", "gaussian_nb"} <= set(table["type"])
    members = fitted.show_models()
    assert list(members) == [str(key) for key in fitted.ensemble_]
    assert len(fitted.leaderboard(ensemble_only=True)) == len(members)
    assert sum(weight for weight, _ in fitted.get_models_with_weights()) == pytest.approx(1.0)
    found = fitted.cv_results_
    assert len(found["params"]) == len(found["mean_test_score"]) == 4
    assert found["rank_test_scores"].min() == 1
    assert found["metric_f1"].max() > 0.85
    np.testing.assert_array_equal(table["score_log_loss"].sort_index(), found["metric_log_loss"].filled(np.nan))
    assert fitted.performance_over_time_["single_best_optimization_score"].is_monotonic_increasing
    assert "Metric: accuracy" in fitted.sprint_statistics()


def test_another_ensemble_from_the_same_trials(fitted, split):
    _, X_test, _, y_test = split
    copy = pickle.loads(pickle.dumps(fitted))
    copy.fit_ensemble(size=1, nbest=1)
    assert list(copy.ensemble_.values()) == [1.0]
    fresh = AutoMLClassifier().fit_ensemble(directory=fitted.run_directory_, size=5)
    assert fresh.score(X_test, y_test) > 0.85


def test_score_is_the_metric_of_the_ensemble(fitted, split):
    _, X_test, _, y_test = split
    copy = pickle.loads(pickle.dumps(fitted)).fit_ensemble(metric="log_loss")
    y = np.where(y_test == copy.classes_[1], 1.0, 0.0)
    assert copy.score(X_test, y_test) == pytest.approx(-log_loss(y, copy.predict_proba(X_test)[:, 1]), rel=1e-4)


def test_members_can_be_fitted_anew_on_all_rows(fitted, split):
    X_train, X_test, y_train, y_test = split
    copy = pickle.loads(pickle.dumps(fitted)).refit(X_train, y_train)
    assert {file.kind for file in copy.model_.files.values()} == {"refit"}
    assert not np.array_equal(copy.predict_proba(X_test), fitted.predict_proba(X_test))
    assert copy.score(X_test, y_test) > 0.85


def test_a_configuration_can_be_fitted_by_itself(split):
    X_train, _, y_train, _ = split
    # A forest is fitted in steps, and has time for all of them.
    estimator = AutoMLClassifier(**{**TREES, "include": ("classifier:random_forest",)})
    space = estimator.get_configuration_space(X_train, y_train)
    pipeline = estimator.fit_pipeline(X_train, y_train, space.get_default_configuration())
    assert hasattr(pipeline, "predict")
    assert len(pipeline[-1].estimators_) == pipeline[-1].n_estimators > 100


def test_a_configuration_that_takes_too_long_is_given_up(split):
    X_train, _, y_train, _ = split
    own = {"include": ("classifier:random_forest",), "trial_time": 0.1, "deterministic": True}
    estimator = AutoMLClassifier(**{**TREES, **own})
    configuration = estimator.get_configuration_space(X_train, y_train).get_default_configuration()
    with pytest.raises(ValueError, match="could not be fitted: time limit"):
        estimator.fit_pipeline(X_train, y_train, configuration)


def test_regression_with_several_targets_and_missing_values():
    X, y = load_diabetes(return_X_y=True)
    X[::5, 2] = np.nan
    targets = np.column_stack([y, -y])
    estimator = AutoMLRegressor(include=("regressor:ridge",), **SMALL).fit(X, targets)
    assert estimator.predict(X[:7]).shape == (7, 2)
    assert estimator.score(X, targets) > 0.2


def test_regression_far_from_zero_is_as_good_as_near_it():
    X, s = load_diabetes(return_X_y=True)
    y = 1.7e12 + 1e4 * s
    facts = {**SMALL, "include": ("regressor:ridge",), "seed": 1}
    near, far = (AutoMLRegressor(**facts).fit(X, target) for target in (s, y))
    assert far.score(X, y) == pytest.approx(near.score(X, s), abs=1e-3)
    copy = pickle.loads(pickle.dumps(far)).refit(X, y).fit_ensemble(size=2, metric="mae")
    for model in (far, copy):
        assert r2_score(y, model.predict(X)) == pytest.approx(near.score(X, s), abs=0.02)
    assert 2e5 < -copy.score(X, y) < 8e5
    encoded = far.model_.schema.encode(X)
    for given in (far.show_models(), far.get_models_with_weights()):
        first = next(iter(given.values()))["estimators"] if isinstance(given, dict) else given[0][1]
        assert r2_score(y, first[0].predict(encoded)) > 0.2
    space = far.get_configuration_space(X, y)
    assert r2_score(y, far.fit_pipeline(X, y, space.get_default_configuration()).predict(encoded)) > 0.2


def test_mistakes_are_value_errors_in_one_sentence(split):
    X_train, _, y_train, _ = split
    with pytest.raises(ValueError, match="did you mean accuracy"):
        AutoMLClassifier(metric="acuracy", **SMALL).fit(X_train, y_train)
    with pytest.raises(TypeError, match="ensemble_sizes"):
        AutoMLClassifier(ensemble_sizes=3)
    with pytest.raises(ValueError, match="only one class"):
        AutoMLClassifier(**SMALL).fit(X_train, ["a"] * len(X_train))


def test_too_few_open_files_for_ranks_are_one_sentence():
    program = (
        "import resource\n"
        "from sklearn.datasets import load_iris\n"
        "from mpi_automl.estimators import AutoMLClassifier\n"
        "X, y = load_iris(return_X_y=True)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))\n"
        "AutoMLClassifier(n_jobs=2, time=60).fit(X, y)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False)
    assert done.stderr.splitlines()[-1].startswith("ValueError: Only 30 files may be open at a time here (ulimit -n)")


def test_ranks_are_started_for_n_jobs(tmp_path, split):
    X_train, X_test, y_train, y_test = split
    out = tmp_path / "run"
    codes = [f"code {i}" for i in range(len(X_train))]
    table = X_train.assign(code=codes, another=codes[::-1])
    with pytest.warns(LeftOutWarning) as caught:
        estimator = AutoMLClassifier(n_jobs=2, out=str(out), **TREES).fit(table, y_train)
    said = [str(one.message) for one in caught if issubclass(one.category, LeftOutWarning)]
    with pytest.warns(LeftOutWarning) as expected:
        Data(table, y_train, None, None, "table").task(Settings(task="binary", **TREES))
    assert said == [str(one.message) for one in expected if issubclass(one.category, LeftOutWarning)]
    assert len(said) == 2
    X_test = X_test.assign(code="new", another="new")
    assert estimator.score(X_test, y_test) > 0.85
    assert set(estimator.leaderboard()["mpi_rank"]) == {0, 1}
    assert Path(estimator.run_directory_) == out
    assert isinstance(estimator.leaderboard(), pd.DataFrame)
