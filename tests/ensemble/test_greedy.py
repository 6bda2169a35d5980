"""Greedy selection against a plain loop, and what must not change its result."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import candidates, hard_votes

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.greedy import GreedyOptions, Pick, select
from mpi_automl.metrics.registry import get_metric, metric_names
from mpi_automl.metrics.scorers import GeneralScorer, make_scorer, order_by_class

FAST = {
    TaskType.BINARY: ["accuracy", "balanced_accuracy", "log_loss", "brier_score", "roc_auc", "f1", "f1_macro"],
    TaskType.MULTICLASS: ["accuracy", "balanced_accuracy", "log_loss", "brier_score", "roc_auc", "f1_macro"],
    TaskType.MULTILABEL: ["f1_macro", "f1_micro", "brier_score"],
    TaskType.REGRESSION: ["root_mean_squared_error", "mean_absolute_error", "r2", "mean_squared_error"],
    TaskType.MULTIOUTPUT: ["root_mean_squared_error", "mean_absolute_error", "r2", "mean_squared_error"],
}
EVERY_FAST = [(task_type, name) for task_type, names in FAST.items() for name in names]


def has_fast_path(task_type, name):
    y, predictions = candidates(task_type, n_candidates=1)
    return not isinstance(make_scorer(predictions, y, get_metric(name, task_type), task_type), GeneralScorer)


EVERY_WITH_FAST_PATH = [
    (task_type, name) for task_type in TaskType for name in metric_names(task_type) if has_fast_path(task_type, name)
]


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


def test_common_metrics_have_a_fast_path():
    assert set(EVERY_FAST) <= set(EVERY_WITH_FAST_PATH)


@pytest.mark.parametrize(("task_type", "name"), EVERY_WITH_FAST_PATH)
def test_every_scorer_gives_the_metrics_own_cost(task_type, name):
    y, predictions = candidates(task_type)
    metric = get_metric(name, task_type)
    scorer = make_scorer(predictions, y, metric, task_type)
    for members in (0, 1, 7):
        total = predictions[:members].sum(axis=0, dtype=np.float64)
        expected = GeneralScorer(predictions, y, metric, task_type).costs(total, members)
        assert scorer.costs(total, members) == pytest.approx(expected, abs=1e-7)


def as_read(y, predictions, task_type):
    """Truth and predictions as they come from a run."""
    order = order_by_class(y, task_type)
    if order is not None:
        y, predictions = y[order], predictions[:, order]
    return y, np.ascontiguousarray(predictions.transpose(0, 2, 1)).transpose(0, 2, 1)


@pytest.mark.parametrize(("task_type", "name"), EVERY_FAST)
def test_predictions_as_they_are_read_are_not_copied(task_type, name):
    y, predictions = as_read(*candidates(task_type, n_candidates=300, n_rows=1000), task_type)
    metric = get_metric(name, task_type)
    tracemalloc.start()
    make_scorer(predictions, y, metric, task_type)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    parts = {"roc_auc": 0.4, "log_loss": 0.6}
    assert peak < parts.get(name, 0.1) * predictions.nbytes + (4 << 20)


@pytest.mark.parametrize(("task_type", "name"), EVERY_FAST)
def test_cost_does_not_depend_on_where_rows_lie(task_type, name):
    y, predictions = candidates(task_type)
    metric = get_metric(name, task_type)
    total = predictions[:3].sum(axis=0, dtype=np.float64)
    sorted_y, sorted_predictions = as_read(y, predictions, task_type)
    sorted_total = as_read(y, total[None], task_type)[1][0]
    plain = make_scorer(predictions, y, metric, task_type).costs(total, 3)
    assert (make_scorer(sorted_predictions, sorted_y, metric, task_type).costs(sorted_total, 3) == plain).all()


@pytest.mark.parametrize(("task_type", "name"), [kind for kind in EVERY_WITH_FAST_PATH if kind[0].is_classification])
def test_equal_probabilities_are_decided_as_by_the_metric(task_type, name):
    y, predictions = hard_votes(task_type)
    metric = get_metric(name, task_type)
    scorer = make_scorer(predictions, y, metric, task_type)
    for members in (1, 3):
        total = predictions[:members].sum(axis=0, dtype=np.float64)
        expected = GeneralScorer(predictions, y, metric, task_type).costs(total, members)
        assert scorer.costs(total, members) == pytest.approx(expected, abs=1e-7)


def alike(task_type, n_candidates, n_rows, seed):
    """Candidates with hardly anything between them, some of them equal."""
    y, predictions = candidates(task_type, n_candidates=3, n_rows=n_rows, seed=seed)
    rng = np.random.default_rng(seed)
    shared = predictions[rng.integers(0, 3, n_candidates)]
    return y, shared + 1e-4 * rng.integers(0, 3, (n_candidates, 1, 1)) * rng.random(shared.shape, dtype=np.float32)


def rounded(task_type, n_candidates, n_rows, seed):
    """Many rows with the same probability."""
    y, predictions = candidates(task_type, n_candidates=n_candidates, n_rows=n_rows, seed=seed)
    return y, np.round(predictions, 1)


def far_from_probabilities(task_type, n_candidates, n_rows, seed):
    y, predictions = candidates(task_type, n_candidates=n_candidates, n_rows=n_rows, seed=seed)
    return y, 1e4 * predictions - 7e3


def perfect(task_type, n_candidates, n_rows, seed):
    """Several candidates without any error, and one that says the same of all rows."""
    y, predictions = candidates(task_type, n_candidates=n_candidates, n_rows=n_rows, seed=seed)
    predictions[::2] += 2.0 * np.eye(predictions.shape[2], dtype=np.float32)[y]
    predictions[1] = 0.0
    return y, predictions


@pytest.mark.parametrize("task_type", [TaskType.BINARY, TaskType.MULTICLASS])
@pytest.mark.parametrize("make", [candidates, hard_votes, alike, rounded, far_from_probabilities, perfect])
def test_bounds_on_areas_never_hide_the_best(task_type, make):
    metric = get_metric("roc_auc", task_type)
    rng = np.random.default_rng(1)
    for seed in range(6):
        y, predictions = make(task_type, n_candidates=30, n_rows=500, seed=seed)
        scorer = make_scorer(predictions, y, metric, task_type)
        for members in (0, 3, 40):
            total = predictions[rng.integers(0, 30, members)].sum(axis=0, dtype=np.float64)
            allowed = rng.random(30) < 0.8
            exact, bounded = scorer.costs(total, members), scorer.costs(total, members, allowed)
            best = exact[allowed].min()
            assert bounded[allowed].min() == best
            assert (bounded[allowed & (exact == best)] == best).all()
            assert (bounded[allowed & (exact > best)] > best).all()


@pytest.mark.parametrize("task_type", [TaskType.BINARY, TaskType.MULTICLASS])
def test_most_candidates_are_not_sorted_for_their_area(task_type, monkeypatch):
    metric = get_metric("roc_auc", task_type)
    y, predictions = as_read(*candidates(task_type, n_candidates=200, n_rows=2000), task_type)
    scorer = make_scorer(predictions, y, metric, task_type)
    sorted_ones = []
    exact = scorer._exact
    monkeypatch.setattr(scorer, "_exact", lambda *known: sorted_ones.append(known[1]) or exact(*known))
    scorer.costs(np.zeros(predictions.shape[1:]), 0, np.ones(200, dtype=bool))
    assert len(sorted_ones) < 40


def test_infinite_outputs_are_not_put_into_bins():
    y, predictions = candidates(TaskType.BINARY, n_candidates=20, n_rows=500)
    predictions[3, 5] = np.inf
    metric = get_metric("roc_auc", TaskType.BINARY)
    scorer = make_scorer(predictions, y, metric, TaskType.BINARY)
    total = np.zeros(predictions.shape[1:])
    assert (scorer.costs(total, 0, np.ones(20, dtype=bool)) == scorer.costs(total, 0)).all()


@pytest.mark.parametrize("n_rows", [1, 7, 8, 9, 255, 2047])
def test_counts_of_classes_for_any_number_of_rows(n_rows):
    rng = np.random.default_rng(n_rows)
    y = rng.integers(0, 3, n_rows)
    predictions = rng.integers(0, 9, (5, n_rows, 4)).astype(np.float32) / 8  # Sums have no rounding, so ties stay ties.
    metric = get_metric("f1_macro", TaskType.MULTICLASS)
    scorer = make_scorer(predictions, y, metric, TaskType.MULTICLASS)
    total = predictions[:2].sum(axis=0, dtype=np.float64)
    expected = GeneralScorer(predictions, y, metric, TaskType.MULTICLASS).costs(total, 2)
    assert scorer.costs(total, 2) == pytest.approx(expected, abs=1e-12)


def test_classes_without_rows_and_rare_ones():
    y, predictions = candidates(TaskType.MULTICLASS)
    y = np.where(y == 2, 0, y)
    y[y == 3] = 1
    y[7] = 3
    for name in FAST[TaskType.MULTICLASS]:
        metric = get_metric(name, TaskType.MULTICLASS)
        total = predictions[:2].sum(axis=0, dtype=np.float64)
        expected = GeneralScorer(predictions, y, metric, TaskType.MULTICLASS).costs(total, 2)
        found = make_scorer(predictions, y, metric, TaskType.MULTICLASS).costs(total, 2)
        assert found == pytest.approx(expected, abs=1e-7), name


def test_more_rows_than_a_chunk_and_a_far_target():
    rng = np.random.default_rng(0)
    y = 1e6 + rng.normal(size=150_000)
    predictions = (y + rng.normal(size=(3, len(y))))[:, :, None].astype(np.float32)
    for name in FAST[TaskType.REGRESSION]:
        metric = get_metric(name, TaskType.REGRESSION)
        total = predictions[:2].sum(axis=0, dtype=np.float64)
        expected = GeneralScorer(predictions, y, metric, TaskType.REGRESSION).costs(total, 2)
        found = make_scorer(predictions, y, metric, TaskType.REGRESSION).costs(total, 2)
        assert found == pytest.approx(expected, rel=1e-5), name


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
        [GreedyOptions(size=8, seed=3), GreedyOptions(size=8, sorted_start=4), GreedyOptions(size=5, bags=4, seed=1)]
    ),
)
def test_weights_do_not_depend_on_the_order_of_candidates(order, kind, rules):
    task_type, name = kind
    y, predictions = candidates(task_type, n_candidates=9, n_rows=97)
    metric = get_metric(name, task_type)
    plain = select(predictions, y, metric, task_type, rules, range(9))
    shuffled = select(predictions[list(order)], y, metric, task_type, rules, order)
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
        results[number] = select(share, y, metric, task_type, rules, own, meeting)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(shares))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.mark.parametrize(("task_type", "name"), EVERY_FAST)
@pytest.mark.parametrize(
    "rules", [GreedyOptions(size=12, seed=5), GreedyOptions(size=6, sorted_start=3), GreedyOptions(size=4, bags=3)]
)
def test_shares_give_exactly_the_result_of_one_process(task_type, name, rules):
    y, predictions = candidates(task_type, n_candidates=13)
    metric = get_metric(name, task_type)
    alone = select(predictions, y, metric, task_type, rules)
    shares = [range(0, 13, 3), range(1, 13, 3), [], range(2, 13, 3)]
    for result in in_shares(shares, y, metric, task_type, rules, predictions):
        assert result.weights == alone.weights
        assert result.trajectory == alone.trajectory
        assert result.cost == alone.cost


def test_a_candidate_without_a_defined_cost_is_never_picked():
    y, predictions = candidates(TaskType.REGRESSION)
    predictions[2] = -3.0
    metric = get_metric("mean_squared_log_error", TaskType.REGRESSION)
    assert 2 not in select(predictions, y, metric, TaskType.REGRESSION, GreedyOptions(size=10)).weights
    with pytest.raises(ValueError, match="not defined for any"):
        select(predictions[2:3], y, metric, TaskType.REGRESSION, GreedyOptions(size=10))


def test_a_sorted_start_is_at_least_as_good_as_the_best_single_one():
    y, predictions = candidates(TaskType.MULTICLASS)
    metric = get_metric("log_loss", TaskType.MULTICLASS)
    selection = select(predictions, y, metric, TaskType.MULTICLASS, GreedyOptions(size=20, sorted_start=5))
    single = min(metric.cost(y, prediction, TaskType.MULTICLASS) for prediction in predictions)
    assert selection.cost <= single
    assert sum(selection.weights.values()) == pytest.approx(1.0)


def test_bags_leave_candidates_out_and_average():
    y, predictions = candidates(TaskType.MULTICLASS)
    metric = get_metric("log_loss", TaskType.MULTICLASS)
    selection = select(predictions, y, metric, TaskType.MULTICLASS, GreedyOptions(size=10, bags=6, seed=2))
    assert sum(selection.weights.values()) == pytest.approx(1.0)
    combined = sum(weight * predictions[number].astype(float) for number, weight in selection.weights.items())
    assert metric.cost(y, combined, TaskType.MULTICLASS) == pytest.approx(selection.cost)
