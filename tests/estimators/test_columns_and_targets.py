"""Columns that are not learned from and rows without a target, in arrays, frames and sparse matrices."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_iris

from mpi_automl.estimators import AutoMLClassifier, AutoMLRegressor

pytestmark = pytest.mark.launches

SMALL = {"time": 60, "trial_time": 20, "trials": 2, "ensemble_size": 3}
TREES = {"include": ("classifier:decision_tree", "classifier:gaussian_nb"), **SMALL}
X, y = load_iris(return_X_y=True)
BLOCKS = np.arange(len(y)) // 10
GROUPED = np.column_stack([X[:, :2], BLOCKS, X[:, 2:]])


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_a_column_of_groups_may_have_no_name(container):
    table = container(GROUPED)
    automl = AutoMLClassifier(groups="x2", **TREES).fit(table, y, table, y)
    assert automl.n_features_in_ == 5
    assert automl.score(table, y) > 0.8
    shuffled = GROUPED.copy()
    shuffled[:, 2] = 0
    assert (automl.predict(container(shuffled)) == automl.predict(table)).all()
    assert automl.refit(table, y).score(table, y) > 0.8


def test_a_frame_with_the_index_of_its_rows_may_be_followed_by_an_array():
    rows = np.random.default_rng(0).permutation(len(y))
    frame = pd.DataFrame(X).rename(columns=str).loc[rows].reset_index()
    automl = AutoMLClassifier(**TREES).fit(frame, y[rows])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        assert (automl.predict(frame.to_numpy()) == automl.predict(frame)).all()


@pytest.mark.parametrize("labels", [y.astype(float), np.array(["a", "b", "c"], dtype=object)[y]])
def test_rows_without_a_target_are_left_out_where_this_is_wanted(labels):
    some = labels.copy()
    some[::7] = np.nan if labels.dtype == float else None
    with pytest.raises(ValueError, match="missing in 22 of 150 rows; drop_missing_targets=True"):
        AutoMLClassifier(**TREES).fit(X, some)
    automl = AutoMLClassifier(drop_missing_targets=True, **TREES).fit(pd.DataFrame(X), pd.Series(some), X, labels)
    assert list(automl.classes_) == sorted(set(labels))
    assert automl.score(X, labels) > 0.8
    assert automl.refit(pd.DataFrame(X), pd.Series(some)).score(X, labels) > 0.8


def test_missing_values_and_rows_without_any_target():
    values = np.column_stack([X[:, 3], X[:, 2]])
    values[::7, 1] = np.nan
    own = {"include": ("regressor:ridge",), "drop_missing_targets": True, **SMALL}
    assert AutoMLRegressor(**own).fit(X[:, :2], values).predict(X[:, :2]).shape == (150, 2)
    with pytest.raises(ValueError, match="missing in all 150 rows"):
        AutoMLRegressor(**own).fit(X, np.full(150, np.nan))


def test_a_run_that_is_taken_over_brings_the_names_of_its_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    AutoMLClassifier(out="named", **TREES).fit(frame, y)
    other = AutoMLClassifier(out="numbered", **TREES).fit(X[:, :3], y).fit_ensemble(directory="named")
    assert list(other.feature_names_in_) == ["a", "b", "c", "d"]
    assert other.n_features_in_ == 4
    assert other.score(frame, y) > 0.8
    monkeypatch.undo()
    assert len(other.leaderboard()) == 2
    other.fit_ensemble(directory=str(tmp_path / "numbered"))
    assert not hasattr(other, "feature_names_in_")
    assert other.n_features_in_ == 3


@pytest.mark.parametrize("dtype", [int, bool])
def test_classes_that_came_as_objects_are_of_their_own_type(dtype):
    labels = (y > 0).astype(dtype)
    automl = AutoMLClassifier(**TREES).fit(X, labels.astype(object))
    assert automl.classes_.dtype == labels.dtype
    assert automl.score(X, labels) > 0.8
