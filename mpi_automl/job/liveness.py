"""Which ranks are stuck: named during the search, and not waited for without end after it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.parallel.exchange import Exchange, RootExchange
from mpi_automl.parallel.watchdog import Watchdog, ask_for_stack
from mpi_automl.parallel.world import MissingRanksError, World
from mpi_automl.runs.rebuild import rebuild_ensemble
from mpi_automl.runs.run import Run
from mpi_automl.storage.run_directory import INTERRUPTED

if TYPE_CHECKING:
    from mpi_automl.job.observer import Observer
    from mpi_automl.job.plan import Plan
    from mpi_automl.job.rank_log import RankLog
    from mpi_automl.settings import Settings

_SHORTEST_PATIENCE = 10.0
_FOR_THE_RESULT = 300.0
"""Seconds that rank 0 may take to build a result alone, and that a job may outlive its time."""

_NAMED = 10


class LivenessMonitor:
    """A rank's view of who is missing.

    Parameters
    ----------
    plan : Plan
    world : World
    exchange : Exchange
    watchdog : Watchdog
        Writes this rank's stack to its log when it is stuck itself.
    silence : float
        Seconds without a sign of life after which a rank counts as stuck.
    observer : Observer
    log : RankLog
    """

    def __init__(
        self,
        plan: Plan,
        world: World,
        exchange: Exchange,
        watchdog: Watchdog,
        silence: float,
        observer: Observer,
        log: RankLog,
    ) -> None:
        self._plan, self._world, self._exchange, self._watchdog = plan, world, exchange, watchdog
        self._silence, self._observer, self._log = silence, observer, log
        self._named: set[int] = set()
        self._since: float | None = None
        self._patience = 0.0
        self._called = False

    def watch(self) -> None:
        """Show that this rank is alive and, on rank 0, name the ranks that show nothing."""
        self._watchdog.beat()
        if not isinstance(self._exchange, RootExchange):
            return
        for rank, silent in self._exchange.coordinator.missing(self._world.now(), self._silence):
            if rank not in self._named:
                self._named.add(rank)
                self._note(self._described(rank, silent))

    def _note(self, text: str) -> None:
        self._observer.note(text)
        self._log.note(text)

    def _described(self, rank: int, silent: float) -> str:
        can_ask = ask_for_stack(self._world, rank)
        told = "is" if can_ask else "will be, if it can still write,"
        return (
            f"Rank {rank} on {self._world.locations[rank].host} has shown no sign of life for {silent:.0f} s; "
            f"its stack {told} in {self._plan.log_of(rank)}."
        )

    @property
    def patience(self) -> float:
        """Seconds that this rank waits for others after the search; ranks wait longer than rank 0, which builds."""
        left = self._plan.time.deadline - self._world.now()
        own = min(self._silence, max(_SHORTEST_PATIENCE, left / 2))
        return own if self._world.is_root else max(self._silence, left) + _FOR_THE_RESULT

    def call(self) -> None:
        """Look at the clock while ranks hand over.

        A rank that shows signs of life may search until the end of the search; one that shows none is
        not waited for any longer than `patience`.

        Raises
        ------
        MissingRanksError
            When this rank has waited long enough.
        """
        # Whoever is given up on has been named before.
        self.watch()
        now = self._world.now()
        if self._since is None:
            self._since, self._patience = now, self.patience
        waited, awaited = now - self._since, self._exchange.awaited
        is_late = now - max(self._since, self._plan.time.search_end) > self._patience / 2
        is_silent = waited > self._patience / 2 and self._are_silent(awaited, now)
        if self._world.is_root and (is_late or is_silent) and not self._called:
            self._called = True
            self._note(f"The search is over here; waiting for {_ranks(awaited)}.")
        is_too_late = now - max(self._since, self._plan.time.search_end) > self._patience
        if is_too_late or (is_silent and waited > self._patience):
            raise MissingRanksError(f"There is nothing from {_ranks(awaited)}, which the job waited for.")

    def _are_silent(self, ranks: Sequence[int], now: float) -> bool:
        if not isinstance(self._exchange, RootExchange):
            return False
        states = self._exchange.coordinator.states
        return all(now - states[rank].heard > self._silence for rank in ranks)


def give_up_later(plan: Plan, world: World, watchdog: Watchdog) -> None:
    """From here on, a rank that is stuck ends the job some minutes after its time."""
    if world.comm is not None:
        watchdog.allow(max(0.0, plan.time.deadline - world.now()) + _FOR_THE_RESULT)


def build_alone(plan: Plan, settings: Settings, world: World, observer: Observer) -> None:
    """On rank 0, build the result from the files when ranks are missing; elsewhere nothing.

    The run can be resumed afterwards: what the missing ranks had committed is in the result too.
    """
    if not world.is_root:
        return
    run = Run(plan.directory, plugins=settings.plugins)
    outcome = rebuild_ensemble(World(None, world.started), run)
    run.directory.write_status({"state": INTERRUPTED})
    observer.concluded(outcome)


def resume_advice(settings: Settings, directory: Path) -> str:
    """The command that goes on with a run, for the last line of a job that failed."""
    place = shlex.quote(str(directory))
    if settings.table is None:
        return f"What was finished is kept; go on with the same command and --resume {place}"
    return f"What was finished is kept; go on with: mpi-automl fit --resume {place}"


def _ranks(ranks: Sequence[int]) -> str:
    more = ", ..." if len(ranks) > _NAMED else ""
    return f"rank{'' if len(ranks) == 1 else 's'} {', '.join(map(str, ranks[:_NAMED]))}{more}"
