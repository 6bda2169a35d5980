"""Boosting finds its number of iterations on validation rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mpi_automl.data.task import TaskType
from mpi_automl.evaluation.fitting import FitOptions, fit
from mpi_automl.metrics.kind import MetricKind
from mpi_automl.space.components import all_components
from mpi_automl.space.estimators.early_stopping import FIRST_PATIENCE, StoppingRule
from mpi_automl.space.space import build_space

BOOSTING = [c for c in all_components() if c.properties.early_stopping]
CASES = [
    pytest.param(component, form, kind, id=f"{component.key()}-{form}-{kind.value}")
    for component in BOOSTING
    for form in ("dense", "mixed", "sparse")
    for kind in (
        (MetricKind.RANKING, MetricKind.PROBABILITY)
        if component.step == "classifier"
        else (MetricKind.SQUARED, MetricKind.ABSOLUTE)
    )
]


def _candidate(component: Any, table: Any, kind: MetricKind | None = None) -> Any:
    has_categories = any(table.profile.cardinalities)
    encoding = ["categorical_encoding:no_encoding"] if has_categories else []
    space = build_space(table.profile, include=[component.key(), *encoding])
    return space.build(space.default_vector(), 0, 1, kind)


@pytest.mark.parametrize(("component", "form", "kind"), CASES)
def test_the_best_iteration_is_used_and_can_be_repeated(
    component: Any, form: str, kind: MetricKind, sample: Callable[[TaskType, str], Any]
) -> None:
    for package in component.properties.requires:
        pytest.importorskip(package)
    table = sample(TaskType.BINARY if component.step == "classifier" else TaskType.REGRESSION, form)
    watched = _candidate(component, table, kind)
    assert fit(watched, table.train, table.y_train, FitOptions(), (table.rest, table.y[60:])) == ""
    learner = watched.pipeline.steps[-1][1]
    assert 1 <= learner.n_iterations_ < 10_000
    again = _candidate(component, table, kind)
    fit(again, table.train, table.y_train, FitOptions(iterations=learner.n_iterations_), None)
    # The same iterations without anybody watching: the same model.
    method = "predict_proba" if component.step == "classifier" else "predict"
    np.testing.assert_allclose(
        getattr(watched.pipeline, method)(table.rest), getattr(again.pipeline, method)(table.rest), rtol=1e-5
    )


@pytest.mark.parametrize("component", [pytest.param(c, id=c.key()) for c in BOOSTING])
def test_boosting_ends_at_the_deadline_and_says_so(component: Any, sample: Callable[[TaskType, str], Any]) -> None:
    for package in component.properties.requires:
        pytest.importorskip(package)
    table = sample(TaskType.BINARY if component.step == "classifier" else TaskType.REGRESSION, "dense")
    candidate = _candidate(component, table)
    note = fit(candidate, table.train, table.y_train, FitOptions(deadline=time.monotonic()), (table.rest, table.y[60:]))
    assert note == "time limit: stopped after 1 iterations"
    assert len(candidate.pipeline.predict(table.rest)) == 30


@pytest.mark.parametrize("component", [pytest.param(c, id=c.key()) for c in BOOSTING if c.name != "catboost"])
def test_boosting_leaves_time_for_its_predictions(component: Any, sample: Callable[[TaskType, str], Any]) -> None:
    for package in component.properties.requires:
        pytest.importorskip(package)
    table = sample(TaskType.BINARY if component.step == "classifier" else TaskType.REGRESSION, "mixed")
    found = []
    for predicted_rows in (100, 10**12):
        candidate = _candidate(component, table)
        options = FitOptions(deadline=time.monotonic() + 1000.0, predicted_rows=predicted_rows)
        note = fit(candidate, table.train, table.y_train, options, (table.rest, table.y[60:]))
        found.append(note)
    assert found == ["", f"time limit: stopped after {candidate.pipeline.steps[-1][1].n_iterations_} iterations"]


def test_validation_rows_of_a_class_that_was_not_learned_are_left_out(sample: Callable[[TaskType, str], Any]) -> None:
    table = sample(TaskType.MULTICLASS, "dense")
    lacking = table.y_train != 1
    for component in BOOSTING:
        if component.step == "classifier":
            pytest.importorskip(component.properties.requires[0])
            candidate = _candidate(component, table)
            fit(candidate, table.train[lacking], table.y_train[lacking], FitOptions(), (table.rest, table.y[60:]))
            assert candidate.pipeline.predict_proba(table.rest).shape == (30, 2)


def test_boosting_stops_when_it_gains_nothing_more() -> None:
    rule = StoppingRule()
    losses = [1.0 / i for i in range(1, 101)] + [0.01] * 1000
    stopped = next(i for i, loss in enumerate(losses, start=1) if rule.should_stop(i, loss))
    assert rule.best_iteration == 100
    assert stopped == 100 + FIRST_PATIENCE + 20 + 1


def test_slow_learning_has_more_patience_later() -> None:
    rule = StoppingRule()
    # Gains that come every 80 iterations: too seldom at the beginning, often enough after a thousand.
    assert [rule.should_stop(i, 1.0) for i in range(1, 53)].count(True) == 1
    rule = StoppingRule()
    losses = [1.0 / i for i in range(1, 1001)] + [(1.0 - 0.01 * (i // 80)) / 1000 for i in range(1, 400)]
    assert not any(rule.should_stop(i, loss) for i, loss in enumerate(losses, start=1))
