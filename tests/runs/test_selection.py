"""What greedy selection goes by, and what is done where that does not beat the baseline."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.build import selection_metric
from mpi_automl.ensemble.greedy import GreedyOptions, NothingSelectedError, select
from mpi_automl.errors import UserError
from mpi_automl.metrics.metric import metric as declared
from mpi_automl.metrics.registry import get_metric
from mpi_automl.metrics.scorers import order_by_class
from mpi_automl.runs.selection import DUMMY, EnsembleRules, build_from, candidates_among
from mpi_automl.trial import TrialKey

ACCURACY = get_metric("accuracy", TaskType.BINARY)
Y = np.array([1] * 20 + [0] * 180)
DUMMY_KEY = TrialKey(0, 0, 0)


def of_positives(values):
    return np.stack([1.0 - values, values], axis=1).astype(np.float32)


PREDICTIONS = {
    DUMMY_KEY: of_positives(np.full(200, 0.1)),
    # Decides as the baseline does, and knows much more.
    TrialKey(0, 0, 1): of_positives(np.where(Y == 1, 0.4, 0.02)),
    # Decides better, and is sure even where it is wrong.
    TrialKey(0, 0, 2): of_positives(np.where(np.arange(200) < 12, 1.0, 0.0)),
    # Better in both.
    TrialKey(0, 1, 0): of_positives(np.where(np.arange(200) < 16, 0.9, 0.05)),
}


class Reader:
    """A run with these predictions."""

    legs = (SimpleNamespace(metric="accuracy"),)

    def trial(self, key):
        return SimpleNamespace(budget=1.0)

    def vector(self, key):
        return np.array([key.rank, key.number], dtype=float)

    def truth(self):
        return Y

    def cost(self, key):
        return ACCURACY.cost(Y, PREDICTIONS[key], TaskType.BINARY)

    def predictions(self, keys, rows=None):
        found = np.array([PREDICTIONS[key] for key in keys])
        return found if rows is None else found[:, rows]


def ensemble_of(*keys, **rules):
    schema = SimpleNamespace(task_type=TaskType.BINARY)
    run = SimpleNamespace(reader=Reader(), metric=ACCURACY, schema=schema, dummy=DUMMY_KEY)
    run.costs = lambda keys: np.array([run.reader.cost(key) for key in keys])
    return build_from(candidates_among(run, replace(EnsembleRules(20, 50, 1), **rules), keys), run.reader)


KNOWS, DECIDES, GOOD = list(PREDICTIONS)[1:]


def test_accuracy_is_judged_and_briers_score_selected_by():
    ensemble = ensemble_of(KNOWS, DECIDES, GOOD)
    assert ensemble.weights == ensemble_of(KNOWS, DECIDES, GOOD, select_by="brier_score").weights
    assert KNOWS in ensemble.weights
    mean = sum(weight * PREDICTIONS[key] for key, weight in ensemble.weights.items())
    assert ensemble.cost == pytest.approx(ACCURACY.cost(Y, mean, TaskType.BINARY))
    assert ensemble.cost in ensemble.trajectory
    assert ensemble.method == "greedy"


def test_the_metric_itself_on_request():
    ensemble = ensemble_of(KNOWS, DECIDES, GOOD, select_by="same")
    assert KNOWS not in ensemble.weights
    assert ensemble.cost <= min(Reader().cost(key) for key in (DECIDES, GOOD))
    assert DECIDES not in ensemble_of(KNOWS, DECIDES, GOOD, select_by="log_loss").weights
    with pytest.raises(UserError, match="brierscore"):
        ensemble_of(GOOD, select_by="brierscore")


def test_without_anything_that_decides_better_than_the_baseline_it_is_the_baseline():
    assert ensemble_of(KNOWS).method == DUMMY


def test_what_decides_better_than_the_baseline_is_not_lost_to_another_metric():
    assert ensemble_of(DECIDES).weights == {DECIDES: 1.0}
    ensemble = ensemble_of(KNOWS, DECIDES, select_by="log_loss")
    assert ensemble.weights == {DECIDES: 1.0}
    assert ensemble.cost < Reader().cost(DUMMY_KEY)


def test_what_the_selecting_metric_cannot_score_is_left_out():
    y = np.linspace(0.5, 2.0, 50)
    fine, negative = (y[None, :, None] + 0.1).astype(np.float32), (y[None, :, None] - 4.0).astype(np.float32)
    r2 = get_metric("r2", TaskType.REGRESSION)

    @declared(task_types=["regression"], optimum=0.0, greater_is_better=False)
    def select_by(y, predicted):
        if (predicted < 0.0).any():
            raise ValueError("not defined below zero")
        return np.abs(y - predicted).mean()

    options = GreedyOptions(size=5, select_by=select_by)
    selection = select(np.concatenate([fine, negative]), y, r2, TaskType.REGRESSION, options)
    assert selection.weights == {0: 1.0}
    assert selection.cost == pytest.approx(r2.cost(y, fine[0], TaskType.REGRESSION))
    with pytest.raises(NothingSelectedError):
        select(negative, y, r2, TaskType.REGRESSION, options)


def test_classes_of_unsigned_codes_are_put_in_order():
    y = np.array([2, 0, 1, 0], dtype=np.uint8)
    assert order_by_class(y, TaskType.MULTICLASS).tolist() == [1, 3, 2, 0]
    assert order_by_class(np.sort(y), TaskType.MULTICLASS) is None


def test_other_ways_to_combine_go_by_the_metric():
    assert ensemble_of(KNOWS, DECIDES, GOOD, method="single_best").weights == {GOOD: 1.0}


def test_what_selection_goes_by():
    def by(name, task_type):
        found = selection_metric(get_metric(name, task_type), "auto", task_type)
        return found and found.name

    assert by("accuracy", TaskType.BINARY) == by("accuracy", TaskType.MULTICLASS) == "brier_score"
    assert by("roc_auc", TaskType.BINARY) == by("roc_auc", TaskType.MULTICLASS) == "log_loss"
    for name, task_type in (
        ("roc_auc_ovo", TaskType.MULTICLASS),
        ("accuracy", TaskType.MULTILABEL),
        ("log_loss", TaskType.BINARY),
        ("r2", TaskType.REGRESSION),
    ):
        assert by(name, task_type) is None
