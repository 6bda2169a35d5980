"""Predictions of whatever learner come out in one form."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.multiclass import OneVsRestClassifier

from mpi_automl.data.task import TaskType
from mpi_automl.space.predictions import UnusablePredictionsError, predict

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))


class Says(BaseEstimator):
    """Predicts what it is told."""

    def __init__(self, values):
        self.values = values

    def predict(self, X):
        return self.values


def test_class_missing_from_the_training_rows_has_probability_zero():
    y = RNG.choice([0, 2], size=60)
    learner = LogisticRegression().fit(X, y)
    predictions = predict(learner, X, TaskType.MULTICLASS, 4)
    assert predictions.shape == (60, 4)
    assert (predictions[:, [1, 3]] == 0).all()
    assert np.array_equal(predictions[:, [0, 2]], learner.predict_proba(X).astype(np.float32))


def test_only_one_class_in_the_training_rows():
    learner = RandomForestClassifier(3).fit(X, np.ones(60, dtype=int))
    assert np.array_equal(predict(learner, X, TaskType.BINARY, 2), np.tile([0.0, 1.0], (60, 1)))


def test_learner_without_probabilities():
    y = RNG.integers(3, size=60)
    learner = RidgeClassifier().fit(X, y)
    predictions = predict(learner, X, TaskType.MULTICLASS, 3)
    assert np.array_equal(predictions.argmax(axis=1), learner.predict(X))
    assert np.array_equal(predictions.sum(axis=1), np.ones(60))


@pytest.mark.filterwarnings("ignore:Label:UserWarning")
@pytest.mark.parametrize("learner", [RandomForestClassifier(5), OneVsRestClassifier(LogisticRegression())])
def test_labels_of_which_one_is_always_and_one_never_there(learner):
    labels = np.column_stack([X[:, 0] > 0, np.ones(60), np.zeros(60)]).astype(int)
    predictions = predict(learner.fit(X, labels), X, TaskType.MULTILABEL, 3)
    assert predictions.shape == (60, 3)
    assert np.mean((predictions[:, 0] > 0.5) == labels[:, 0]) > 0.9
    assert np.array_equal(predictions[:, 1:], np.tile([1.0, 0.0], (60, 1)))


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_values(n_outputs):
    y = X[:, :n_outputs].squeeze()
    learner = LinearRegression().fit(X, y)
    task_type = TaskType.REGRESSION if n_outputs == 1 else TaskType.MULTIOUTPUT
    predictions = predict(learner, X, task_type, n_outputs)
    assert predictions.dtype == np.float32
    assert np.allclose(predictions, X[:, :n_outputs], atol=1e-5)


def test_forest_of_values():
    learner = RandomForestRegressor(5).fit(X, X[:, 0])
    assert predict(learner, X, TaskType.REGRESSION, 1).shape == (60, 1)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full(60, np.nan), "NaN or infinity"),
        (np.full(60, 1e300), "NaN or infinity"),
        (np.zeros(59), "shape"),
        (np.zeros((60, 2)), "shape"),
        (np.zeros((60, 1, 1)), "shape"),
    ],
)
def test_what_is_of_no_use_is_refused(values, reason):
    with pytest.raises(UnusablePredictionsError, match=reason):
        predict(Says(values), X, TaskType.REGRESSION, 1)
