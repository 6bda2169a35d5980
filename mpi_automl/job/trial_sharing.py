"""What a rank owes to the others and receives from them: trials, signs of life, the order to stop, promotions.

Messages are sent by `mpi_automl.parallel.exchange`; what rank 0 sends to whom, incumbents too, is decided in
`mpi_automl.parallel.coordinator`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpi_automl.job.trial_updates import update_of_result, update_of_start

if TYPE_CHECKING:
    from mpi_automl.job.known_trials import KnownTrials
    from mpi_automl.job.search_end import SearchEnd
    from mpi_automl.parallel.exchange import Exchange
    from mpi_automl.parallel.rounds import Synchronization
    from mpi_automl.trial import Result, Trial, TrialUpdate


class TrialSharing:
    """A rank's reports to rank 0 and what comes back, by the star of messages and, if repeatable, in rounds.

    Parameters
    ----------
    exchange : Exchange
        This rank's end of the star.
    synchronization : Synchronization
        When the rank may take its next trial; in a repeatable job trials are shared by its rounds.
    known : KnownTrials
    end : SearchEnd
        Stopped when rank 0 says so.

    Attributes
    ----------
    busy_seconds : float
        Time that this rank's finished trials took, for its reports.
    """

    def __init__(
        self, exchange: Exchange, synchronization: Synchronization, known: KnownTrials, end: SearchEnd
    ) -> None:
        self.exchange, self.synchronization, self.known, self._end = exchange, synchronization, known, end
        self.busy_seconds = 0.0
        self._has_left = False

    @property
    def needs_attention(self) -> bool:
        """Whether there is more to send or to receive than a sign of life; much cheaper than to look."""
        return self.exchange.has_work or self.synchronization.is_waiting or self._end.has_signal

    @property
    def is_finished(self) -> bool:
        """Whether this rank has received everything and nothing of its own is under way; only after `leave`."""
        return self.exchange.is_idle and self.synchronization.is_over

    def report_start(self, trial: Trial) -> None:
        """Report that a trial has been handed out."""
        self.report(update_of_start(trial))

    def report_end(self, result: Result) -> None:
        """Learn from a finished trial of this rank and report it."""
        update = update_of_result(result)
        self.busy_seconds += result.end - result.start
        self.known.add_own(update)
        self.report(update)

    def report(self, *updates: TrialUpdate) -> None:
        """Report trials, a signal to stop, or a sign of life when that is due; returns at once."""
        self.synchronization.note(updates)
        self.exchange.post(
            updates,
            busy_seconds=self.busy_seconds,
            received=self.known.received,
            wants_stop=self._end.has_signal,
        )

    def receive(self) -> list[TrialUpdate]:
        """Take in everything that has arrived; gives the trials that this rank is to repeat with a larger budget."""
        promotions: list[TrialUpdate] = []
        for bulletin in (*self.exchange.serve(), *self.synchronization.serve()):
            self._end.is_stopped = self._end.is_stopped or bulletin.stop
            promotions.extend(bulletin.promotions)
            self.known.receive(bulletin.trials)
        return promotions

    def leave(self) -> None:
        """Report that this rank makes no more trials; to be called until `is_finished`."""
        if self._has_left:
            return
        self.synchronization.leave()
        # A previous report may still be under way.
        self._has_left = self.exchange.post(busy_seconds=self.busy_seconds, received=self.known.received, is_last=True)
