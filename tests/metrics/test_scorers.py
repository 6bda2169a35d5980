"""Fast scorers against the metrics' own functions, and bounds that must not hide the best candidate."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from ensemble_candidates import EVERY_FAST, FAST, candidates, hard_votes

from mpi_automl.data.task import TaskType
from mpi_automl.metrics.metric import metric as declared
from mpi_automl.metrics.registry import get_metric, metric_names
from mpi_automl.metrics.scorers import GeneralScorer, make_scorer, order_by_class


def has_fast_path(task_type, name):
    y, predictions = candidates(task_type, n_candidates=1)
    return not isinstance(make_scorer(predictions, y, get_metric(name, task_type), task_type), GeneralScorer)


EVERY_WITH_FAST_PATH = [
    (task_type, name) for task_type in TaskType for name in metric_names(task_type) if has_fast_path(task_type, name)
]


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


def test_a_metric_of_the_users_own_gets_the_general_scorer():
    @declared(task_types=["binary"])
    def share_of_right(y, labels):
        return float((y == labels).mean())

    y, predictions = candidates(TaskType.BINARY)
    scorer = make_scorer(predictions, y, share_of_right, TaskType.BINARY)
    fast = make_scorer(predictions, y, get_metric("accuracy", TaskType.BINARY), TaskType.BINARY)
    total = np.zeros(predictions.shape[1:])
    assert not share_of_right.fast_scorers
    assert scorer.costs(total, 0) == pytest.approx(fast.costs(total, 0))


def test_a_constant_target_gets_the_general_scorer_for_r2():
    _, predictions = candidates(TaskType.REGRESSION)
    scorer = make_scorer(predictions, np.ones(240), get_metric("r2", TaskType.REGRESSION), TaskType.REGRESSION)
    assert isinstance(scorer, GeneralScorer)
    assert np.isfinite(scorer.costs(np.zeros(predictions.shape[1:]), 0)).all()
