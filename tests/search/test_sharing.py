"""Sixty-four ranks that share their history through a real coordinator do not do the same thing twice."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import pytest
from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace, EqualsCondition, UniformFloatHyperparameter

from mpi_automl.parallel.coordinator import Coordinator
from mpi_automl.parallel.messages import Report, decode_bulletin, encode_bulletin
from mpi_automl.search.acquisition import AcquisitionOptimizerOptions
from mpi_automl.search.initial import initial_design
from mpi_automl.search.proposer import Proposer
from mpi_automl.search.seeds import rank_seed
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

RANKS, ROUNDS = 64, 3
OPTIONS = AcquisitionOptimizerOptions(
    random_candidates=150, random_starts=2, known_starts=1, foreign_starts=1, neighbours=16, steps=5, queue=16
)


def space() -> ConfigurationSpace:
    made = ConfigurationSpace(seed=0)
    learner = CategoricalHyperparameter("learner", ["a", "b", "c"])
    floats = [UniformFloatHyperparameter(f"x{i}", 0, 1) for i in range(3)]
    only = UniformFloatHyperparameter("only_a", 0, 1)
    made.add(learner, *floats, only)
    made.add(EqualsCondition(only, learner, "a"))
    return made


def cost(vector: np.ndarray) -> float:
    numbers = np.nan_to_num(vector[1:], nan=0.9)
    return float(0.1 * vector[0] + ((numbers - 0.3) ** 2).sum() + 0.01)


@dataclass
class Rank:
    """A rank's proposer, and what it knows to be running elsewhere."""

    proposer: Proposer
    elsewhere: dict[TrialKey, np.ndarray]
    number: int = 0

    def receive(self, trials: tuple[TrialUpdate, ...], own: int, *, knows_running: bool) -> None:
        others = [trial for trial in trials if trial.key.rank != own]
        for trial in others:
            if trial.status is not Status.RUNNING:
                self.elsewhere.pop(trial.key, None)
            elif knows_running:
                self.elsewhere[trial.key] = trial.vector
        self.proposer.set_pending(self.elsewhere)
        tell(self.proposer, [trial for trial in others if trial.status is not Status.RUNNING], foreign=True)


def tell(proposer: Proposer, trials: list[TrialUpdate], *, foreign: bool) -> None:
    if trials:
        vectors, costs = [trial.vector for trial in trials], [trial.cost for trial in trials]
        statuses, keys = [trial.status for trial in trials], [trial.key for trial in trials]
        proposer.tell(np.array(vectors), costs, statuses, keys, foreign=foreign)


@dataclass(frozen=True)
class Done:
    """A trial and when it ran."""

    update: TrialUpdate
    start: float
    end: float


def search(*, knows_running: bool) -> tuple[list[Done], Coordinator, list[Rank]]:
    """Trials in the order in which they ended, of ranks whose trials take random times."""
    rng, made = np.random.default_rng(0), space()
    coordinator = Coordinator(RANKS, "history", 0.0)
    ranks = [
        Rank(Proposer(made, rank_seed(1, r), initial_design(made, "random", r, RANKS, 1), optimizer=OPTIONS), {})
        for r in range(RANKS)
    ]
    done: list[Done] = []
    under_way: list[tuple[float, int, float, TrialUpdate]] = []

    def begin(number: int, now: float) -> None:
        rank = ranks[number]
        while (bulletin := coordinator.next_bulletin(number, now)) is not None:
            rank.receive(decode_bulletin(encode_bulletin(bulletin)).trials, number, knows_running=knows_running)
        proposal = rank.proposer.ask()
        key = TrialKey(0, number, rank.number)
        rank.number += 1
        update = TrialUpdate(key, Status.RUNNING, np.nan, proposal.origin, 1.0, 0.0, proposal.vector)
        coordinator.absorb(Report(number, now, trials=(update,)), now)
        heapq.heappush(under_way, (now + float(rng.exponential(5.0)), number, now, update))

    for number in range(RANKS):
        begin(number, 0.0)
    while under_way:
        now, number, start, update = heapq.heappop(under_way)
        ended = TrialUpdate(update.key, Status.SUCCESS, cost(update.vector), update.origin, 1.0, 5.0, update.vector)
        done.append(Done(ended, start, now))
        tell(ranks[number].proposer, [ended], foreign=False)
        coordinator.absorb(Report(number, now, trials=(ended,)), now)
        if ranks[number].number < ROUNDS:
            begin(number, now)
    return done, coordinator, ranks


def near_pairs(done: list[Done]) -> int:
    """Pairs of model-made trials of different ranks, run at the same time, that are nearly the same.

    That is: the same learner, and every number within a hundredth of its range.
    """
    made = [trial for trial in done if trial.update.origin in (Origin.MODEL, Origin.FOREIGN)]
    assert len(made) > 0.6 * (len(done) - RANKS)
    rows = np.nan_to_num(np.array([trial.update.vector for trial in made]), nan=-1.0)
    owners = np.array([trial.update.key.rank for trial in made])
    starts, ends = (np.array([getattr(trial, moment) for trial in made]) for moment in ("start", "end"))
    is_near = (np.abs(rows[:, None] - rows[None]).max(axis=2) < 0.01) & (owners[:, None] != owners[None])
    together = (starts[:, None] < ends[None]) & (starts[None] < ends[:, None])
    return int((is_near & together).sum()) // 2


@pytest.fixture(scope="module")
def shared() -> tuple[list[Done], Coordinator, list[Rank]]:
    return search(knows_running=True)


@pytest.mark.slow
def test_no_two_ranks_evaluate_nearly_the_same_at_the_same_time(shared):
    done, _, _ = shared
    assert near_pairs(done) == 0
    blind, _, _ = search(knows_running=False)
    assert near_pairs(blind) > 0, "this must be able to fail"
    later, begun = (np.median([trial.update.cost for trial in part]) for part in (done[-64:], done[:64]))
    assert later < 0.6 * begun


def test_every_rank_is_told_every_trial_of_the_others(shared):
    done, coordinator, ranks = shared
    for number, rank in enumerate(ranks):
        while (bulletin := coordinator.next_bulletin(number, 1e9)) is not None:
            rank.receive(bulletin.trials, number, knows_running=True)
        assert rank.proposer.history.foreign == len(done) - ROUNDS
        assert rank.proposer.history.own == ROUNDS
        assert not rank.elsewhere
