"""Greedy selection against a plain loop, and what must not change its result."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from ensemble_candidates import EVERY_FAST, candidates
from hypothesis import given, settings
from hypothesis import strategies as st

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.bagging import select_bagged
from mpi_automl.ensemble.greedy import GreedyOptions, Pick, select
from mpi_automl.metrics.metric import metric as declared
from mpi_automl.metrics.registry import get_metric


def plain_greedy(y, predictions, metric, task_type, rounds):
    """The loop as the paper has it."""
    total, picks, trajectory = np.zeros(predictions.shape[1:]), [], []
    for _ in range(rounds):
        costs = [metric.cost(y, (total + added) / (len(picks) + 1), task_type) for added in predictions]
        best = int(np.argmin(costs))
        total = total + predictions[best]
        picks.append(best)
        trajectory.append(costs[best])
    return picks, trajectory


@pytest.mark.parametrize(
    ("task_type", "name"), [pair for pair in EVERY_FAST if pair[1] in ("log_loss", "brier_score", "r2", "roc_auc")]
)
def test_selection_is_that_of_the_plain_loop(task_type, name):
    y, predictions = candidates(task_type)
    metric = get_metric(name, task_type)
    picks, trajectory = plain_greedy(y, predictions, metric, task_type, 12)
    selection = select(predictions, y, metric, task_type, GreedyOptions(size=12))
    assert selection.trajectory == pytest.approx(trajectory, abs=1e-7)
    best = picks[: int(np.argmin(trajectory)) + 1]
    assert selection.weights == pytest.approx({pick: best.count(pick) / len(best) for pick in set(best)})
    assert selection.cost == pytest.approx(min(trajectory), abs=1e-7)


def test_the_best_round_is_kept_not_the_last():
    y = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    good = np.eye(2)[y] * 0.2 + 0.4
    predictions = np.array([good, np.eye(2)[1 - y] * 0.98 + 0.01], dtype=np.float32)
    metric = get_metric("log_loss", TaskType.BINARY)
    alone = select(predictions[1:], y, metric, TaskType.BINARY, GreedyOptions(size=5))
    assert alone.weights == {0: 1.0}
    mixed = np.concatenate([predictions, predictions[:1] + 0.05 * np.eye(2)[y].astype(np.float32)])
    selection = select(mixed, y, metric, TaskType.BINARY, GreedyOptions(size=9))
    assert selection.cost == pytest.approx(min(selection.trajectory))


def test_of_equally_good_rounds_the_last_is_kept():
    y = np.array([0, 1] * 20)
    perfect = np.eye(2, dtype=np.float32)[y]
    weaker = (perfect * 0.8 + 0.1).astype(np.float32)
    selection = select(
        np.array([perfect, weaker]), y, get_metric("accuracy", TaskType.BINARY), TaskType.BINARY, GreedyOptions(size=30)
    )
    assert selection.cost == 0.0
    assert set(selection.weights) == {0, 1}


def test_ties_are_broken_by_the_seed():
    y = np.array([0, 1] * 20)
    same = np.repeat(np.eye(2, dtype=np.float32)[y][None], 8, axis=0)
    metric = get_metric("accuracy", TaskType.BINARY)
    found = [select(same, y, metric, TaskType.BINARY, GreedyOptions(size=1, seed=seed)).weights for seed in range(20)]
    again = [select(same, y, metric, TaskType.BINARY, GreedyOptions(size=1, seed=seed)).weights for seed in range(20)]
    assert found == again
    assert len({next(iter(weights)) for weights in found}) > 3


@settings(max_examples=30, deadline=None)
@given(
    st.permutations(range(9)),
    st.sampled_from([(t, n) for t, n in EVERY_FAST]),
    st.sampled_from(
        [
            GreedyOptions(size=8, seed=3),
            GreedyOptions(size=5, bags=4, seed=1),
            GreedyOptions(size=9, bags=2, patience=2),
        ]
    ),
)
def test_weights_do_not_depend_on_the_order_of_candidates(order, kind, rules):
    task_type, name = kind
    y, predictions = candidates(task_type, n_candidates=9, n_rows=97)
    metric = get_metric(name, task_type)
    how = select_bagged if rules.bags else select
    plain = how(predictions, y, metric, task_type, rules, range(9))
    shuffled = how(predictions[list(order)], y, metric, task_type, rules, order)
    assert shuffled.weights == plain.weights
    assert shuffled.trajectory == plain.trajectory


class Meeting:
    """A reduction over threads: what several ranks do, without MPI."""

    def __init__(self, size: int) -> None:
        self.barrier = threading.Barrier(size)
        self.boards: dict[int, object] = {}

    def _gather(self, value):
        self.boards[threading.get_ident()] = value
        self.barrier.wait(30)
        values = list(self.boards.values())
        self.barrier.wait(30)
        return values

    def best(self, pick: Pick) -> Pick:
        return min(self._gather(pick))

    def from_owner(self, predictions, shape):
        (owned,) = [value for value in self._gather(predictions) if value is not None]
        assert owned.shape == shape
        return owned


def in_shares(shares, y, metric, task_type, rules, predictions):
    meeting = Meeting(len(shares))
    results = [None] * len(shares)

    def work(number):
        own = list(shares[number])
        share = predictions[own]
        how = select_bagged if rules.bags else select
        results[number] = how(share, y, metric, task_type, rules, own, meeting)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(shares))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.mark.parametrize(("task_type", "name"), EVERY_FAST)
@pytest.mark.parametrize("rules", [GreedyOptions(size=12, seed=5), GreedyOptions(size=4, bags=4)])
def test_shares_give_exactly_the_result_of_one_process(task_type, name, rules):
    y, predictions = candidates(task_type, n_candidates=13)
    metric = get_metric(name, task_type)
    alone = (select_bagged if rules.bags else select)(predictions, y, metric, task_type, rules)
    shares = [range(0, 13, 3), range(1, 13, 3), [], range(2, 13, 3)]
    for result in in_shares(shares, y, metric, task_type, rules, predictions):
        assert result.weights == alone.weights
        assert result.trajectory == alone.trajectory
        assert result.cost == alone.cost


def positive_error(y, predicted):
    if (predicted < 0.0).any():
        raise ValueError("not defined below zero")
    return np.abs(y - predicted).mean()


def test_a_candidate_without_a_defined_cost_is_never_picked():
    y, predictions = candidates(TaskType.REGRESSION)
    predictions[2] = -3.0
    metric = declared(task_types=["regression"], optimum=0.0, greater_is_better=False)(positive_error)
    assert 2 not in select(predictions, y, metric, TaskType.REGRESSION, GreedyOptions(size=10)).weights
    with pytest.raises(ValueError, match="not defined for any"):
        select(predictions[2:3], y, metric, TaskType.REGRESSION, GreedyOptions(size=10))


def test_growth_ends_after_rounds_without_gain():
    y, predictions = candidates(TaskType.MULTICLASS)
    metric = get_metric("log_loss", TaskType.MULTICLASS)
    long = select(predictions, y, metric, TaskType.MULTICLASS, GreedyOptions(size=60, patience=60))
    short = select(predictions, y, metric, TaskType.MULTICLASS, GreedyOptions(size=60, patience=3))
    assert len(long.trajectory) == 60
    assert short.trajectory == long.trajectory[: len(short.trajectory)]
    best = short.trajectory.index(min(short.trajectory))
    assert len(short.trajectory) == best + 1 + 3
