"""When a rank may take its next trial, and when it receives the others': as they come, or in rounds that are counted.

In a repeatable job nothing that a rank learns from may depend on who was faster. Ranks then take one trial
at a time and send each other what they found after fixed numbers of trials, by a collective that every rank
enters once per round. It is non-blocking and only ever tested, so that a rank which waits for others still
serves the star of messages (signs of life, the order to stop), keeps no core busy, and can be given up on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.parallel.messages import Bulletin, Report, decode_report, encode_report, report_length
from mpi_automl.trial import Status, TrialUpdate

if TYPE_CHECKING:
    from mpi4py.MPI import Request

    from mpi_automl.parallel.world import World
    from mpi_automl.settings import Settings


class Synchronization:
    """None at all: a rank takes trials as it likes and receives those of others by the star of messages alone.

    Attributes
    ----------
    waited_seconds : float
        Time in which the rank could do nothing but wait for others.
    """

    waited_seconds: float = 0.0

    @property
    def has_turn(self) -> bool:
        """Whether a further trial may be handed out now."""
        return True

    @property
    def is_waiting(self) -> bool:
        """Whether a round is under way."""
        return False

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be received; only after `leave`."""
        return True

    def note(self, updates: Sequence[TrialUpdate]) -> None:
        """Take in that own trials began or ended."""

    def leave(self) -> None:
        """Make no more trials."""

    def serve(self) -> list[Bulletin]:
        """Enter or leave a round if that is due, and give what has been received; returns at once."""
        return []


class OneByOne(Synchronization):
    """A rank that proposes nothing while a trial of its own is running."""

    def __init__(self) -> None:
        self._running = 0

    @property
    def has_turn(self) -> bool:
        """Whether no trial of this rank is under way."""
        return self._running == 0

    def note(self, updates: Sequence[TrialUpdate]) -> None:
        """Count own trials that began or ended."""
        for trial in updates:
            self._running += 1 if trial.status is Status.RUNNING else -1


class Rounds(OneByOne):
    """One trial at a time, and after every `trials` of them what all ranks have found since the last round.

    A rank that makes no more trials enters rounds, empty-handed, until a round in which that is true of every
    rank: so all enter the same number of rounds, whatever made a rank leave, and no collective is left half entered.

    Parameters
    ----------
    world : World
        Its communicator is duplicated, which is collective.
    share : {"incumbents", "history"}
        Whether a round passes on the best trial if it is better than any before, or every trial.
    trials : int
        Of each rank, between two rounds.
    n_hyperparameters : int
    """

    def __init__(self, world: World, share: str, trials: int, n_hyperparameters: int) -> None:
        super().__init__()
        self._rank = world.rank
        self._comm = None if world.comm is None else world.comm.Dup()
        self._share, self._trials = share, trials
        self._own: list[TrialUpdate] = []
        length = report_length(trials, n_hyperparameters)
        self._sent = np.zeros(length)
        self._received = np.zeros((world.size, length))
        self._request: Request | None = None
        self._entered = 0.0
        self._is_under_way = self._has_left = self._is_over = False
        self._number = 0
        self._best: TrialUpdate | None = None

    @property
    def has_turn(self) -> bool:
        """Whether no trial of this rank is under way and it has some left before the next round."""
        return super().has_turn and not self._is_under_way and len(self._own) < self._trials

    @property
    def is_waiting(self) -> bool:
        """Whether a round is under way."""
        return self._is_under_way

    @property
    def is_over(self) -> bool:
        """Whether no rank makes any more trials, and all have been received."""
        return self._is_over

    def note(self, updates: Sequence[TrialUpdate]) -> None:
        """Keep what ended for the next round."""
        super().note(updates)
        self._own.extend(trial for trial in updates if trial.status is not Status.RUNNING)

    def leave(self) -> None:
        """Make no more trials, and enter rounds as long as others make some."""
        self._has_left = True

    def serve(self) -> list[Bulletin]:
        """Enter the round that is due, or see whether the present one has ended."""
        if not self._is_under_way and not self._is_over and (self._has_left or len(self._own) >= self._trials):
            self._enter()
        if not self._is_under_way or not self._has_ended():
            return []
        return [self._conclude()]

    def _enter(self) -> None:
        report = Report(self._rank, 0.0, is_last=self._has_left, trials=tuple(self._own))
        self._own.clear()
        encoded = encode_report(report)
        self._sent[: len(encoded)] = encoded
        self._is_under_way, self._entered = True, time.monotonic()
        if self._comm is None:
            self._received[0] = self._sent
        else:
            self._request = self._comm.Iallgather(self._sent, self._received)

    def _has_ended(self) -> bool:
        return self._request is None or bool(self._request.Test())

    def _conclude(self) -> Bulletin:
        self._request, self._is_under_way = None, False
        self._number += 1
        reports = [decode_report(row) for row in self._received]
        if not self._has_left:
            self.waited_seconds += time.monotonic() - self._entered
        self._is_over = all(report.is_last for report in reports)
        trials = tuple(trial for report in reports for trial in report.trials)
        return Bulletin(self._number, 0.0, is_last=self._is_over, trials=self._chosen(trials))

    def _chosen(self, trials: tuple[TrialUpdate, ...]) -> tuple[TrialUpdate, ...]:
        if self._share == "history":
            return trials
        good = [trial for trial in trials if trial.status is Status.SUCCESS]
        best = min(good, key=_quality, default=None)
        if best is None or (self._best is not None and _quality(self._best) <= _quality(best)):
            return ()
        self._best = best
        return (best,)


def _quality(trial: TrialUpdate) -> tuple[float, tuple[int, int, int]]:
    return trial.cost, trial.key


def open_synchronization(world: World, settings: Settings, n_hyperparameters: int) -> Synchronization:
    """Collective. How this rank takes its trials: as it likes, or in rounds where the job is to be repeatable."""
    if not settings.deterministic:
        return Synchronization()
    if settings.share == "none":
        return OneByOne()
    return Rounds(world, settings.share, settings.exchange_every, n_hyperparameters)
