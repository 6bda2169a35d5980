"""Metrics in the units of the table, and those that are defined for some values only."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import sklearn.metrics as reference

from mpi_automl.data.load import make_task
from mpi_automl.data.task import TaskType
from mpi_automl.data.units import TargetUnits
from mpi_automl.errors import UserError
from mpi_automl.evaluation.setup import make_setup
from mpi_automl.metrics.metric import metric
from mpi_automl.metrics.registry import get_metric, metric_names
from mpi_automl.metrics.scorers import GeneralScorer, make_scorer
from mpi_automl.settings import Settings

POSITIVE = [
    "mean_squared_log_error",
    "root_mean_squared_log_error",
    "mean_poisson_deviance",
    "mean_gamma_deviance",
    "d2_poisson",
    "d2_gamma",
]
rng = np.random.default_rng(1)
X = rng.normal(size=(80, 2))


def values(task_type: TaskType, scale: float = 1.0):
    shape = (200, 1) if task_type is TaskType.REGRESSION else (200, 2)
    y = scale * np.exp(rng.normal(size=shape)) * np.array([1.0, 1000.0])[: shape[1]]
    return (y[:, 0] if shape[1] == 1 else y), y * np.exp(0.3 * rng.normal(size=shape))


@pytest.mark.parametrize("scale", [1.0, 3e7, 1e-9])
@pytest.mark.parametrize(
    ("task_type", "name"),
    [(kind, name) for kind in (TaskType.REGRESSION, TaskType.MULTIOUTPUT) for name in metric_names(kind)],
)
def test_a_metric_of_standardised_values_is_that_of_the_table(task_type, name, scale):
    y, predictions = values(task_type, scale)
    units = TargetUnits.of(y)
    bound = pickle.loads(pickle.dumps(get_metric(name, task_type, units)))
    expected = get_metric(name, task_type).value(y, predictions, task_type)
    found = bound.value(units.standardise(y), units.standardise(predictions), task_type)
    assert found == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize("task_type", [TaskType.REGRESSION, TaskType.MULTIOUTPUT])
@pytest.mark.parametrize(
    "name", ["r2", "mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "median_absolute_error"]
)
def test_fast_scorers_are_in_the_units_of_the_table(task_type, name):
    y, predictions = values(task_type, 3e7)
    units = TargetUnits.of(y)
    stored = np.stack([units.standardise(predictions * share) for share in (0.9, 1.0, 1.2)]).astype(np.float32)
    bound = get_metric(name, task_type, units)
    total = stored[0].astype(np.float64)
    fast = make_scorer(stored, units.standardise(y), bound, task_type).costs(total, 1)
    general = GeneralScorer(stored, units.standardise(y), bound, task_type).costs(total, 1)
    np.testing.assert_allclose(fast, general, rtol=1e-5)


@pytest.mark.parametrize(("center", "scale"), [(1.7e9, 10.0), (1e15, 100.0), (0.0, 1e300), (0.0, 1e-300)])
def test_r2_is_the_same_wherever_the_target_is(center, scale):
    s = rng.normal(size=500)
    guess = s + 0.1 * rng.normal(size=500)
    y = center + scale * s
    units = TargetUnits.of(y)
    stored = units.standardise(center + scale * guess).astype(np.float32)[None, :, None]
    bound = get_metric("r2", TaskType.REGRESSION, units)
    expected = reference.r2_score(s, guess)
    assert bound.value(units.standardise(y), stored[0], TaskType.REGRESSION) == pytest.approx(expected, abs=1e-3)
    cost = make_scorer(stored, units.standardise(y), bound, TaskType.REGRESSION).costs(np.zeros((500, 1)), 0)
    assert 1 - cost[0] == pytest.approx(expected, abs=1e-3)


def test_a_function_of_ones_own_gets_values_of_the_table():
    seen = []

    @metric(task_types=["regression"])
    def own_score(y, predicted):
        seen.append((y, predicted))
        return 0.0

    y = 1e6 + np.arange(50.0)
    units = TargetUnits.of(y)
    replace(own_score, units=units).value(units.standardise(y), units.standardise(y)[:, None], TaskType.REGRESSION)
    np.testing.assert_array_equal(seen[0], (y, y))


@pytest.mark.parametrize("name", POSITIVE)
@pytest.mark.parametrize("with_units", [False, True])
def test_predictions_below_zero_are_clipped(name, with_units):
    y, predictions = values(TaskType.REGRESSION)
    predictions[:5] = -1.0
    units = TargetUnits.of(y) if with_units else None
    chosen = get_metric(name, TaskType.REGRESSION, units)
    if units is not None:
        y, predictions = units.standardise(y), units.standardise(predictions)
    good = chosen.value(y, np.abs(predictions), TaskType.REGRESSION)
    bad = chosen.value(y, predictions, TaskType.REGRESSION)
    assert np.isfinite(bad) and bad != good
    assert chosen.cost_of(bad) > chosen.cost_of(good)


@pytest.mark.parametrize(
    ("name", "bad", "works"),
    [
        ("rmsle", -2.5, "root_mean_squared_error"),
        ("mean_poisson_deviance", -2.5, "root_mean_squared_error"),
        ("mean_gamma_deviance", 0.0, "root_mean_squared_log_error"),
        ("d2_gamma", 0.0, "root_mean_squared_log_error"),
        ("mape", 0.0, "root_mean_squared_log_error"),
    ],
)
@pytest.mark.parametrize("option", ["metric", "extra_metrics"])
def test_a_target_outside_of_the_domain_is_refused_at_the_start(name, bad, works, option):
    y = np.exp(rng.normal(size=80))
    y[6] = bad
    settings = Settings(**{option: name if option == "metric" else (name,)})
    with pytest.raises(UserError, match=f"is {bad:g} in row 7 .1 of 80 rows.; --metric {works} fits"):
        make_setup(make_task(X, y, settings=settings), settings, 1)
    fits = Settings(metric=works)
    make_setup(make_task(X, y, settings=fits), fits, 1)


def test_the_test_table_is_checked_too():
    y = np.exp(rng.normal(size=80))
    settings = Settings(metric="mean_gamma_deviance")
    task = make_task(X, y, X_test=X[:9], y_test=np.where(np.arange(9) == 2, 0.0, y[:9]), settings=settings)
    with pytest.raises(UserError, match="in row 3 of the test table"):
        make_setup(task, settings, 1)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_squares_beyond_float64_are_refused_at_the_start(scale):
    settings = Settings(metric="mse")
    with pytest.raises(UserError, match="--metric root_mean_squared_error can"):
        make_setup(make_task(X, scale * X[:, 0], settings=settings), settings, 1)
