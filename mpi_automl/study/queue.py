"""The queue of a study: files made with an exclusive create say who is at which run.

There is no server, so nobody waits for a busy rank 0, jobs of several kinds can work on one study at the same time, and
going on after a crash is the same as beginning. An exclusive create is atomic on NFS since version 3 and on every
parallel file system.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mpi_automl.errors import UserError
from mpi_automl.study.directory import State
from mpi_automl.study.plan import longest_first

if TYPE_CHECKING:
    from mpi_automl.storage.run_lock import RunLock
    from mpi_automl.study.directory import StudyDirectory
    from mpi_automl.study.plan import PlannedRun

_BEAT = 20.0
"""Seconds between signs of life; a claim counts as abandoned after two minutes without one."""
_NEXT_LOOK = 120.0
"""Seconds after which a run that somebody else was at is looked at again."""


class Claim:
    """A run that this process is at; a thread shows that the process lives.

    Attributes
    ----------
    run : PlannedRun
    """

    def __init__(self, run: PlannedRun, lock: RunLock) -> None:
        self.run = run
        self._lock = lock
        self._ended = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()

    def release(self) -> None:
        """Give the run back: it has a result, or another may try."""
        self._ended.set()
        self._lock.release()

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT):
            self._lock.touch()


def open_runs(
    directory: StudyDirectory, runs: Sequence[PlannedRun], again_before: float | None = None
) -> list[PlannedRun]:
    """Runs that are to be done, longest first.

    Those that a job died with come last, so that they do not keep the others from being done.

    Parameters
    ----------
    directory : StudyDirectory
    runs : sequence of PlannedRun
    again_before : float, optional
        Failures from before that time, in seconds since the epoch, are tried again.
    """
    states = directory.states(longest_first(runs))
    chosen = [state for state in states if not _is_done(directory, state.run, again_before)]
    died = {state.run.id for state in chosen if state.state is State.HALF_WRITTEN}
    return sorted((state.run for state in chosen), key=lambda run: run.id in died)


def _is_done(directory: StudyDirectory, run: PlannedRun, again_before: float | None) -> bool:
    result = directory.read_result(run)
    if result is None:
        return False
    is_old_failure = again_before is not None and result["state"] == State.FAILED and result["ended"] < again_before
    return not is_old_failure


class Queue:
    """One taker's view of the runs that are left.

    Parameters
    ----------
    directory : StudyDirectory
    runs : sequence of PlannedRun
        As `open_runs` gives them.
    again_before : float, optional
        As for `open_runs`.
    most : int, optional
        How many runs to take at most.
    first : int
        Where in the list to begin, so that takers that start together do not all try the same run.
    """

    def __init__(
        self,
        directory: StudyDirectory,
        runs: Sequence[PlannedRun],
        again_before: float | None = None,
        most: int | None = None,
        first: int = 0,
    ) -> None:
        first %= max(1, len(runs))
        self._runs = [*runs[first:], *runs[:first]]
        self._directory, self._again_before, self._left = directory, again_before, most
        self._next_look: dict[str, float] = {}

    def take(self, seconds: float = float("inf")) -> Claim | None:
        """Claim the next run; None when there is none that nobody is at and that fits into the time.

        Parameters
        ----------
        seconds : float
            Time that is left.

        Raises
        ------
        UserError
            If claims cannot be written.
        """
        if self._left is not None and self._left <= 0:
            return None
        for run in list(self._runs):
            if run.seconds > seconds or self._next_look.get(run.id, 0.0) > time.monotonic():
                continue
            if (claim := self._try(run)) is not None:
                self._left = None if self._left is None else self._left - 1
                return claim
        return None

    def _try(self, run: PlannedRun) -> Claim | None:
        if _is_done(self._directory, run, self._again_before):
            self._runs.remove(run)
            return None
        lock = self._directory.claim(run)
        try:
            self._directory.of(run).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{self._directory.of(run)} cannot be made ({error.strerror}).") from None
        if not lock.try_acquire():
            self._next_look[run.id] = time.monotonic() + _NEXT_LOOK
            return None
        self._runs.remove(run)
        # Between the first look and the claim somebody may have finished it.
        if _is_done(self._directory, run, self._again_before):
            lock.release()
            return None
        return Claim(run, lock)
