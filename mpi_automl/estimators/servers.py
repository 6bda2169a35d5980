"""Trial servers of this process: one is kept from fit to fit, as starting one takes a second or two."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi_automl.evaluation.evaluator import Evaluator
    from mpi_automl.settings import Settings

_Kind = tuple[int, Sequence[str]]
"""Threads of a trial, and modules of the user's components."""


class _TrialServers:
    """Lends servers to fits, each to one at a time: threads may fit side by side."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._idle: tuple[_Kind, Evaluator] | None = None

    @contextmanager
    def lend(self, threads: int, plugins: Sequence[str]) -> Iterator[Evaluator]:
        """A server for trials with so many threads; an exception ends it."""
        from mpi_automl.evaluation.evaluator import Evaluator
        from mpi_automl.job.rank_log import RankLog

        kind = (threads, tuple(plugins))
        evaluator = self._take(kind) or Evaluator.start(RankLog().server_output, threads, plugins)
        try:
            yield evaluator
        except BaseException:
            evaluator.close()
            raise
        if evaluator.is_idle:
            self._keep(kind, evaluator)
        else:
            evaluator.close()

    def _take(self, kind: _Kind) -> Evaluator | None:
        with self._lock:
            if self._idle is None or self._idle[0] != kind:
                return None
            evaluator, self._idle = self._idle[1], None
        return evaluator

    def _keep(self, kind: _Kind, evaluator: Evaluator) -> None:
        with self._lock:
            before, self._idle = self._idle, (kind, evaluator)
        if before is not None:
            before[1].close()

    def close(self) -> None:
        """End the idle server."""
        with self._lock:
            idle, self._idle = self._idle, None
        if idle is not None:
            idle[1].close()

    def forget(self) -> None:
        """In a forked process: the servers are the other one's, and so is the lock."""
        self.__init__()  # type: ignore[misc]


_SERVERS = _TrialServers()
atexit.register(_SERVERS.close)
os.register_at_fork(after_in_child=_SERVERS.forget)


@contextmanager
def trial_server(settings: Settings) -> Iterator[Evaluator]:
    """A trial server of this process, to be taken before MPI is initialised; an exception ends it."""
    from mpi_automl.machine.cores_and_threads import threads_before_mpi

    with _SERVERS.lend(threads_before_mpi(settings), settings.plugins) as evaluator:
        yield evaluator
