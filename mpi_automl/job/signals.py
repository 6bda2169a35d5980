"""Signals that ask a job to stop: the handler sets a flag, the rank's loop looks at it.

The flag goes to rank 0 with the next report (`mpi_automl.job.trial_sharing`), which orders every rank to stop
(`mpi_automl.parallel.coordinator.Coordinator.absorb`); `mpi_automl.job.search_end.SearchEnd.is_over` then ends the
loop.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any

BY_BATCH_SYSTEMS = (signal.SIGUSR1, signal.SIGUSR2)
"""Signals that nobody sends to have a process end at once."""

TO_BE_RESUMED = 75
"""Exit status (EX_TEMPFAIL) of a run that has not used its time: a batch script may queue it again."""

_STOPPING = (signal.SIGTERM, signal.SIGINT, *BY_BATCH_SYSTEMS)


class StopSignals:
    """Context in which SIGTERM, SIGINT, SIGUSR1 and SIGUSR2, or other signals, only set a flag.

    Python runs a handler only between its own instructions, never inside a blocking MPI call, so
    ranks must poll rather than block while this matters. A context inside another one knows what came
    before it. In a thread that is not the main one, the context does nothing: signals are the main thread's.

    Parameters
    ----------
    numbers : sequence of signal.Signals

    Attributes
    ----------
    received : signal.Signals or None
        The first one that came.
    """

    def __init__(self, numbers: Sequence[signal.Signals] = _STOPPING) -> None:
        self._numbers = numbers
        self.received: signal.Signals | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is not threading.main_thread():
            return self
        for number in self._numbers:
            previous = signal.signal(number, self._note)
            self._previous[number] = previous
            outer = getattr(previous, "__self__", None)
            if isinstance(outer, StopSignals) and self.received is None:
                self.received = outer.received
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received = signal.Signals(number)


def strongest(received: Sequence[signal.Signals]) -> signal.Signals | None:
    """The signal that counts, of those that the ranks received; None without any."""
    return min(received, key=_STOPPING.index, default=None)
