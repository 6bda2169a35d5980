"""Bagged selection: averages over halves of the rows, and the check on the rows that were left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ensemble_candidates import EVERY_FAST, candidates

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.bagging import select_bagged
from mpi_automl.ensemble.build import Candidates, build_ensemble
from mpi_automl.ensemble.combination import combine
from mpi_automl.ensemble.greedy import GreedyOptions, NothingSelectedError, select
from mpi_automl.ensemble.row_folds import fold_numbers
from mpi_automl.metrics.metric import metric as declared
from mpi_automl.metrics.registry import get_metric
from mpi_automl.trial import TrialKey

OPTIONS = GreedyOptions(size=20, bags=6, seed=2)


@pytest.mark.parametrize(("task_type", "name"), EVERY_FAST)
def test_weights_mean_and_cost_belong_together(task_type, name):
    y, predictions = candidates(task_type)
    metric = get_metric(name, task_type)
    bagged = select_bagged(predictions, y, metric, task_type, OPTIONS)
    assert sum(bagged.weights.values()) == pytest.approx(1.0)
    combined = sum(weight * predictions[number].astype(float) for number, weight in bagged.weights.items())
    np.testing.assert_allclose(bagged.mean, combined)
    assert metric.cost(y, bagged.mean, task_type) == bagged.cost == bagged.trajectory[-1]
    assert len(bagged.trajectory) == OPTIONS.bags


def test_a_pair_of_bags_is_two_selections_from_the_halves():
    y, predictions = candidates(TaskType.BINARY)
    metric = get_metric("log_loss", TaskType.BINARY)
    options = GreedyOptions(size=24, bags=2, seed=7)
    first = fold_numbers(y, TaskType.BINARY, 2, (7, 0)) == 0
    unseen = np.empty(predictions.shape[1:])
    weights = np.zeros(len(predictions))
    for rows in (first, ~first):
        alone = select(predictions[:, rows], y[rows], metric, TaskType.BINARY, replace(options, size=12))
        for number, weight in alone.weights.items():
            weights[number] += weight / 2
        unseen[~rows] = sum(weight * predictions[number][~rows] for number, weight in alone.weights.items())
    bagged = select_bagged(predictions, y, metric, TaskType.BINARY, options)
    np.testing.assert_allclose([bagged.weights.get(number, 0.0) for number in range(len(weights))], weights)
    assert bagged.unseen_cost == pytest.approx(metric.cost(y, unseen, TaskType.BINARY))


def keyed(predictions):
    return Candidates(tuple(TrialKey(0, 0, number) for number in range(len(predictions))), predictions)


@pytest.mark.parametrize("task_type", list(TaskType))
@pytest.mark.parametrize("seed", range(4))
def test_the_ensemble_is_not_worse_than_the_single_best_by_the_check(task_type, seed):
    y, predictions = candidates(task_type, n_rows=60, seed=seed)
    metric = get_metric("auto", task_type)
    bags = OPTIONS.bags if task_type.is_classification else 2
    bagged = select_bagged(predictions, y, metric, task_type, replace(OPTIONS, bags=bags))
    ensemble = build_ensemble(keyed(predictions), y, metric, task_type, OPTIONS)
    is_single = bagged.unseen_cost > bagged.unseen_single_cost * (1.0 + 1.0 / np.sqrt(60))
    assert is_single == bagged.is_worse_than_single
    assert ensemble.method == ("single_best" if is_single else "greedy")
    single = build_ensemble(keyed(predictions), y, metric, task_type, OPTIONS, "single_best")
    assert (ensemble.weights == single.weights) or not is_single


def test_candidates_that_are_good_by_luck_do_not_displace_the_best_one():
    rng = np.random.default_rng(3)
    y, unseen_y = rng.normal(size=(2, 60))
    # One knows much; many know nothing, and agree with what it leaves over by chance.
    predictions = 3.0 * rng.normal(size=(200, 120, 1))
    predictions[0, :, 0] = np.concatenate([y, unseen_y]) + 0.3 * rng.normal(size=120)
    known = predictions[:, :60].astype(np.float32)
    metric = get_metric("root_mean_squared_error", TaskType.REGRESSION)
    by_all_rows = build_ensemble(keyed(known), y, metric, TaskType.REGRESSION, GreedyOptions(size=50))
    checked = build_ensemble(keyed(known), y, metric, TaskType.REGRESSION, GreedyOptions(size=50, bags=10))

    def on_unseen_rows(ensemble):
        unseen = {TrialKey(0, 0, number): part[60:] for number, part in enumerate(predictions)}
        return metric.cost(unseen_y, combine(ensemble.combination, unseen), TaskType.REGRESSION)

    assert len(by_all_rows.weights) > 1
    assert checked.weights == {TrialKey(0, 0, 0): 1.0}
    assert on_unseen_rows(checked) < on_unseen_rows(by_all_rows)


def test_a_half_without_a_class_is_left_out():
    y, predictions = candidates(TaskType.BINARY, n_rows=40)
    y = np.zeros_like(y)
    y[5] = 1
    metric = get_metric("roc_auc", TaskType.BINARY)
    bagged = select_bagged(predictions, y, metric, TaskType.BINARY, OPTIONS)
    assert len(bagged.trajectory) == OPTIONS.bags // 2
    assert not bagged.is_worse_than_single
    assert build_ensemble(keyed(predictions), y, metric, TaskType.BINARY, OPTIONS).method == "greedy"


def test_without_a_candidate_that_can_be_scored_it_says_so():
    y, predictions = candidates(TaskType.REGRESSION)

    @declared(task_types=["regression"], optimum=0.0, greater_is_better=False)
    def metric(y, predicted):
        raise ValueError("not defined for these rows")

    with pytest.raises(NothingSelectedError, match="in any bag"):
        select_bagged(predictions - 9.0, y, metric, TaskType.REGRESSION, OPTIONS)
    with pytest.raises(NothingSelectedError):
        build_ensemble(keyed(predictions - 9.0), y, metric, TaskType.REGRESSION, OPTIONS)


def test_one_round_and_few_rows_are_selected_by_all_rows():
    y, predictions = candidates(TaskType.BINARY, n_rows=12)
    metric = get_metric("log_loss", TaskType.BINARY)
    by_all = select(predictions, y, metric, TaskType.BINARY, GreedyOptions(size=20, seed=2)).weights
    built = build_ensemble(keyed(predictions), y, metric, TaskType.BINARY, OPTIONS).weights
    assert {key.number: weight for key, weight in built.items()} == by_all
    y, predictions = candidates(TaskType.BINARY)
    one = build_ensemble(keyed(predictions), y, metric, TaskType.BINARY, GreedyOptions(size=1, bags=10))
    assert len(one.weights) == 1
