"""The star of non-blocking messages between rank 0 and every rank.

A collective would be forwarded through ordinary ranks, which may be busy proposing; one-sided
communication waits, on some MPIs, for the target to enter the library. So rank 0 sends to each rank
by itself, small flat arrays, with at most one message under way for each peer: what comes up
meanwhile travels with the next one.

What is sent to whom, new incumbents too, is decided in `mpi_automl.parallel.coordinator`.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mpi_automl.parallel import tags
from mpi_automl.parallel.coordinator import Coordinator, PromotionSource
from mpi_automl.parallel.messages import (
    Bulletin,
    Report,
    decode_bulletin,
    decode_report,
    encode_bulletin,
    encode_report,
)
from mpi_automl.trial import TrialUpdate

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm, Request

    from mpi_automl.parallel.world import World

HEARTBEAT = 2.0
"""Seconds after which a rank reports although nothing happened."""

_COORDINATION_SHARE = 0.04
"""Of rank 0's time, for messages (5 % are the aim); with so many ranks that it does not suffice, rounds come late."""
# Seconds between rounds of bulletins: no rank looks for messages more often than every 20 ms.
_SHORTEST_ROUND, _LONGEST_ROUND = 0.02, 0.5


class Exchange(ABC):
    """A rank's end of the star.

    Attributes
    ----------
    latencies : list of float
        Seconds from rank 0's sending to this rank's receiving, for each bulletin.
    coordination_seconds : float
        Time spent on messages and bookkeeping.
    is_closed : bool
        Everything any rank reported has arrived here.
    """

    def __init__(self, world: World) -> None:
        self.latencies: list[float] = []
        self.coordination_seconds = 0.0
        self.is_closed = False
        self._world = world
        self._trials: list[TrialUpdate] = []
        self._reported = 0.0

    def post(
        self,
        trials: Sequence[TrialUpdate] = (),
        *,
        busy_seconds: float = 0.0,
        received: int = 0,
        wants_stop: bool = False,
        is_last: bool = False,
    ) -> bool:
        """Report trials, or a sign of life; returns at once.

        Returns
        -------
        bool
            Whether everything has been handed over. If not, because the previous report is still
            under way, the trials travel with the next one.
        """
        started = time.perf_counter()
        self._trials.extend(trials)
        now = self._world.now()
        delivered = True
        if self._trials or wants_stop or is_last or now - self._reported > HEARTBEAT:
            report = Report(self._world.rank, now, busy_seconds, received, wants_stop, is_last, tuple(self._trials))
            delivered = self._deliver(report)
            if delivered:
                self._trials.clear()
                self._reported = now
        self.coordination_seconds += time.perf_counter() - started
        return delivered

    def serve(self) -> list[Bulletin]:
        """Handle every message that has arrived and send what is due; returns at once."""
        started = time.perf_counter()
        bulletins = self._serve()
        now = self._world.now()
        self.latencies.extend(now - bulletin.sent for bulletin in bulletins)
        self.is_closed = self.is_closed or any(bulletin.is_last for bulletin in bulletins)
        self.coordination_seconds += time.perf_counter() - started
        return bulletins

    @property
    def has_work(self) -> bool:
        """Whether `post` or `serve` has more to do than a sign of life; much cheaper than these."""
        return bool(self._trials) or self._has_messages()

    @property
    @abstractmethod
    def is_sending(self) -> bool:
        """Whether something is under way that may need this rank to look in, as long messages do on many fabrics."""

    @abstractmethod
    def _has_messages(self) -> bool:
        """Whether `_serve` would receive or send anything."""

    @property
    @abstractmethod
    def is_idle(self) -> bool:
        """Whether nothing of this rank's own is under way any more."""

    @property
    @abstractmethod
    def awaited(self) -> list[int]:
        """Ranks without which this one cannot become idle."""

    @abstractmethod
    def _deliver(self, report: Report) -> bool:
        """Send a report now, or say that the previous one is still under way."""

    @abstractmethod
    def _serve(self) -> list[Bulletin]: ...


class RootExchange(Exchange):
    """Rank 0's end: its own reports go straight into the coordinator.

    Attributes
    ----------
    coordinator : Coordinator
    """

    def __init__(self, world: World, share: str, promotions: PromotionSource | None = None) -> None:
        super().__init__(world)
        self.coordinator = Coordinator(world.size, share, world.now(), promotions)
        self._requests: dict[int, tuple[Request, NDArray[np.float64]]] = {}
        self._next_round = self._spent_before = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether every rank has received everything."""
        return self.coordinator.is_closed and not self._requests

    @property
    def awaited(self) -> list[int]:
        """Ranks that have not sent their last report, or else have not taken their last bulletin."""
        silent = [rank for rank, state in enumerate(self.coordinator.states) if not state.is_last]
        return silent or sorted(self._requests)

    @property
    def is_sending(self) -> bool:
        """Whether a bulletin is under way."""
        return bool(self._requests)

    def _deliver(self, report: Report) -> bool:
        self.coordinator.absorb(report, self._world.now())
        return True

    def _has_messages(self) -> bool:
        has_own = self.coordinator.has_updates or bool(self._requests)
        return has_own or (self._world.comm is not None and self._world.comm.Iprobe(tag=tags.REPORT))

    def _serve(self) -> list[Bulletin]:
        began = time.perf_counter()
        if self._world.comm is not None:
            for buffer in _arrived(self._world.comm, tags.REPORT):
                self.coordinator.absorb(decode_report(buffer), self._world.now())
            self._forget_sent()
        now = self._world.now()
        if not (self.coordinator.pop_urgency() or (now >= self._next_round and self.coordinator.has_updates)):
            return []
        own = self._send_round(now)
        spent = self.coordination_seconds + time.perf_counter() - began
        # Messages of many ranks take long: then bulletins are sent less often, so that rank 0 can search too.
        pause = (spent - self._spent_before) / _COORDINATION_SHARE
        self._next_round = now + min(_LONGEST_ROUND, max(_SHORTEST_ROUND, pause))
        self._spent_before = spent
        return own

    def _forget_sent(self) -> None:
        if not self._requests:
            return
        from mpi4py import MPI

        peers = list(self._requests)
        done = MPI.Request.Testsome([self._requests[peer][0] for peer in peers])
        for position in done or ():
            del self._requests[peers[position]]

    def _send_round(self, now: float) -> list[Bulletin]:
        if self._world.comm is not None:
            # Most peers have yet to receive the same, and may be sent one and the same buffer.
            buffers: dict[tuple[int, int, bool], NDArray[np.float64]] = {}
            for peer in range(1, self._world.size):
                if peer not in self._requests and (bulletin := self.coordinator.next_bulletin(peer, now)):
                    what = (bulletin.number, len(bulletin.trials), bulletin.is_last)
                    buffer = None if bulletin.promotions else buffers.get(what)
                    if buffer is None:
                        buffer = encode_bulletin(bulletin)
                    if not bulletin.promotions:
                        buffers[what] = buffer
                    self._requests[peer] = (self._world.comm.Isend(buffer, dest=peer, tag=tags.BULLETIN), buffer)
        own = self.coordinator.next_bulletin(0, now)
        self.coordinator.forget_delivered()
        return [own] if own else []


class WorkerExchange(Exchange):
    """The end of every other rank."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._sent: tuple[Request, NDArray[np.float64]] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether this rank has received everything and its own last report has left."""
        return self.is_closed and self._test_sent()

    @property
    def awaited(self) -> list[int]:
        """Rank 0, which has not sent its last bulletin."""
        return [0]

    @property
    def is_sending(self) -> bool:
        """Whether a report is under way."""
        return not self._test_sent()

    def _deliver(self, report: Report) -> bool:
        if not self._test_sent():
            return False
        assert self._world.comm is not None
        buffer = encode_report(report)
        self._sent = (self._world.comm.Isend(buffer, dest=0, tag=tags.REPORT), buffer)
        return True

    def _test_sent(self) -> bool:
        if self._sent is not None and self._sent[0].Test():
            self._sent = None
        return self._sent is None

    def _has_messages(self) -> bool:
        assert self._world.comm is not None
        return self._world.comm.Iprobe(tag=tags.BULLETIN)

    def _serve(self) -> list[Bulletin]:
        assert self._world.comm is not None
        self._test_sent()
        return [decode_bulletin(buffer) for buffer in _arrived(self._world.comm, tags.BULLETIN)]


def open_exchange(
    world: World, share: str, promotions: Callable[[], PromotionSource | None] = lambda: None
) -> RootExchange | WorkerExchange:
    """Make this rank's end of the star; `promotions` is called on rank 0 only."""
    return RootExchange(world, share, promotions()) if world.rank == 0 else WorkerExchange(world)


def _arrived(comm: Intracomm, tag: int) -> list[NDArray[np.float64]]:
    from mpi4py import MPI

    buffers = []
    status = MPI.Status()
    while (message := comm.Improbe(MPI.ANY_SOURCE, tag, status)) is not None:
        buffer = np.empty(status.Get_count(MPI.DOUBLE))
        message.Recv([buffer, MPI.DOUBLE])
        buffers.append(buffer)
    return buffers
