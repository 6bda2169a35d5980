"""Signals that ask a job to stop: the handler sets a flag, the rank's loop looks at it."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)


class StopSignals:
    """Context in which SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 only set a flag.

    Python runs a handler only between its own instructions, never inside a blocking MPI call, so
    ranks must poll rather than block while this matters.

    Attributes
    ----------
    received : signal.Signals or None
        The first one that came.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        for number in _STOPPING:
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received = signal.Signals(number)
