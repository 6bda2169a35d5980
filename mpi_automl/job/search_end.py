"""When a rank's search ends: by its time, or because rank 0 says so after a signal on any rank.

The order to stop is given in `mpi_automl.parallel.coordinator.Coordinator.absorb`.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi_automl.job.signals import StopSignals


class SearchEnd:
    """The end of the search, as one rank knows it.

    Parameters
    ----------
    now : callable
        Seconds since the epoch on rank 0's clock.
    search_end : float
        On the same clock.
    signals : StopSignals

    Attributes
    ----------
    is_stopped : bool
        Rank 0 has had every rank stop before the time was up.
    """

    def __init__(self, now: Callable[[], float], search_end: float, signals: StopSignals) -> None:
        self.now = now
        self.is_stopped = False
        self._search_end = search_end
        self._signals = signals

    @property
    def remaining(self) -> float:
        """Seconds until the search ends."""
        return self._search_end - self.now()

    @property
    def is_over(self) -> bool:
        """Whether no trial may run any longer."""
        return self.is_stopped or self.remaining <= 0

    @property
    def has_signal(self) -> bool:
        """Whether this rank has received a signal to stop, which it must report to rank 0."""
        return self._signals.received is not None

    @property
    def was_terminated(self) -> bool:
        """Whether that signal was SIGTERM, which batch systems send to every process of a job, trials included."""
        return self._signals.received is signal.SIGTERM
