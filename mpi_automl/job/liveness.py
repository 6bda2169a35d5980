"""Which ranks are stuck: named during the search, and not waited for without end after it.

A rank that dies of an exception ends all of them (`mpi_automl.parallel.abort`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mpi_automl.job.failure import RESULT_SECONDS
from mpi_automl.parallel.exchange import Exchange, RootExchange
from mpi_automl.parallel.stack_dump import ask_for_stack
from mpi_automl.parallel.world import MissingRanksError

if TYPE_CHECKING:
    from mpi_automl.job.plan import Plan
    from mpi_automl.job.session import JobSession

# Rank 0 waits for late ranks at least so long, however little is left of the job.
_SHORTEST_PATIENCE = 10.0
_NAMED = 10


class LivenessMonitor:
    """A rank's view of who is missing.

    Parameters
    ----------
    plan : Plan
    session : JobSession
    exchange : Exchange
    heartbeat_timeout : float
        Seconds without a sign of life after which a rank counts as stuck.
    """

    def __init__(self, plan: Plan, session: JobSession, exchange: Exchange, heartbeat_timeout: float) -> None:
        self._plan, self._session, self._world, self._exchange = plan, session, session.world, exchange
        self._timeout = heartbeat_timeout
        self._named: set[int] = set()
        self._since: float | None = None
        self._patience = 0.0
        self._has_named_awaited = False

    def check(self) -> None:
        """Show that this rank is alive and, on rank 0, name the ranks that show nothing."""
        self._session.stack_dump.beat()
        if not isinstance(self._exchange, RootExchange):
            return
        for rank, silent in self._exchange.coordinator.missing(self._world.now(), self._timeout):
            if rank not in self._named:
                self._named.add(rank)
                self._note(self._described(rank, silent))

    def _note(self, text: str) -> None:
        self._session.observer.note(text)
        self._session.log.note(text)

    def _described(self, rank: int, silent: float) -> str:
        can_ask = ask_for_stack(self._world, rank)
        place = "is" if can_ask else "will be, if it can still write,"
        return (
            f"Rank {rank} on {self._world.locations[rank].host} has shown no sign of life for {silent:.0f} s; "
            f"its stack {place} in {self._plan.log_of(rank)}."
        )

    @property
    def patience(self) -> float:
        """Seconds that this rank waits for others after the search; ranks wait longer than rank 0, which builds."""
        left = self._plan.time.deadline - self._world.now()
        # The other half is for building the result.
        own = min(self._timeout, max(_SHORTEST_PATIENCE, left / 2))
        return own if self._world.is_root else max(self._timeout, left) + RESULT_SECONDS

    def check_patience(self) -> None:
        """Check that this rank has not waited too long while ranks hand over; to be called as often as `check`.

        A rank that shows signs of life may search until the end of the search; one that shows none is
        not waited for any longer than `patience`.

        Raises
        ------
        MissingRanksError
            When this rank has waited long enough.
        """
        # Whoever is given up on has been named before.
        self.check()
        now = self._world.now()
        if self._since is None:
            self._since, self._patience = now, self.patience
        waited, awaited = now - self._since, self._exchange.awaited
        is_late = now - max(self._since, self._plan.time.search_end) > self._patience / 2
        is_silent = waited > self._patience / 2 and self._are_silent(awaited, now)
        if self._world.is_root and (is_late or is_silent) and not self._has_named_awaited:
            self._has_named_awaited = True
            self._note(f"The search is over here; waiting for {_ranks(awaited)}.")
        is_too_late = now - max(self._since, self._plan.time.search_end) > self._patience
        if is_too_late or (is_silent and waited > self._patience):
            raise MissingRanksError(f"There is nothing from {_ranks(awaited)}, which the job waited for.")

    def _are_silent(self, ranks: Sequence[int], now: float) -> bool:
        if not isinstance(self._exchange, RootExchange):
            return False
        states = self._exchange.coordinator.states
        return all(now - states[rank].last_report > self._timeout for rank in ranks)


def _ranks(ranks: Sequence[int]) -> str:
    more = ", ..." if len(ranks) > _NAMED else ""
    return f"rank{'' if len(ranks) == 1 else 's'} {', '.join(map(str, ranks[:_NAMED]))}{more}"
