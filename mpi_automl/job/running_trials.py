"""The trials that a rank has handed to its evaluator."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from mpi_automl.job import polling
from mpi_automl.trial import Result, Status

if TYPE_CHECKING:
    from mpi_automl.evaluation.interface import TrialEvaluator
    from mpi_automl.evaluation.limits import TrialLimits
    from mpi_automl.job.search_end import SearchEnd
    from mpi_automl.trial import Trial

_SHORTEST_TRIAL = 0.2
"""Seconds that the search must have left for another trial."""
_REPORTING = 0.5
"""Seconds before the end of the search at which a trial's time is over: what it has learned by then is reported."""
_FULL_LENGTH = 0.9
"""A timeout after so much of the trial's own limit is the configuration's; a shorter one came with the search's end."""


class RunningTrials:
    """One trial under evaluation and the one that waits behind it.

    Parameters
    ----------
    evaluator : TrialEvaluator
    limits : TrialLimits
    end : SearchEnd

    Attributes
    ----------
    count : int
        Trials handed out whose result has not come.
    since : float
        When the first of them began to run, on the clock of `time.monotonic`.
    """

    def __init__(self, evaluator: TrialEvaluator, limits: TrialLimits, end: SearchEnd) -> None:
        self.count = 0
        self.since = 0.0
        self._evaluator, self._limits, self._end = evaluator, limits, end

    @property
    def can_submit(self) -> bool:
        """Whether the evaluator has room for a trial."""
        return self._evaluator.can_submit

    @property
    def has_time(self) -> bool:
        """Whether the search lasts long enough for another trial."""
        return self._end.remaining > _SHORTEST_TRIAL + _REPORTING

    def submit(self, trial: Trial, keep_model_below: float) -> None:
        """Hand a trial to the evaluator; it ends with the search at the latest, also if it begins later."""
        limits, until = self._limits, time.monotonic() + max(0.0, self._end.remaining - _REPORTING)
        self._evaluator.submit(
            trial, seconds=limits.seconds, memory=limits.memory, keep_model_below=keep_model_below, until=until
        )
        if not self.count:
            self.since = time.monotonic()
        self.count += 1

    def poll(self, seconds: float) -> list[Result]:
        """Results that have come in, waiting at most so many seconds for the first."""
        results = []
        for result in self._evaluator.poll(seconds):
            assert isinstance(result, Result)
            self.count -= 1
            self.since = time.monotonic()
            results.append(self._with_cause(result))
        return results

    def cancel(self) -> None:
        """End all trials; they come from `poll` as stopped."""
        self._evaluator.cancel()

    def _with_cause(self, result: Result) -> Result:
        """A trial that the end of the search cut off says nothing about its configuration."""
        was_cut_off = self._end.remaining <= _REPORTING + polling.LONGEST or self._end.is_stopped
        ran = result.end - result.start
        if result.status is Status.TIMEOUT and was_cut_off and ran < _FULL_LENGTH * self._limits.seconds:
            return replace(result, status=Status.STOPPED, reason="the search ended")
        if result.status is Status.CRASHED and self._end.was_terminated:
            return replace(result, status=Status.STOPPED, reason="the job received SIGTERM")
        return result
