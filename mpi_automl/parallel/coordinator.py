"""Rank 0's bookkeeping: what every rank reported, and what each has yet to receive. No MPI in here.

Incumbents of a repeatable job are chosen in `mpi_automl.parallel.rounds`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Protocol

from mpi_automl.parallel.messages import Bulletin, Report
from mpi_automl.trial import Status, TrialKey, TrialUpdate

# A rank that fell behind gets several bulletins: 512 updates of 150 hyperparameters are 0.65 MB.
_UPDATES_PER_BULLETIN = 512


class PromotionSource(Protocol):
    """Which trials are repeated with a larger budget, and on which rank (`mpi_automl.search.halving.Promotions`)."""

    def note(self, trial: TrialUpdate) -> None:
        """Take in that a rank has begun or ended a trial."""
        ...  # a protocol's method has no body

    def next_for(self, rank: int) -> tuple[TrialUpdate, ...]:
        """What a rank is to evaluate beside its own proposals: one trial, or none."""
        ...

    def take_back(self, rank: int) -> None:
        """Take in that a rank has stopped searching: what it has not begun goes to another one."""
        ...


@dataclass
class RankState:
    """What rank 0 knows of one rank.

    Attributes
    ----------
    last_report : float
        When its last report came, in seconds since the epoch.
    busy_seconds : float
        Time its trials have taken.
    received : int
        Finished trials of other ranks that it has received.
    finished : Counter of Status
        Its finished trials by status.
    under_way : dict of TrialKey to TrialUpdate
        Its trials that have begun and not ended, in this order: the first one runs, the others wait.
    since : float
        When the first of them began to run, in seconds since the epoch.
    is_last : bool
        It has stopped searching.
    """

    last_report: float
    busy_seconds: float = 0.0
    received: int = 0
    finished: Counter[Status] = field(default_factory=Counter)
    under_way: dict[TrialKey, TrialUpdate] = field(default_factory=dict)
    since: float = 0.0
    is_last: bool = False

    @property
    def running(self) -> int:
        """Its trials under evaluation."""
        return len(self.under_way)


class Coordinator:
    """Gathers the reports of all ranks and decides what each rank receives.

    Parameters
    ----------
    size : int
        Number of ranks.
    share : {"none", "incumbents", "history"}
        Whether bulletins carry nothing, new incumbents, or all trials.
    now : float
        Seconds since the epoch.
    promotions : PromotionSource, optional
        Which trials are repeated with a larger budget; without it every trial has the full one.

    Attributes
    ----------
    incumbent : TrialUpdate or None
        The best trial of all ranks so far, among those with the full budget.
    improvements : list of (float, float)
        When each incumbent came, in seconds since the epoch, and its cost.
    finished : Counter of Status
        Finished trials of all ranks by status.
    stopping : bool
        Whether every rank is to stop; set by `stop` or by a rank that asks for it.
    states : list of RankState
        One for each rank.
    """

    def __init__(self, size: int, share: str, now: float, promotions: PromotionSource | None = None) -> None:
        self.incumbent: TrialUpdate | None = None
        self.improvements: list[tuple[float, float]] = []
        self.finished: Counter[Status] = Counter()
        self.stopping = False
        self.states = [RankState(last_report=now) for _ in range(size)]
        self.promotions = promotions
        self._share = share
        self._updates: list[TrialUpdate] = []
        self._dropped = 0
        self._cursors = [0] * size
        self._sent_stop = [False] * size
        self._closed = [False] * size
        self._urgent = False
        self._has_updates = False
        self._made: dict[tuple[int, int, bool, bool], Bulletin] = {}

    @property
    def is_complete(self) -> bool:
        """Whether every rank has sent its last report."""
        return all(state.is_last for state in self.states)

    @property
    def is_closed(self) -> bool:
        """Whether every rank has been sent its last bulletin."""
        return all(self._closed)

    def stop(self) -> None:
        """Have every rank stop searching."""
        self._urgent = self._urgent or not self.stopping
        self.stopping = self._has_updates = True

    def absorb(self, report: Report, now: float) -> None:
        """Take in one report."""
        state = self.states[report.rank]
        state.last_report, state.busy_seconds, state.received = now, report.busy_seconds, report.received
        if report.wants_stop:
            self.stop()
        for trial in report.trials:
            self._note(state, trial, now)
        if report.is_last:
            state.is_last = True
            state.under_way.clear()
            if self.promotions is not None:
                self.promotions.take_back(report.rank)
            self._urgent = self._urgent or self.is_complete
            self._has_updates = True

    def pop_urgency(self) -> bool:
        """Whether something came up, since the last call, that every rank should receive at once."""
        urgent, self._urgent = self._urgent, False
        return urgent

    @property
    def has_updates(self) -> bool:
        """Whether any rank may have something to receive: the ranks need not be looked through otherwise."""
        return self._has_updates or self.promotions is not None

    def next_bulletin(self, peer: int, now: float) -> Bulletin | None:
        """What `peer` has yet to receive, or None when there is nothing new for it.

        Peers that have yet to receive the same get the same object, so that it can be encoded once.
        """
        if self._closed[peer]:
            return None
        end = self._dropped + len(self._updates)
        start = self._cursors[peer]
        if self._share == "incumbents":
            start = max(start, end - 1)
        stop_is_new = self.stopping and not self._sent_stop[peer]
        until = min(end, start + _UPDATES_PER_BULLETIN)
        is_last = until == end and self.is_complete
        promotions = self._promotions_for(peer)
        if not (until > start or stop_is_new or is_last or promotions):
            return None
        self._cursors[peer] = until
        self._sent_stop[peer] = self.stopping
        self._closed[peer] = is_last
        common = self._bulletin(start, until, now, is_last)
        return replace(common, promotions=promotions) if promotions else common

    def _bulletin(self, start: int, until: int, now: float, is_last: bool) -> Bulletin:
        what = (start, until, self.stopping, is_last)
        made = self._made.get(what)
        if made is None or made.sent != now:
            chunk = tuple(self._updates[start - self._dropped : until - self._dropped])
            self._made = {other: one for other, one in self._made.items() if one.sent == now}
            made = self._made[what] = Bulletin(until, now, self.stopping, is_last, chunk)
        return made

    def backlog(self, peer: int) -> int:
        """How many trials `peer` has yet to receive."""
        return self._dropped + len(self._updates) - self._cursors[peer]

    def forget_delivered(self) -> None:
        """Free the updates that every rank has been sent."""
        first = min(self._cursors)
        has_sent_stop = not self.stopping or all(self._sent_stop)
        has_closed = not self.is_complete or self.is_closed
        self._has_updates = not (first == self._dropped + len(self._updates) and has_sent_stop and has_closed)
        delivered = first - self._dropped
        if delivered > _UPDATES_PER_BULLETIN:
            del self._updates[:delivered]
            self._dropped += delivered

    def missing(self, now: float, timeout: float) -> list[tuple[int, float]]:
        """Ranks without a report for `timeout` seconds, with the seconds since the last one."""
        return [
            (rank, now - state.last_report)
            for rank, state in enumerate(self.states)
            if not state.is_last and now - state.last_report > timeout
        ]

    def _promotions_for(self, peer: int) -> tuple[TrialUpdate, ...]:
        if self.promotions is None or self.stopping or self.states[peer].is_last:
            return ()
        return self.promotions.next_for(peer)

    def _note(self, state: RankState, trial: TrialUpdate, now: float) -> None:
        if self.promotions is not None:
            self.promotions.note(trial)
        if trial.status is Status.RUNNING:
            if not state.under_way:
                state.since = now
            state.under_way[trial.key] = trial
        else:
            state.under_way.pop(trial.key, None)
            state.since = now
            state.finished[trial.status] += 1
            self.finished[trial.status] += 1
        is_incumbent = self._is_incumbent(trial)
        if is_incumbent:
            self.incumbent = trial
            self.improvements.append((now, trial.cost))
            self._urgent = self._urgent or self._share != "none"
        if self._share == "history" or (self._share == "incumbents" and is_incumbent):
            self._updates.append(trial)
            self._has_updates = True

    def _is_incumbent(self, trial: TrialUpdate) -> bool:
        if trial.status is not Status.SUCCESS or trial.budget < 1.0:
            return False
        return self.incumbent is None or (trial.cost, trial.key) < (self.incumbent.cost, self.incumbent.key)
