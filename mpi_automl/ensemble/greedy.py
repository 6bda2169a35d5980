"""Greedy ensemble selection with replacement (Caruana et al., ICML 2004).

In each round the candidate is added whose addition makes the ensemble's mean prediction best. Candidates are known by
identities and never by position, so their order does not matter; a tie goes to the lowest of pseudo-random priorities
that follow from seed, round and identity. The candidates may be dealt over processes: each scores its own share and
the best `Pick` of all is taken, which gives exactly the result of one process with all candidates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType
from mpi_automl.metrics.metric import Metric, Scorer
from mpi_automl.metrics.scorers import defined_cost, make_scorer

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
        Decides ties, and which rows are in which bag.
    bags : int
        Selections to average, each from a random half of the rows, see `mpi_automl.ensemble.bagging`; 0 for one
        selection from all rows.
    select_by : Metric, optional
        By which candidates are chosen, and of the rounds the best, if not by the metric that costs are given in.
    patience : int
        A selection ends after so many rounds without a better ensemble.
    """

    size: int = 50
    seed: int = 0
    bags: int = 0
    select_by: Metric | None = None
    patience: int = 15


@dataclass(frozen=True)
class GreedySelection:
    """What was selected.

    Attributes
    ----------
    weights : dict of int to float
        Weights of the selected candidates by identity, heaviest first; they sum to 1.
    trajectory : tuple of float
        Cost after each round.
    cost : float
        Cost of the ensemble with these weights.
    mean : ndarray of float64, shape (n_rows, n_outputs)
        The ensemble's predictions.
    """

    weights: dict[int, float]
    trajectory: tuple[float, ...]
    cost: float
    mean: NDArray[np.float64] = field(compare=False)


@dataclass(frozen=True, eq=False)
class Share:
    """The candidates of one process, and what connects it to the others.

    Attributes
    ----------
    predictions : ndarray of float32, shape (n_candidates, n_rows, n_outputs)
        May be empty.
    identities : ndarray of uint64, shape (n_candidates,)
        Different over all processes.
    reduction : Reduction
    """

    predictions: NDArray[np.float32]
    identities: NDArray[np.uint64]
    reduction: Reduction

    @cached_property
    def position(self) -> dict[int, int]:
        """Of each of its candidates."""
        return {int(identity): position for position, identity in enumerate(self.identities)}

    @property
    def shape(self) -> tuple[int, int]:
        """Of one candidate's predictions."""
        return self.predictions.shape[1], self.predictions.shape[2]

    def predictions_of(self, identity: int) -> NDArray[np.float32]:
        """Collective. The predictions of a candidate of any process."""
        position = self.position.get(identity)
        return self.reduction.from_owner(None if position is None else self.predictions[position], self.shape)


def make_share(
    predictions: NDArray[np.float32], identities: Sequence[int] | None, reduction: Reduction | None
) -> Share:
    """A share of candidates, by default all of them, with their positions as identities."""
    known = np.array(range(len(predictions)) if identities is None else identities, dtype=np.uint64)
    return Share(predictions, known, reduction or SingleProcess())


@dataclass(frozen=True, eq=False)
class Judge:
    """Scores ensembles by a metric, on all rows or some.

    Attributes
    ----------
    y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
    metric : Metric
    task_type : TaskType
    rows : ndarray of bool, shape (n_rows,), optional
        The rows that count.
    """

    y: NDArray[Any]
    metric: Metric
    task_type: TaskType
    rows: NDArray[np.bool_] | None = None

    def cost(self, mean: NDArray[np.float64]) -> float:
        """Cost of a mean prediction of all rows; infinity where the metric is not defined for it."""
        return defined_cost(self.metric, self.of_rows(self.y), self.task_type, self.of_rows(mean))

    def scorer(self, predictions: NDArray[np.float32]) -> Scorer:
        """The scorer of candidates; it takes sums of the rows that count."""
        if self.rows is not None:
            # The rows of an output stay together in memory.
            predictions = predictions.transpose(0, 2, 1)[:, :, self.rows].transpose(0, 2, 1)
        return make_scorer(predictions, self.of_rows(self.y), self.metric, self.task_type)

    def of_rows(self, values: NDArray[Any]) -> NDArray[Any]:
        """What belongs to the rows that count."""
        return values if self.rows is None else values[self.rows]


def select(
    predictions: NDArray[np.float32],
    y: NDArray[Any],
    metric: Metric,
    task_type: TaskType,
    options: GreedyOptions,
    identities: Sequence[int] | None = None,
    reduction: Reduction | None = None,
) -> GreedySelection:
    """Select an ensemble by all rows. Collective, if there is a reduction over several processes.

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
        Its bags are for `mpi_automl.ensemble.bagging`.
    identities : sequence of int, optional
        One number in [0, 2**64) for each candidate, different over all processes; the positions by default.
    reduction : Reduction, optional
        The default is for a single process.

    Raises
    ------
    NothingSelectedError
        On every process, if none has a candidate for which the metric that candidates are chosen by is defined.
    """
    select_by = options.select_by or metric
    reported = None if options.select_by is None else Judge(y, metric, task_type)
    judge = Judge(y, select_by, task_type)
    ensemble = grow(make_share(predictions, identities, reduction), judge, options, reported=reported)
    if not ensemble.picks:
        raise NothingSelectedError(f"the metric {select_by.name} is not defined for any candidate")
    mean = ensemble.mean()
    return GreedySelection(ensemble.shares(), tuple(ensemble.trajectory), (reported or judge).cost(mean), mean)


def priorities(identities: NDArray[np.uint64], seed: int, salt: int) -> NDArray[np.uint64]:
    """Pseudo-random numbers that follow from identity, seed and salt alone (the mixer of splitmix64)."""
    start = _mix(_mix(np.array([seed % (_UINT64_MAX + 1)], dtype=np.uint64)) + np.uint64(salt % (_UINT64_MAX + 1)))
    return _mix(identities ^ start)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@dataclass
class GrowingEnsemble:
    """The ensemble while it is selected: the picks, their costs as reported, and the best round so far."""

    picks: list[int]
    trajectory: list[float]
    total: NDArray[np.float64]
    best: tuple[float, int, NDArray[np.float64]]
    reported: Judge | None

    @classmethod
    def empty(cls, shape: tuple[int, int], reported: Judge | None) -> GrowingEnsemble:
        """An ensemble without members."""
        return cls([], [], np.zeros(shape), (float("inf"), 0, np.zeros(shape)), reported)

    def add(self, identity: int, predictions: NDArray[np.float32], cost: float) -> None:
        """Add a member; the cost is that of the ensemble with it."""
        self.total += predictions
        self.picks.append(identity)
        self.trajectory.append(cost if self.reported is None else self.reported.cost(self.mean()))
        if cost <= self.best[0]:
            self.best = (cost, len(self.picks), self.total.copy())

    @property
    def rounds_without_gain(self) -> int:
        """Rounds since the best one."""
        return len(self.picks) - self.best[1]

    def back_to_best_round(self) -> None:
        """Take back what was added after the best round."""
        _, length, total = self.best
        self.picks, self.total = self.picks[:length], total.copy()

    def mean(self) -> NDArray[np.float64]:
        """Its predictions of all rows."""
        return self.total / max(1, len(self.picks))

    def shares(self) -> dict[int, float]:
        """Share of the picks that each candidate has, largest first."""
        return {identity: count / len(self.picks) for identity, count in Counter(self.picks).most_common()}


def grow(
    share: Share, judge: Judge, options: GreedyOptions, salt: int = 0, reported: Judge | None = None
) -> GrowingEnsemble:
    """Collective. Grow an ensemble up to its best round; without picks, if the metric is not defined for any candidate.

    Parameters
    ----------
    share : Share
    judge : Judge
        Chooses the candidates.
    options : GreedyOptions
    salt : int
        With the seed, decides ties.
    reported : Judge, optional
        Gives the costs of the trajectory, if not `judge`.
    """
    ensemble = GrowingEnsemble.empty(share.shape, reported)
    scorer = judge.scorer(share.predictions)
    every = np.ones(len(share.identities), dtype=bool)
    while len(ensemble.picks) < options.size and ensemble.rounds_without_gain < options.patience:
        costs = scorer.costs(judge.of_rows(ensemble.total), len(ensemble.picks), every)
        order = priorities(share.identities, options.seed, (salt << 32) + len(ensemble.picks) + 1)
        pick = share.reduction.best(_best(share.identities, order, costs))
        if pick == NO_PICK:
            break
        ensemble.add(pick.identity, share.predictions_of(pick.identity), pick.cost)
    ensemble.back_to_best_round()
    return ensemble


def _best(identities: NDArray[np.uint64], order: NDArray[np.uint64], costs: NDArray[np.float64]) -> Pick:
    """The best candidate by these costs; `NO_PICK` if none has a finite one."""
    costs = np.where(np.isfinite(costs), costs, np.inf)
    if not len(costs) or np.isinf(costs).all():
        return NO_PICK
    tied = np.flatnonzero(costs == costs.min())
    first = tied[order[tied].argmin()]
    return Pick(float(costs[first]), int(order[first]), int(identities[first]))
