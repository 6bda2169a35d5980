"""Who is a candidate, and the ways to combine them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ensemble_candidates import candidates
from hypothesis import given
from hypothesis import strategies as st

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.build import (
    METHODS,
    CandidateFilter,
    Candidates,
    build_ensemble,
    choose_candidates,
    identity_of,
    key_of,
)
from mpi_automl.ensemble.combination import combine, from_mapping
from mpi_automl.ensemble.greedy import GreedyOptions
from mpi_automl.errors import UserError
from mpi_automl.metrics.registry import get_metric
from mpi_automl.trial import TrialKey

KEYS = [TrialKey(0, rank, number) for rank in range(2) for number in range(3)]
COSTS = np.array([0.4, 0.1, np.nan, 0.3, 0.2, 0.5])


def chosen(**rule):
    return [str(key) for key in choose_candidates(KEYS, COSTS, CandidateFilter(**rule))]


def test_candidates_are_better_than_the_baseline_and_best_first():
    assert chosen() == ["0-0-1", "0-1-1", "0-1-0", "0-0-0", "0-1-2"]
    assert chosen(baseline_cost=0.3) == ["0-0-1", "0-1-1"]
    assert chosen(baseline_cost=0.1) == []


def test_nbest_is_a_count_or_a_share():
    assert chosen(nbest=2) == ["0-0-1", "0-1-1"]
    assert chosen(nbest=0.5) == ["0-0-1", "0-1-1", "0-1-0"]
    assert chosen(nbest=0.01) == ["0-0-1"]
    assert chosen(nbest=0) == ["0-0-1"]


def test_performance_range_drops_what_is_near_the_baseline():
    assert chosen(baseline_cost=0.6, performance_range=0.5) == ["0-0-1", "0-1-1", "0-1-0"]
    assert chosen(baseline_cost=0.6, performance_range=1.0) == ["0-0-1"]


@given(
    st.permutations(range(6)),
    st.sampled_from([CandidateFilter(), CandidateFilter(nbest=2), CandidateFilter(0.45, 0.5, 0.3)]),
)
def test_the_order_of_trials_does_not_matter(order, rule):
    shuffled = choose_candidates([KEYS[i] for i in order], COSTS[list(order)], rule)
    assert shuffled == choose_candidates(KEYS, COSTS, rule)


@given(st.integers(0, 4000), st.integers(0, 1 << 20), st.integers(0, 1 << 26))
def test_keys_become_numbers_and_come_back(leg, rank, number):
    key = TrialKey(leg, rank, number)
    assert key_of(identity_of(key)) == key
    assert 0 <= identity_of(key) < 1 << 64


def sample(task_type, seed=0):
    y, predictions = candidates(task_type, n_candidates=6, n_rows=400, seed=seed)
    return Candidates(tuple(KEYS), predictions), y, get_metric("auto", task_type)


@pytest.mark.parametrize("task_type", list(TaskType))
@pytest.mark.parametrize("method", [*METHODS[:-1], pytest.param(METHODS[-1], marks=pytest.mark.slow)])
def test_a_combination_gives_its_cost_and_survives_json(task_type, method):
    found, y, metric = sample(task_type)
    ensemble = build_ensemble(found, y, metric, task_type, GreedyOptions(size=10), method=method)
    by_key = dict(zip(found.keys, found.predictions, strict=True))
    combined = combine(ensemble.combination, by_key)
    assert metric.cost(y, combined, task_type) == pytest.approx(ensemble.cost)
    restored = from_mapping(json.loads(json.dumps(ensemble.combination.to_mapping())))
    assert np.array_equal(combine(restored, by_key), combined)
    assert list(restored.weights) == list(ensemble.weights)
    assert sum(ensemble.weights.values()) == pytest.approx(1.0)
    if task_type in (TaskType.BINARY, TaskType.MULTICLASS):
        assert combined.sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize("task_type", list(TaskType))
def test_stacking_beats_the_single_best_of_independent_candidates_on_new_rows(task_type):
    found, y, metric = sample(task_type)
    half = np.arange(len(y)) < len(y) // 2
    known = Candidates(found.keys, found.predictions[:, half])
    costs = {}
    for method in ("single_best", "stacking"):
        ensemble = build_ensemble(known, y[half], metric, task_type, GreedyOptions(), method=method)
        unseen = dict(zip(found.keys, found.predictions[:, ~half], strict=True))
        costs[method] = metric.cost(y[~half], combine(ensemble.combination, unseen), task_type)
    assert costs["stacking"] < costs["single_best"]


def test_stacking_with_classes_that_have_no_rows():
    found, y, metric = sample(TaskType.MULTICLASS)
    y = y % 2
    ensemble = build_ensemble(found, y, metric, TaskType.MULTICLASS, GreedyOptions(), method="stacking")
    combined = combine(ensemble.combination, dict(zip(found.keys, found.predictions, strict=True)))
    assert combined[:, 2:].max() < 0.05
    assert combined.sum(axis=1) == pytest.approx(1.0)


@pytest.mark.slow
def test_the_nested_check_is_not_fooled_by_a_candidate_that_knows_the_answers():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    noise = rng.dirichlet([1, 1], (6, 300)).astype(np.float32)
    noise[0] = 0.9 * np.eye(2)[y] + 0.05
    metric = get_metric("log_loss", TaskType.BINARY)
    found = Candidates(tuple(KEYS), noise)
    single = build_ensemble(found, y, metric, TaskType.BINARY, GreedyOptions(), method="single_best")
    assert single.weights == {KEYS[0]: 1.0}
    auto = build_ensemble(found, y, metric, TaskType.BINARY, GreedyOptions(), method="auto")
    assert auto.cost <= single.cost
    assert auto.method in METHODS[:-1]


def test_unknown_ways_to_combine_are_refused():
    found, y, metric = sample(TaskType.BINARY)
    with pytest.raises(ValueError, match="greedy, single_best, stacking, auto"):
        build_ensemble(found, y, metric, TaskType.BINARY, GreedyOptions(), method="voting")
    with pytest.raises(UserError, match="does not know"):
        from_mapping({"kind": "voting"})
    with pytest.raises(UserError, match="damaged"):
        from_mapping({"kind": "mean", "weights": {"0-1": 1.0}})
