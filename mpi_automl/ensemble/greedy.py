"""Greedy ensemble selection with replacement (Caruana et al., ICML 2004).

In each round the candidate is added whose addition makes the ensemble's mean prediction best. Candidates are known by
identities and never by position, so their order does not matter; a tie goes to the least of pseudo-random priorities
that follow from seed, round and identity. The candidates may be shared out over processes: each scores its own
share and the least `Pick` of all is taken, which gives exactly the result of one process with all candidates.
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
from mpi_automl.metrics.registry import Metric
from mpi_automl.metrics.scorers import Scorer, defined_cost, make_scorer

CostOf = Callable[[NDArray[np.float64]], float]
_NEVER = (1 << 64) - 1


class NothingSelectedError(ValueError):
    """The metric is not defined for any candidate, or there is none."""


class Pick(NamedTuple):
    """The best candidate of a share in one round; picks compare by cost, then priority."""

    cost: float
    priority: int
    identity: int


NO_PICK = Pick(float("inf"), _NEVER, _NEVER)


class Reduction(Protocol):
    """Brings together what the processes found in a round; the only point where they talk."""

    def least(self, pick: Pick) -> Pick:
        """Collective. The least of all processes' picks, on every process."""

    def from_owner(self, predictions: NDArray[np.float32] | None, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Collective. The predictions of the one process that does not give None, on every process."""


class Alone:
    """The reduction of a single process."""

    def least(self, pick: Pick) -> Pick:
        """See `Reduction.least`."""
        return pick

    def from_owner(self, predictions: NDArray[np.float32] | None, shape: tuple[int, int]) -> NDArray[np.float32]:
        """See `Reduction.from_owner`."""
        assert predictions is not None
        return predictions


@dataclass(frozen=True)
class Rules:
    """How to select.

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
        Part of the candidates that is in a bag.
    """

    size: int = 50
    seed: int = 0
    sorted_start: int = 0
    bags: int = 0
    bag_share: float = 0.5


@dataclass(frozen=True)
class Selection:
    """What was selected.

    Attributes
    ----------
    weights : dict of int to float
        Weights of the chosen candidates by identity, heaviest first; they sum to 1.
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
    rules: Rules,
    identities: Sequence[int] | None = None,
    reduction: Reduction | None = None,
    *,
    judge: Metric | None = None,
) -> Selection:
    """Select an ensemble. Collective, if there is a reduction over several processes.

    The ensemble of the round with the least cost is kept; of several such rounds the last, whose mean is over the
    most members.

    Parameters
    ----------
    predictions : ndarray of float32, shape (n_candidates, n_rows, n_outputs)
        The process's own share of the candidates; may be empty.
    y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
    metric : Metric
        By which candidates are chosen, and of the rounds the best.
    task_type : TaskType
    rules : Rules
    identities : sequence of int, optional
        One number in [0, 2**64) for each candidate, different over all processes; the positions by default.
    reduction : Reduction, optional
        The default is for a single process.
    judge : Metric, optional
        In which the costs of the result are given, if not in `metric`.

    Raises
    ------
    NothingSelectedError
        On every process, if none has a candidate for which the metric is defined.
    """
    known = np.array(range(len(predictions)) if identities is None else identities, dtype=np.uint64)
    scorer = make_scorer(predictions, y, metric, task_type)

    cost = partial(defined_cost, metric, y, task_type)
    judged = None if judge is None else partial(defined_cost, judge, y, task_type)
    search = _Search(predictions, known, scorer, reduction or Alone(), rules, judged)
    if rules.bags:
        return _bagged(search, cost, rules)
    path = search.run(np.ones(len(known), dtype=bool), 0, cost)
    if not path.picks:
        raise NothingSelectedError(f"the metric {metric.name} is not defined for any candidate")
    return Selection(_shares(path.picks), tuple(path.trajectory), (judged or cost)(path.mean()))


def priorities(identities: NDArray[np.uint64], seed: int, salt: int) -> NDArray[np.uint64]:
    """Pseudo-random numbers that follow from identity, seed and salt alone (the mixer of splitmix64)."""
    start = _mix(_mix(np.array([seed % (_NEVER + 1)], dtype=np.uint64)) + np.uint64(salt % (_NEVER + 1)))
    return _mix(identities ^ start)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def score_round(scorer: Scorer, total: NDArray[np.float64], members: int, among: Among) -> Pick:
    """Best candidate of a share to add to an ensemble; a `Pick` of infinite cost if there is none.

    Parameters
    ----------
    scorer : Scorer
    total : ndarray of float64, shape (n_rows, n_outputs)
        Sum of the members' predictions.
    members : int
        Number of members so far, repetitions counted.
    among : Among
    """
    return _least(scorer.costs(total, members, among.allowed), among)


@dataclass(frozen=True, eq=False)
class Among:
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


def _least(costs: NDArray[np.float64], among: Among) -> Pick:
    costs = np.where(among.allowed & np.isfinite(costs), costs, np.inf)
    if not len(costs) or np.isinf(costs).all():
        return NO_PICK
    tied = np.flatnonzero(costs == costs.min())
    first = tied[among.priorities[tied].argmin()]
    return Pick(float(costs[first]), int(among.priorities[first]), int(among.identities[first]))


@dataclass
class _Path:
    """An ensemble on its way: the picks, the costs after each one as they are judged, and their best stretch so far."""

    picks: list[int]
    trajectory: list[float]
    total: NDArray[np.float64]
    best: tuple[float, int, NDArray[np.float64]]
    judged: CostOf | None

    @classmethod
    def start(cls, shape: tuple[int, int], judged: CostOf | None) -> _Path:
        return cls([], [], np.zeros(shape), (float("inf"), 0, np.zeros(shape)), judged)

    def add(self, identity: int, predictions: NDArray[np.float32], cost: float) -> None:
        self.total += predictions
        self.picks.append(identity)
        self.trajectory.append(cost if self.judged is None else self.judged(self.mean()))
        if cost <= self.best[0]:
            self.best = (cost, len(self.picks), self.total.copy())

    def cut(self) -> None:
        """Go back to the best round."""
        _, length, total = self.best
        self.picks, self.total = self.picks[:length], total.copy()

    def mean(self) -> NDArray[np.float64]:
        return self.total / max(1, len(self.picks))


class _Search:
    """Selection over one share of the candidates, in step with the other shares."""

    def __init__(
        self,
        predictions: NDArray[np.float32],
        identities: NDArray[np.uint64],
        scorer: Scorer,
        reduction: Reduction,
        rules: Rules,
        judged: CostOf | None,
    ) -> None:
        self.predictions, self.identities, self.scorer = predictions, identities, scorer
        self.reduction, self.rules, self.judged = reduction, rules, judged
        self.position = {int(identity): position for position, identity in enumerate(identities)}
        self.shape = (predictions.shape[1], predictions.shape[2])

    def run(self, allowed: NDArray[np.bool_], salt: int, cost: CostOf) -> _Path:
        path = _Path.start(self.shape, self.judged)
        if self.rules.sorted_start:
            self._start_sorted(path, self._among(allowed, salt, 0), cost)
        for number in range(len(path.picks) + 1, self.rules.size + 1):
            among = self._among(allowed, salt, number)
            pick = self.reduction.least(score_round(self.scorer, path.total, len(path.picks), among))
            if pick == NO_PICK:
                break
            path.add(pick.identity, self._predictions_of(pick.identity), pick.cost)
        path.cut()
        return path

    def _start_sorted(self, path: _Path, among: Among, cost: CostOf) -> None:
        costs = self.scorer.costs(path.total, 0)
        for _ in range(min(self.rules.sorted_start, self.rules.size)):
            pick = self.reduction.least(_least(costs, among))
            if pick == NO_PICK:
                break
            if pick.identity in self.position:
                costs[self.position[pick.identity]] = np.inf
            predictions = self._predictions_of(pick.identity)
            path.add(pick.identity, predictions, cost((path.total + predictions) / (len(path.picks) + 1)))
        path.cut()
        del path.trajectory[len(path.picks) :]

    def _among(self, allowed: NDArray[np.bool_], salt: int, number: int) -> Among:
        return Among(self.identities, priorities(self.identities, self.rules.seed, (salt << 32) + number), allowed)

    def _predictions_of(self, identity: int) -> NDArray[np.float32]:
        position = self.position.get(identity)
        return self.reduction.from_owner(None if position is None else self.predictions[position], self.shape)


def _bagged(search: _Search, cost: CostOf, rules: Rules) -> Selection:
    weights: Counter[int] = Counter()
    total = np.zeros(search.shape)
    trajectory: list[float] = []
    for bag in range(1, rules.bags + 1):
        inside = priorities(search.identities, rules.seed, -bag) < np.uint64(int(rules.bag_share * _NEVER))
        path = search.run(inside, bag, cost)
        if path.picks:
            weights.update(_shares(path.picks))
            total += path.mean()
            trajectory.append((search.judged or cost)(total / (len(trajectory) + 1)))
    if not trajectory:
        raise NothingSelectedError("no bag has a candidate for which the metric is defined")
    scaled = {identity: weight / len(trajectory) for identity, weight in weights.most_common()}
    return Selection(scaled, tuple(trajectory), trajectory[-1])


def _shares(picks: Sequence[int]) -> dict[int, float]:
    """Share of the picks that each identity has, largest first."""
    return {identity: count / len(picks) for identity, count in Counter(picks).most_common()}
