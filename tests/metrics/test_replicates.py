"""Values of sets of rows against the metrics' own functions on these rows."""

from __future__ import annotations

import numpy as np
import pytest

from mpi_automl.data.task import TaskType
from mpi_automl.metrics.metric import metric
from mpi_automl.metrics.registry import get_metric, metric_names
from mpi_automl.metrics.replicates import ReplicatedMetrics, ScoredRows

N_OUTPUTS = {"binary": 2, "multiclass": 3, "multilabel": 3, "regression": 1, "multioutput": 2}


def sample(kind: TaskType, n_rows: int = 60) -> ScoredRows:
    """Rows with ties among the predictions, and labels of which some rows have none."""
    rng, width = np.random.default_rng(1), N_OUTPUTS[kind.value]
    if kind is TaskType.MULTILABEL:
        y = rng.integers(0, 2, (n_rows, width))
        return ScoredRows(y, np.round(np.clip(rng.random(y.shape) * 0.7 + 0.3 * y, 0, 1), 1), kind)
    if kind.is_classification:
        y = rng.integers(0, width, n_rows)
        predictions = np.round(rng.random((n_rows, width)) + 0.5 * np.eye(width)[y], 1) + 0.1
        return ScoredRows(y, predictions / predictions.sum(axis=1, keepdims=True), kind)
    y = rng.random((n_rows, width)) + 0.1
    return ScoredRows(y[:, 0] if width == 1 else y, y * np.exp(0.3 * rng.normal(size=y.shape)), kind)


def weights_of(rows: ScoredRows) -> list[np.ndarray]:
    """Rows that come several times or not at all, and for classes a set without the first class."""
    drawn = [np.bincount(np.random.default_rng(seed).integers(0, 60, 60), minlength=60) for seed in range(3)]
    first = rows.y if rows.y.ndim == 1 else rows.y[:, 0]
    return [np.ones(60, dtype=int), *drawn, drawn[0] * (first != 0) if rows.task_type.is_classification else drawn[0]]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", TaskType)
def test_every_metric_of_weighted_rows_is_that_of_repeated_rows(kind):
    rows, names = sample(kind), metric_names(kind)
    metrics, sets = [get_metric(name, kind) for name in names], weights_of(rows)
    found = ReplicatedMetrics(rows, metrics).of(sets, range(len(sets))).values
    for position, weights in enumerate(sets):
        repeated = rows[np.repeat(np.arange(60), weights)]
        for name, one, value in zip(names, metrics, found[position], strict=True):
            expected = repeated.value(one)
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True), (name, position)


def test_a_metric_of_the_users_own_is_computed_for_each_set():
    @metric(task_types=["binary"], needs="thresholds")
    def highest(y, probability):
        return float(probability.max())

    rows = sample(TaskType.BINARY)
    weights = np.zeros(60, dtype=int)
    weights[5] = 3
    found = ReplicatedMetrics(rows, [highest]).of([weights], [0]).values
    assert found == pytest.approx(rows.predictions[5, 1])


def test_scores_of_classes_are_those_of_scikit_learn():
    from sklearn.metrics import precision_recall_fscore_support

    rows = sample(TaskType.MULTICLASS)
    found = ReplicatedMetrics(rows, []).whole().classes[0]
    expected = precision_recall_fscore_support(rows.y, rows.predictions.argmax(axis=1))
    np.testing.assert_allclose(found.T, expected[:3])
