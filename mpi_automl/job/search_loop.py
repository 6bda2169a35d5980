"""A rank's own SMAC loop: ask, evaluate, store, tell, and exchange messages meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mpi_automl.job import polling
from mpi_automl.job.rank_statistics import RankStatistics

if TYPE_CHECKING:
    from mpi_automl.job.liveness import LivenessMonitor
    from mpi_automl.job.running_trials import RunningTrials
    from mpi_automl.job.search_end import SearchEnd
    from mpi_automl.job.trial_recorder import TrialRecorder
    from mpi_automl.job.trial_scheduler import TrialScheduler
    from mpi_automl.job.trial_sharing import TrialSharing

_ROUND_POLL = 0.002
"""Seconds between two looks while a round is under way: the rank has nothing else to do."""
_UPKEEP = 0.25
"""Seconds after which signs of life, flushes and progress are due although nothing happened."""
_SAVING = 1.0
"""Seconds for the results of trials that were stopped with the search."""
_MODEL_SAVING = 10.0
"""Seconds for the last model to be written, where the search ends by its number of trials."""


class SearchLoop:
    """The loop of one rank.

    Parameters
    ----------
    end : SearchEnd
        When the search ends.
    scheduler : TrialScheduler
        What is due.
    running : RunningTrials
        What is running.
    recorder : TrialRecorder
        What is written.
    sharing : TrialSharing
        What is owed to other ranks, and received from them.
    liveness : LivenessMonitor
        Keeps the loop from waiting for others without end.
    callbacks : sequence of callable
        Called at every turn of the loop, for progress; they must be quick.
    """

    def __init__(
        self,
        end: SearchEnd,
        scheduler: TrialScheduler,
        running: RunningTrials,
        recorder: TrialRecorder,
        sharing: TrialSharing,
        liveness: LivenessMonitor,
        callbacks: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._end, self._scheduler, self._running = end, scheduler, running
        self._recorder, self._sharing = recorder, sharing
        self._liveness, self._callbacks = liveness, callbacks

    def run(self) -> RankStatistics:
        """Search until the time is up or a stop is asked for, and hand over everything that is due."""
        self._scheduler.prepare()
        started = self._end.now()
        while not self._must_stop():
            self._exchange_messages()
            if self._wants_trial():
                self._submit_next()
            self._wait()
            self._show_progress()
        self._stop_evaluating()
        ended = self._end.now()
        self._hand_over()
        return self._statistics(ended - started)

    @property
    def _is_complete(self) -> bool:
        return self._scheduler.is_complete(self._recorder.finished)

    def _must_stop(self) -> bool:
        return self._end.is_over or self._is_complete

    def _wants_trial(self) -> bool:
        has_room = self._sharing.synchronization.has_turn and self._running.can_submit and self._running.has_time
        return has_room and self._scheduler.is_due(self._running)

    def _exchange_messages(self) -> None:
        self._sharing.report()
        self._scheduler.promote(self._sharing.receive())
        self._recorder.flush()

    def _submit_next(self) -> None:
        trial = self._scheduler.next()
        if trial is None:
            self._recorder.note("every configuration of the space has been evaluated")
            return
        trial = replace(trial, prune_above=self._sharing.known.prune_above)
        self._running.submit(trial, self._recorder.keep_model_below(trial))
        self._recorder.begin(trial)
        self._sharing.report_start(trial)

    def _wait(self) -> None:
        """Wait until there is something to do; a look for messages takes a fraction of a turn of the loop."""
        upkeep = time.monotonic() + _UPKEEP
        while not self._record_results(self._pause()):
            if self._sharing.needs_attention or self._wants_trial() or self._must_stop() or time.monotonic() > upkeep:
                return

    def _pause(self) -> float:
        # With a place free in the evaluator's queue there is a proposal to make, not an event to wait for.
        if self._wants_trial():
            return 0.0
        if self._sharing.synchronization.is_waiting:
            return _ROUND_POLL
        usual_trial = self._sharing.busy_seconds / max(1, self._recorder.finished)
        pause = polling.pause(usual_trial, is_sending=self._sharing.exchange.is_sending)
        pause = min(pause, self._end.remaining)
        until_due = self._scheduler.seconds_until_due(self._running)
        return min(pause, until_due) if self._running.can_submit and until_due > 0 else pause

    def _record_results(self, seconds: float) -> bool:
        """Record what has ended, and give whether anything has."""
        results = self._running.poll(seconds)
        for result in results:
            result = replace(result, ask_seconds=self._scheduler.note_end(result))
            self._recorder.end(result)
            self._sharing.report_end(result)
        return bool(results)

    def _show_progress(self) -> None:
        self._liveness.check()
        for callback in self._callbacks:
            callback()

    def _stop_evaluating(self) -> None:
        self._await_last_model()
        self._running.cancel()
        limit = time.monotonic() + _SAVING
        while self._running.count and time.monotonic() < limit:
            self._record_results(polling.SHORTEST)
        self._recorder.tidy_models()

    def _await_last_model(self) -> None:
        """A search that ends by its number of trials has the time to let the last model be written."""
        limit = time.monotonic() + min(_MODEL_SAVING, self._end.remaining)
        while not (self._end.is_stopped or self._recorder.has_all_models) and time.monotonic() < limit:
            self._exchange_messages()
            self._record_results(polling.SHORTEST)

    def _hand_over(self) -> None:
        """Report that this rank is done, and receive the rest of what the others did."""
        while not self._sharing.is_finished:
            self._liveness.check_patience()
            self._sharing.leave()
            self._sharing.receive()
            self._show_progress()
            time.sleep(_ROUND_POLL)

    def _statistics(self, search_seconds: float) -> RankStatistics:
        sharing = self._sharing
        return RankStatistics(
            rank=sharing.known.rank,
            statuses=self._recorder.statuses,
            search_seconds=search_seconds,
            busy_seconds=sharing.busy_seconds,
            ask_seconds=self._scheduler.ask_seconds,
            coordination_seconds=sharing.exchange.coordination_seconds,
            latencies=tuple(sharing.exchange.latencies),
            received=sharing.known.received,
            best_cost=sharing.known.best_cost,
            was_stopped=self._end.is_stopped,
            waited_seconds=sharing.synchronization.waited_seconds,
            is_complete=self._is_complete,
        )
