"""Which trial a rank evaluates next, and when it is due."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpi_automl.job.proposal_timer import ProposalTimer
from mpi_automl.search.proposer import SpaceExhaustedError
from mpi_automl.search.seeds import trial_seed
from mpi_automl.trial import Origin, Trial, TrialKey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mpi_automl.job.running_trials import RunningTrials
    from mpi_automl.search.proposer import Proposer
    from mpi_automl.trial import Result, TrialUpdate

_LAST_PROMOTIONS = 5.0
"""Seconds that a rank without anything new to try waits for a promotion after its last trial."""


@dataclass(frozen=True)
class ScheduleOptions:
    """What a rank's trials are made from.

    Attributes
    ----------
    leg, rank : int
        Parts of the trials' keys.
    seed : int
        The job's seed.
    budget : float
        Share of the full budget that new configurations get; rank 0 promotes the best of them.
    max_trials : int or None
        Trials of this rank at most.
    """

    leg: int
    rank: int
    seed: int
    budget: float = 1.0
    max_trials: int | None = None


class TrialScheduler:
    """The next trial of a rank: first trials, then promotions as they come, then proposals.

    Parameters
    ----------
    proposer : Proposer
    options : ScheduleOptions
    first : iterable of Trial
        Evaluated before anything else; they have the lowest numbers.

    Attributes
    ----------
    is_exhausted : bool
        Every configuration of the space has been proposed.
    scheduled : int
        Trials so far, with the first ones from the beginning.
    ask_seconds : float
        Time spent proposing.
    """

    def __init__(self, proposer: Proposer, options: ScheduleOptions, first: Iterable[Trial] = ()) -> None:
        self._proposer, self._options = proposer, options
        self._first = deque(first)
        self._promotions: deque[TrialUpdate] = deque()
        self._timer = ProposalTimer()
        self._ask_seconds: dict[TrialKey, float] = {}
        self._last_end = 0.0
        self.is_exhausted = False
        self.scheduled = len(self._first)
        self.ask_seconds = 0.0

    def prepare(self) -> None:
        """Import in a thread what proposing needs; meanwhile the first trials run and messages are received."""
        # Where trials are counted, proposals must not depend on how long the import takes.
        self._proposer.prepare(random_meanwhile=self._options.max_trials is None)

    def promote(self, promotions: Iterable[TrialUpdate]) -> None:
        """Take in trials that rank 0 wants repeated here with a larger budget."""
        self._promotions.extend(promotions)

    def seconds_until_due(self, running: RunningTrials) -> float:
        """Seconds until the next trial is to be proposed, unless a running one ends before."""
        if not running.count or self._promotions:
            return 0.0
        return max(0.0, running.since + self._timer.delay - time.monotonic())

    def is_due(self, running: RunningTrials) -> bool:
        """Whether `next` should be called now."""
        if self._first:
            return True
        has_something = bool(self._promotions) or not self.is_exhausted
        return has_something and not self._has_scheduled_all and self.seconds_until_due(running) <= 0

    def next(self) -> Trial | None:
        """The next trial; None when every configuration of the space has been evaluated."""
        if self._first:
            return self._first.popleft()
        if self._promotions:
            promotion = self._promotions.popleft()
            return self._numbered(promotion.vector, promotion.origin, promotion.budget)
        started = time.perf_counter()
        try:
            proposal = self._proposer.ask()
        except SpaceExhaustedError:
            self.is_exhausted = True
            return None
        trial = self._numbered(proposal.vector, proposal.origin, self._options.budget)
        spent = time.perf_counter() - started
        self._ask_seconds[trial.key] = spent
        self.ask_seconds += spent
        self._timer.note_proposal(spent)
        return trial

    def note_end(self, result: Result) -> float:
        """Take in that a trial has ended; gives the seconds that proposing it took."""
        self._timer.note_trial(result.end - result.start)
        self._last_end = time.monotonic()
        return self._ask_seconds.pop(result.trial.key, 0.0)

    def is_complete(self, finished: int) -> bool:
        """Whether nothing more is to be evaluated, given how many trials have ended."""
        return (self._has_scheduled_all or self._has_tried_all) and finished >= self.scheduled

    def _numbered(self, vector: NDArray[np.float64], origin: Origin, budget: float) -> Trial:
        key = TrialKey(self._options.leg, self._options.rank, self.scheduled)
        self.scheduled += 1
        return Trial(key, vector, trial_seed(self._options.seed, key), origin, budget)

    @property
    def _has_scheduled_all(self) -> bool:
        return self._options.max_trials is not None and self.scheduled >= self._options.max_trials

    @property
    def _has_tried_all(self) -> bool:
        """Every configuration has been proposed, and no promotion is to be expected from rank 0 either."""
        awaits_promotions = self._options.budget < 1.0 and time.monotonic() - self._last_end < _LAST_PROMOTIONS
        return self.is_exhausted and not self._promotions and not awaits_promotions
