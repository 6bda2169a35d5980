"""What a rank's proposer learns: the rank's own finished trials and those that other ranks report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.trial import Origin, Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.search.proposer import Proposer
    from mpi_automl.trial import TrialKey, TrialUpdate

_PRUNED_SHARE = 0.35
"""Of the way from the best cost to the dummy's: a trial that is further behind after some folds helps no ensemble
(docs/performance/evaluation.md)."""


class KnownTrials:
    """Hands trials to the proposer, finished ones to learn from and pending ones to stay away from.

    Parameters
    ----------
    proposer : Proposer
    rank : int
        This rank: its own trials that come back from rank 0 are left out.
    prunes : bool
        Whether trials may be given up that are far behind the best one.
    dummy_cost : float
        If it is known already.

    Attributes
    ----------
    received : int
        Finished trials of other ranks.
    """

    def __init__(self, proposer: Proposer, rank: int, *, prunes: bool = False, dummy_cost: float = np.nan) -> None:
        self._proposer, self.rank, self._prunes, self._dummy_cost = proposer, rank, prunes, dummy_cost
        self._pending: dict[TrialKey, NDArray[np.float64]] = {}
        self.received = 0

    @property
    def best_cost(self) -> float:
        """Of all known trials; infinite without a success."""
        row = self._proposer.history.best()
        return np.inf if row is None else float(self._proposer.history.costs[row])

    @property
    def prune_above(self) -> float:
        """Mean cost of folds above which a trial is given up; infinite until the dummy and a better trial are known."""
        best = self.best_cost
        if not self._prunes or not best < self._dummy_cost:
            return float(np.inf)
        return float(best + _PRUNED_SHARE * (self._dummy_cost - best))

    def add_own(self, update: TrialUpdate) -> None:
        """Learn from a finished trial of this rank."""
        self._learn([update], foreign=False)

    def receive(self, updates: Iterable[TrialUpdate]) -> None:
        """Take in what rank 0 passes on: trials of other ranks that have begun or ended."""
        foreign = [update for update in updates if update.key.rank != self.rank]
        if not foreign:
            return
        for update in foreign:
            if update.status is Status.RUNNING:
                self._pending[update.key] = update.vector
            else:
                self._pending.pop(update.key, None)
        self._proposer.set_pending(self._pending)
        finished = [update for update in foreign if update.status is not Status.RUNNING]
        if finished:
            self._learn(finished, foreign=True)
            self.received += len(finished)

    def _learn(self, updates: Sequence[TrialUpdate], *, foreign: bool) -> None:
        for update in updates:
            if update.origin is Origin.DUMMY and update.status is Status.SUCCESS:
                self._dummy_cost = update.cost
        self._proposer.tell(
            np.array([update.vector for update in updates]),
            [update.cost for update in updates],
            [update.status for update in updates],
            [update.key for update in updates],
            foreign=foreign,
            seconds=[update.seconds for update in updates],
            budgets=[update.budget for update in updates],
        )
