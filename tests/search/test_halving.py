"""Asynchronous successive halving: who is promoted, whatever the order in which trials end."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpi_automl.parallel.coordinator import Coordinator
from mpi_automl.parallel.messages import Report
from mpi_automl.search.halving import Halving, Promotions, rung_budgets
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

BUDGETS = (1 / 9, 1 / 3, 1.0)


def ended(name, cost, budget=BUDGETS[0], *, rank=0, status=Status.SUCCESS, number=None, origin=Origin.MODEL):
    key = TrialKey(0, rank, name if number is None else number)
    return TrialUpdate(key, status, cost, origin, budget, 1.0, np.array([float(name), np.nan]))


def promoted(halving):
    """Everything that can be promoted now, as name and budget."""
    return [(int(one.vector[0]), one.budget) for one in iter(halving.next, None)]


def test_rungs_go_down_from_the_full_budget_by_a_factor():
    assert rung_budgets(3, 0.1) == pytest.approx(BUDGETS)
    assert rung_budgets(2, 0.125) == (0.125, 0.25, 0.5, 1.0)
    assert rung_budgets(4, 0.5) == (1.0,)


def test_the_best_third_of_a_rung_goes_on_as_it_fills():
    halving = Halving(BUDGETS, 3)
    for name, cost in enumerate([0.5, 0.4]):
        halving.note(ended(name, cost))
    assert promoted(halving) == []
    halving.note(ended(2, 0.3))
    assert promoted(halving) == [(2, BUDGETS[1])]
    for name, cost in enumerate([0.9, 0.2, 0.8], start=3):
        halving.note(ended(name, cost))
    assert promoted(halving) == [(4, BUDGETS[1])]
    assert promoted(halving) == []


def test_higher_rungs_come_first():
    halving = Halving(BUDGETS, 3)
    for name in range(9):
        halving.note(ended(name, 0.1 * name))
    assert promoted(halving) == [(name, BUDGETS[1]) for name in range(3)]
    for name in range(3):
        halving.note(ended(name, 1.0 - 0.1 * name, BUDGETS[1], number=10 + name))
    halving.note(ended(9, 0.01))
    for name in range(10, 12):
        halving.note(ended(name, 0.95))
    assert promoted(halving) == [(2, 1.0), (9, BUDGETS[1])]


def test_failures_count_and_are_never_promoted():
    halving = Halving(BUDGETS, 2)
    halving.note(ended(0, np.nan, status=Status.CRASHED))
    halving.note(ended(1, np.nan, status=Status.TIMEOUT))
    assert promoted(halving) == []
    halving.note(ended(2, 0.7))
    halving.note(ended(3, 0.1, status=Status.CRASHED))
    assert promoted(halving) == [(2, BUDGETS[1])]


def test_what_says_nothing_changes_nothing():
    halving = Halving(BUDGETS, 2)
    halving.note(ended(0, 0.1))
    for one in (
        ended(1, np.nan, status=Status.STOPPED),
        ended(2, np.nan, status=Status.RUNNING),
        ended(3, 0.5, 0.77),
        replace(ended(4, 0.5), origin=Origin.DUMMY),
        ended(0, 0.1, number=5),
    ):
        halving.note(one)
    assert promoted(halving) == []


def test_what_is_given_back_may_be_promoted_again():
    halving = Halving(BUDGETS, 2)
    for name in range(2):
        halving.note(ended(name, 0.1 * name))
    first = halving.next()
    assert halving.next() is None
    halving.give_back(first)
    again = halving.next()
    assert (again.key, again.budget, again.origin) == (TrialKey(0, 0, 0), BUDGETS[1], Origin.PROMOTED)


def test_a_resumed_run_goes_on_where_the_rungs_were():
    trials = [ended(name, 0.1 * name) for name in range(6)]
    trials += [ended(0, 0.3, BUDGETS[1], number=7)]
    for order in (trials, trials[::-1]):
        halving = Halving(BUDGETS, 3)
        for one in order:
            halving.note(one)
        assert promoted(halving) == [(1, BUDGETS[1])]
    barred = Halving(BUDGETS, 3)
    barred.leave_out([np.array([1.0, np.nan])])
    for one in trials:
        barred.note(one)
    assert promoted(barred) == []


@given(st.permutations(range(27)))
def test_in_the_end_the_order_does_not_matter_for_the_lowest_rung(order):
    halving = Halving(BUDGETS, 3)
    names = set()
    for name in order:
        halving.note(ended(name, float(name)))
        names |= {one for one, _ in promoted(halving)}
    assert set(range(9)) <= names


def simulate(ranks, eta, budgets, seconds, seed):
    """Ranks that finish in random order and take what rank 0 hands out, or begin something new: as the loop does."""
    rng = np.random.default_rng(seed)
    coordinator = Coordinator(ranks, "none", 0.0, Promotions(Halving(budgets, eta), ranks))
    names = itertools.count()
    queues = {rank: [] for rank in range(ranks)}
    numbers = [itertools.count() for _ in range(ranks)]
    events, done = [], []

    def begin(rank, now):
        if queues[rank]:
            promotion = queues[rank].pop(0)
            name, budget, origin = int(promotion.vector[0]), promotion.budget, promotion.origin
        else:
            name, budget, origin = next(names), budgets[0], Origin.MODEL
        one = ended(name, np.nan, budget, rank=rank, status=Status.RUNNING, number=next(numbers[rank]), origin=origin)
        coordinator.absorb(Report(rank, now, trials=(one,)), now)
        heapq.heappush(events, (now + budget * rng.lognormal(), rank, one))

    for rank in range(ranks):
        begin(rank, 0.0)
    while events and events[0][0] < seconds:
        now, rank, one = heapq.heappop(events)
        cost = (one.vector[0] * 0.61803) % 1 + 0.05 * rng.normal()
        result = replace(one, status=Status.SUCCESS, cost=float(cost))
        done.append(result)
        coordinator.absorb(Report(rank, now, trials=(result,)), now)
        for peer in rng.permutation(ranks):
            bulletin = coordinator.next_bulletin(int(peer), now)
            if bulletin is not None:
                queues[int(peer)].extend(bulletin.promotions)
        begin(rank, now)
    return coordinator, done, queues


@pytest.mark.parametrize(("ranks", "eta"), [(1, 3), (4, 3), pytest.param(50, 2, marks=pytest.mark.slow)])
def test_many_ranks_share_the_rungs_and_nobody_waits(ranks, eta):
    budgets = rung_budgets(eta, 0.1)
    coordinator, done, queues = simulate(ranks, eta, budgets, 60.0, seed=ranks)
    counts = [sum(one.budget == budget for one in done) for budget in budgets]
    for lower, higher in itertools.pairwise(counts):
        # Somewhat more than a share of 1/eta goes on: who once was among the best stays promoted.
        assert 0 < higher <= 1.3 * lower / eta + 2
        assert higher >= 0.8 * lower / eta - 2 * ranks
    names = [(one.vector[0], one.budget) for one in done]
    assert len(names) == len(set(names))
    below = {budget: {one.vector[0] for one in done if one.budget == budget} for budget in budgets}
    for lower, higher in itertools.pairwise(budgets):
        assert below[higher] <= below[lower]
    assert all(len(queue) <= 1 for queue in queues.values())
    assert coordinator.incumbent.budget == 1.0
    firsts = {one.vector[0]: one.key.rank for one in done if one.budget == budgets[0]}
    if ranks > 1:
        assert any(firsts[one.vector[0]] != one.key.rank for one in done if one.origin is Origin.PROMOTED)


def test_a_rank_that_stops_leaves_its_promotion_to_another():
    coordinator = Coordinator(2, "none", 0.0, Promotions(Halving(BUDGETS, 2), 2))
    coordinator.absorb(Report(0, 0.0, trials=(ended(0, 0.1), ended(1, 0.2))), 0.0)
    (promotion,) = coordinator.next_bulletin(1, 0.0).promotions
    assert coordinator.next_bulletin(0, 0.0) is None
    coordinator.absorb(Report(1, 0.0, is_last=True), 0.0)
    (again,) = coordinator.next_bulletin(0, 0.0).promotions
    assert again.key == promotion.key
    coordinator.absorb(Report(0, 0.0, wants_stop=True), 0.0)
    assert coordinator.next_bulletin(1, 0.0).promotions == ()
