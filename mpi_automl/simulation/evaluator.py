"""An evaluator that replays what trials cost and how long they take, for studies of search and coordination.

It takes the place of `mpi_automl.evaluation.evaluator.Evaluator` in a rank's loop. Everything else is real:
proposers, messages, the store. A trial that would have taken a minute occupies its rank for a minute, or for a
fraction of it, but no core, so that two cores carry the ranks of a cluster.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.trial import Result, Status, Trial

if TYPE_CHECKING:
    from mpi_automl.simulation.surrogate_benchmark import Benchmark

_MOST_OUTSTANDING = 2


class SimulatedEvaluator:
    """Lets trials come to what a benchmark says, after the time that it says.

    As in the real evaluator one trial runs while another one waits, limits of time hold, and
    results come in the order of submission. There are no predictions, no models, and no limits of memory.

    Parameters
    ----------
    benchmark : Benchmark
        `mpi_automl.simulation.surrogate_benchmark.SurrogateBenchmark` for any configuration of a recorded
        space, `RecordedBenchmark` for those recorded.
    scale : float
        Seconds of wall time for each second that the benchmark says: 1 is real time, 0.1 ten times
        faster, 0 without waiting. Limits are in seconds of wall time.

    Attributes
    ----------
    seconds : float
        Time that all finished trials took by the benchmark, unscaled; one that was cut off counts with its part.
    """

    def __init__(self, benchmark: Benchmark, scale: float = 1.0) -> None:
        if not 0 <= scale < float("inf"):
            raise ValueError("the scale of time must be a number that is not negative")
        self._benchmark = benchmark
        self._scale = scale
        self._outstanding: deque[Result] = deque()
        self._last_end = 0.0
        self.seconds = 0.0

    def open(self, setup_file: Path, model_directory: Path | None = None) -> None:
        """Nothing to do: the benchmark knows its table."""

    @property
    def can_submit(self) -> bool:
        """Whether there is room: one trial may run while another one waits."""
        return len(self._outstanding) < _MOST_OUTSTANDING

    def submit(
        self,
        trial: Trial,
        *,
        seconds: float,
        memory: float,
        keep_model_below: float = -float("inf"),
        until: float = float("inf"),
    ) -> None:
        """Have a trial replayed; its `Result` comes from `poll`.

        Parameters
        ----------
        trial : Trial
        seconds : float
            Wall-clock limit.
        memory, keep_model_below : float
            Without effect.
        until : float
            On the clock of `time.monotonic`; the limit is cut to what is left of it when the trial begins.

        Raises
        ------
        RuntimeError
            If there is no room.
        """
        if not self.can_submit:
            raise RuntimeError("one trial is running and one is waiting already")
        outcome = self._benchmark.outcome(trial.vector)
        lasts = self._scale * outcome.seconds
        status, cost = outcome.status, outcome.cost
        start = max(time.time(), self._last_end)
        seconds = min(seconds, max(0.0, until - time.monotonic() - (start - time.time())))
        if lasts > seconds:
            lasts, status, cost = seconds, Status.TIMEOUT, float("nan")
        self._last_end = start + lasts
        unscaled = lasts / self._scale if self._scale else outcome.seconds
        self._outstanding.append(Result(trial, status, cost, start, self._last_end, fit_seconds=unscaled))

    def poll(self, timeout: float = 0.0) -> list[Result]:
        """Results whose time has come, in the order of submission.

        Parameters
        ----------
        timeout : float
            Seconds to wait for the first.
        """
        first_end = self._outstanding[0].end if self._outstanding else float("inf")
        wait = min(timeout, first_end - time.time())
        if wait > 0:
            time.sleep(wait)
        finished: list[Result] = []
        now = time.time()
        while self._outstanding and self._outstanding[0].end <= now:
            result = self._outstanding.popleft()
            self.seconds += result.fit_seconds
            finished.append(result)
        return finished

    def cancel(self) -> None:
        """End all trials; they come from `poll` as STOPPED."""
        now = time.time()
        self._outstanding = deque(
            result if result.end <= now else self._stopped(result, now) for result in self._outstanding
        )
        self._last_end = now

    def _stopped(self, result: Result, now: float) -> Result:
        start = min(result.start, now)
        ran = (now - start) / self._scale
        cut = replace(result, status=Status.STOPPED, cost=float("nan"), reason="the job ended")
        return replace(cut, start=start, end=now, fit_seconds=ran)

    def close(self) -> None:
        """Nothing to do."""

    def __enter__(self) -> SimulatedEvaluator:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
