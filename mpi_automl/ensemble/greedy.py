"""Greedy ensemble selection with replacement (Caruana et al., ICML 2004).

In each round the candidate is added whose addition makes the ensemble's mean prediction best. Candidates are known by
identities and never by position, so their order does not matter; a tie goes to the lowest of pseudo-random priorities
that follow from seed, round and identity. The candidates may be dealt over processes: each scores its own share and
the best `Pick` of all is taken, which gives exactly the result of one process with all candidates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType
from mpi_automl.metrics.metric import Metric, Scorer
from mpi_automl.metrics.scorers import defined_cost, make_scorer

CostOf = Callable[[NDArray[np.float64]], float]
"""Cost of a mean prediction, shape (n_rows, n_outputs); infinity where the metric is not defined for it."""
_UINT64_MAX = (1 << 64) - 1


class NothingSelectedError(ValueError):
    """The metric is not defined for any candidate, or there is none."""


class Pick(NamedTuple):
    """The best candidate of a share in one round; picks compare by cost, then priority."""

    cost: float
    priority: int
    identity: int


NO_PICK = Pick(float("inf"), _UINT64_MAX, _UINT64_MAX)


class Reduction(Protocol):
    """Brings together what the processes found in a round; the only point where they communicate."""

    def best(self, pick: Pick) -> Pick:
        """Collective. The best of all processes' picks, on every process."""

    def from_owner(self, predictions: NDArray[np.float32] | None, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Collective. The predictions of the one process that does not give None, on every process."""


class SingleProcess:
    """The reduction of a single process."""

    def best(self, pick: Pick) -> Pick:
        """See `Reduction.best`."""
        return pick

    def from_owner(self, predictions: NDArray[np.float32] | None, shape: tuple[int, int]) -> NDArray[np.float32]:
        """See `Reduction.from_owner`."""
        assert predictions is not None
        return predictions


@dataclass(frozen=True)
class GreedyOptions:
    """How greedy selection works.

    Attributes
    ----------
    size : int
        Rounds of selection.
    seed : int
        Decides ties, and which candidates are in which bag.
    sorted_start : int
        Start from up to this many of the best candidates, as many as give the best ensemble (section 2.3 of the
        paper); 0 for an empty start.
    bags : int
        Select this often, each time from a random part of the candidates, and average (section 2.3); 0 for one
        selection from all of them.
    bag_share : float
        Part of the candidates that is in a bag; one half, as in the paper.
    select_by : Metric, optional
        By which candidates are chosen, and of the rounds the best, if not by the metric that costs are given in.
    """

    size: int = 50
    seed: int = 0
    sorted_start: int = 0
    bags: int = 0
    bag_share: float = 0.5
    select_by: Metric | None = None


@dataclass(frozen=True)
class GreedySelection:
    """What was selected.

    Attributes
    ----------
    weights : dict of int to float
        Weights of the selected candidates by identity, heaviest first; they sum to 1.
    trajectory : tuple of float
        Cost after each round; with bags, after each bag of their average.
    cost : float
        Cost of the ensemble with these weights.
    """

    weights: dict[int, float]
    trajectory: tuple[float, ...]
    cost: float


def select(
    predictions: NDArray[np.float32],
    y: NDArray[Any],
    metric: Metric,
    task_type: TaskType,
    options: GreedyOptions,
    identities: Sequence[int] | None = None,
    reduction: Reduction | None = None,
) -> GreedySelection:
    """Select an ensemble. Collective, if there is a reduction over several processes.

    The ensemble of the round with the lowest cost is kept; of several such rounds the last, whose mean is over the
    most members.

    Parameters
    ----------
    predictions : ndarray of float32, shape (n_candidates, n_rows, n_outputs)
        The process's own share of the candidates; may be empty.
    y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
    metric : Metric
        In which the costs of the result are given, and by which candidates are chosen unless
        `GreedyOptions.select_by` names another.
    task_type : TaskType
    options : GreedyOptions
    identities : sequence of int, optional
        One number in [0, 2**64) for each candidate, different over all processes; the positions by default.
    reduction : Reduction, optional
        The default is for a single process.

    Raises
    ------
    NothingSelectedError
        On every process, if none has a candidate for which the metric that candidates are chosen by is defined.
    """
    known = np.array(range(len(predictions)) if identities is None else identities, dtype=np.uint64)
    select_by = options.select_by or metric
    cost = partial(defined_cost, select_by, y, task_type)
    reported = None if options.select_by is None else partial(defined_cost, metric, y, task_type)
    scorer = make_scorer(predictions, y, select_by, task_type)
    selector = _Selector(predictions, known, scorer, reduction or SingleProcess(), options, cost, reported)
    if options.bags:
        return _select_bags(selector)
    ensemble = selector.run(np.ones(len(known), dtype=bool), 0)
    if not ensemble.picks:
        raise NothingSelectedError(f"the metric {select_by.name} is not defined for any candidate")
    return GreedySelection(_shares(ensemble.picks), tuple(ensemble.trajectory), (reported or cost)(ensemble.mean()))


def priorities(identities: NDArray[np.uint64], seed: int, salt: int) -> NDArray[np.uint64]:
    """Pseudo-random numbers that follow from identity, seed and salt alone (the mixer of splitmix64)."""
    start = _mix(_mix(np.array([seed % (_UINT64_MAX + 1)], dtype=np.uint64)) + np.uint64(salt % (_UINT64_MAX + 1)))
    return _mix(identities ^ start)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@dataclass(frozen=True, eq=False)
class _RoundCandidates:
    """Candidates of a share that may be picked in a round.

    Attributes
    ----------
    identities : ndarray of uint64, shape (n_candidates,)
    priorities : ndarray of uint64, shape (n_candidates,)
        Decide ties.
    allowed : ndarray of bool, shape (n_candidates,)
    """

    identities: NDArray[np.uint64]
    priorities: NDArray[np.uint64]
    allowed: NDArray[np.bool_]

    def best(self, costs: NDArray[np.float64]) -> Pick:
        """The best allowed candidate by these costs; `NO_PICK` if none has a finite one."""
        costs = np.where(self.allowed & np.isfinite(costs), costs, np.inf)
        if not len(costs) or np.isinf(costs).all():
            return NO_PICK
        tied = np.flatnonzero(costs == costs.min())
        first = tied[self.priorities[tied].argmin()]
        return Pick(float(costs[first]), int(self.priorities[first]), int(self.identities[first]))


@dataclass
class _PartialEnsemble:
    """The ensemble while it is selected: the picks, their costs as reported, and the best round so far."""

    picks: list[int]
    trajectory: list[float]
    total: NDArray[np.float64]
    best: tuple[float, int, NDArray[np.float64]]
    reported: CostOf | None

    @classmethod
    def empty(cls, shape: tuple[int, int], reported: CostOf | None) -> _PartialEnsemble:
        return cls([], [], np.zeros(shape), (float("inf"), 0, np.zeros(shape)), reported)

    def add(self, identity: int, predictions: NDArray[np.float32], cost: float) -> None:
        self.total += predictions
        self.picks.append(identity)
        self.trajectory.append(cost if self.reported is None else self.reported(self.mean()))
        if cost <= self.best[0]:
            self.best = (cost, len(self.picks), self.total.copy())

    def back_to_best_round(self) -> None:
        _, length, total = self.best
        self.picks, self.total = self.picks[:length], total.copy()

    def mean(self) -> NDArray[np.float64]:
        return self.total / max(1, len(self.picks))


class _Selector:
    """Selection over one share of the candidates, in step with the other shares."""

    def __init__(
        self,
        predictions: NDArray[np.float32],
        identities: NDArray[np.uint64],
        scorer: Scorer,
        reduction: Reduction,
        options: GreedyOptions,
        cost: CostOf,
        reported: CostOf | None,
    ) -> None:
        self.predictions, self.identities, self.scorer = predictions, identities, scorer
        self.reduction, self.options, self.cost, self.reported = reduction, options, cost, reported
        self.position = {int(identity): position for position, identity in enumerate(identities)}
        self.shape = (predictions.shape[1], predictions.shape[2])

    def run(self, allowed: NDArray[np.bool_], salt: int) -> _PartialEnsemble:
        ensemble = _PartialEnsemble.empty(self.shape, self.reported)
        if self.options.sorted_start:
            self._start_sorted(ensemble, self._candidates(allowed, salt, 0))
        for number in range(len(ensemble.picks) + 1, self.options.size + 1):
            candidates = self._candidates(allowed, salt, number)
            costs = self.scorer.costs(ensemble.total, len(ensemble.picks), allowed)
            pick = self.reduction.best(candidates.best(costs))
            if pick == NO_PICK:
                break
            ensemble.add(pick.identity, self._predictions_of(pick.identity), pick.cost)
        ensemble.back_to_best_round()
        return ensemble

    def _start_sorted(self, ensemble: _PartialEnsemble, candidates: _RoundCandidates) -> None:
        costs = self.scorer.costs(ensemble.total, 0)
        for _ in range(min(self.options.sorted_start, self.options.size)):
            pick = self.reduction.best(candidates.best(costs))
            if pick == NO_PICK:
                break
            if pick.identity in self.position:
                costs[self.position[pick.identity]] = np.inf
            predictions = self._predictions_of(pick.identity)
            cost = self.cost((ensemble.total + predictions) / (len(ensemble.picks) + 1))
            ensemble.add(pick.identity, predictions, cost)
        ensemble.back_to_best_round()
        del ensemble.trajectory[len(ensemble.picks) :]

    def _candidates(self, allowed: NDArray[np.bool_], salt: int, number: int) -> _RoundCandidates:
        order = priorities(self.identities, self.options.seed, (salt << 32) + number)
        return _RoundCandidates(self.identities, order, allowed)

    def _predictions_of(self, identity: int) -> NDArray[np.float32]:
        position = self.position.get(identity)
        return self.reduction.from_owner(None if position is None else self.predictions[position], self.shape)


def _select_bags(selector: _Selector) -> GreedySelection:
    options, cost = selector.options, selector.reported or selector.cost
    weights: Counter[int] = Counter()
    total = np.zeros(selector.shape)
    trajectory: list[float] = []
    for bag in range(1, options.bags + 1):
        share = np.uint64(int(options.bag_share * _UINT64_MAX))
        ensemble = selector.run(priorities(selector.identities, options.seed, -bag) < share, bag)
        if ensemble.picks:
            weights.update(_shares(ensemble.picks))
            total += ensemble.mean()
            trajectory.append(cost(total / (len(trajectory) + 1)))
    if not trajectory:
        raise NothingSelectedError("no bag has a candidate for which the metric is defined")
    scaled = {identity: weight / len(trajectory) for identity, weight in weights.most_common()}
    return GreedySelection(scaled, tuple(trajectory), trajectory[-1])


def _shares(picks: Sequence[int]) -> dict[int, float]:
    """Share of the picks that each identity has, largest first."""
    return {identity: count / len(picks) for identity, count in Counter(picks).most_common()}
