"""Asynchronous successive halving, decided on rank 0: which trials are worth a larger budget. No MPI in here."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mpi_automl.configuration_identity import identity
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Budgets are quotients of floating-point numbers.
_TOLERANCE = 1e-9


def rung_budgets(eta: int, least: float) -> tuple[float, ...]:
    """Budgets of the rungs, ascending: 1, 1/eta, 1/eta², and so on as long as they are not below `least`.

    Parameters
    ----------
    eta : int
        Factor between two rungs, at least 2.
    least : float
        In (0, 1].
    """
    budgets = [1.0]
    while budgets[-1] / eta >= least - _TOLERANCE:
        budgets.append(budgets[-1] / eta)
    return tuple(reversed(budgets))


@dataclass
class _Rung:
    """Trials with one budget.

    Attributes
    ----------
    ranking : list
        Cost and key of all that have ended, best first; a failure costs infinity.
    waiting : list
        Heap of those that could be promoted.
    known : set of bytes
        Configurations in the ranking.
    passed_on : set of bytes
        Configurations that have been promoted from here, or must not be.
    """

    ranking: list[tuple[float, TrialKey]] = field(default_factory=list)
    waiting: list[tuple[float, TrialKey, TrialUpdate]] = field(default_factory=list)
    known: set[bytes] = field(default_factory=set)
    passed_on: set[bytes] = field(default_factory=set)


class Halving:
    """Successive halving without waiting for a rung to fill (ASHA).

    A trial is promoted to the next rung as soon as it is among the best 1/eta of those that ended in its
    own; with nothing to promote, a new configuration starts in the lowest (Li et al. 2020, "A System for Massively
    Parallel Hyperparameter Tuning", algorithm 2). Higher rungs come first.

    Parameters
    ----------
    budgets : sequence of float
        Of the rungs, ascending (`rung_budgets`).
    eta : int
    """

    def __init__(self, budgets: Iterable[float], eta: int) -> None:
        self.budgets = tuple(budgets)
        self._eta = eta
        self._rungs = [_Rung() for _ in self.budgets]

    def note(self, trial: TrialUpdate) -> None:
        """Take in a trial that has ended, in any order.

        The dummy, trials that the end of a job cut off and those of other budgets than the rungs' change
        nothing. What failed counts in its rung and is never promoted.
        """
        number = self._number(trial.budget)
        if number is None or trial.origin is Origin.DUMMY or trial.status in (Status.RUNNING, Status.STOPPED):
            return
        rung, name = self._rungs[number], identity(trial.vector)
        if name in rung.known:
            return
        rung.known.add(name)
        is_whole = trial.status is Status.SUCCESS and math.isfinite(trial.cost)
        cost = trial.cost if is_whole else math.inf
        insort(rung.ranking, (cost, trial.key))
        if number > 0:
            self._rungs[number - 1].passed_on.add(name)
        if is_whole and number + 1 < len(self._rungs):
            heapq.heappush(rung.waiting, (cost, trial.key, trial))

    def leave_out(self, vectors: Iterable[NDArray[np.float64]]) -> None:
        """Never promote these configurations."""
        for rung in self._rungs:
            rung.passed_on.update(identity(vector) for vector in vectors)

    def next(self) -> TrialUpdate | None:
        """The next trial to be repeated, with its new budget; None when nothing is worth it.

        The caller sees to it that it is evaluated, or gives it back (`give_back`).
        """
        for number in reversed(range(len(self._rungs) - 1)):
            rung = self._rungs[number]
            while rung.waiting and identity(rung.waiting[0][2].vector) in rung.passed_on:
                heapq.heappop(rung.waiting)
            if rung.waiting and self._is_among_best(rung):
                trial = heapq.heappop(rung.waiting)[2]
                rung.passed_on.add(identity(trial.vector))
                return replace(trial, status=Status.RUNNING, origin=Origin.PROMOTED, budget=self.budgets[number + 1])
        return None

    def give_back(self, promotion: TrialUpdate) -> None:
        """What `next` gave was not evaluated after all: it may be promoted again."""
        number = self._number(promotion.budget)
        assert number is not None
        rung = self._rungs[number - 1]
        rung.passed_on.discard(identity(promotion.vector))
        heapq.heappush(rung.waiting, (promotion.cost, promotion.key, promotion))

    def _is_among_best(self, rung: _Rung) -> bool:
        cost, key, _ = rung.waiting[0]
        return bisect_left(rung.ranking, (cost, key)) < len(rung.ranking) // self._eta

    def _number(self, budget: float) -> int | None:
        near = (number for number, own in enumerate(self.budgets) if abs(own - budget) < _TOLERANCE)
        return next(near, None)


class Promotions:
    """What rank 0 hands out: at most one promotion for each rank that it has not begun.

    Parameters
    ----------
    halving : Halving
    size : int
        Number of ranks.
    """

    def __init__(self, halving: Halving, size: int) -> None:
        self._halving = halving
        self._due: list[TrialUpdate | None] = [None] * size

    def note(self, trial: TrialUpdate) -> None:
        """A rank has begun or ended a trial."""
        due = self._due[trial.key.rank]
        if trial.status is not Status.RUNNING:
            self._halving.note(trial)
        elif due is not None and (due.budget, identity(due.vector)) == (trial.budget, identity(trial.vector)):
            self._due[trial.key.rank] = None

    def next_for(self, rank: int) -> tuple[TrialUpdate, ...]:
        """What a rank is to evaluate beside its own proposals: one trial, or none."""
        if self._due[rank] is not None or (trial := self._halving.next()) is None:
            return ()
        self._due[rank] = trial
        return (trial,)

    def take_back(self, rank: int) -> None:
        """A rank has stopped searching: what it has not begun goes to another one."""
        due, self._due[rank] = self._due[rank], None
        if due is not None:
            self._halving.give_back(due)
