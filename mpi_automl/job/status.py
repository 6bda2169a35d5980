"""How the job goes, in a file that a person or a batch script can watch from outside."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mpi_automl.parallel.exchange import Exchange, RootExchange
from mpi_automl.storage.run_directory import RUNNING, RunDirectory
from mpi_automl.trial import Status

if TYPE_CHECKING:
    from mpi_automl.job.plan import Plan
    from mpi_automl.parallel.world import World

_INTERVAL = 5.0


def status_writer(plan: Plan, world: World, exchange: Exchange) -> Callable[[], None]:
    """Give a function that replaces status.json every few seconds; on other ranks than 0 it does nothing."""
    if not isinstance(exchange, RootExchange):
        return lambda: None
    directory = RunDirectory(plan.directory)
    next_time = 0.0

    def write() -> None:
        nonlocal next_time
        now = world.now()
        if now < next_time:
            return
        next_time = now + _INTERVAL
        # A file system that is full for a while must not end the search.
        with contextlib.suppress(OSError):
            directory.write_status({"state": RUNNING, **status(plan, exchange, now)})

    return write


def status(plan: Plan, exchange: RootExchange, now: float) -> dict[str, Any]:
    """Counts, the incumbent, and what every rank does, as JSON can hold it."""
    coordinator = exchange.coordinator
    counts: Counter[Status] = sum((state.finished for state in coordinator.states), Counter())
    best = coordinator.incumbent
    return {
        "time": now,
        "elapsed_seconds": now - plan.started,
        "seconds_left": max(0.0, plan.limits.search_end - now),
        "metric": plan.metric.name,
        "trials": {status.name.lower(): count for status, count in sorted(counts.items())},
        "best": None if best is None else {"trial": str(best.key), "value": float(plan.metric.value_of(best.cost))},
        "ranks": [
            {
                "running": state.running,
                "finished": sum(state.finished.values()),
                "busy_seconds": state.busy_seconds,
                "heard_seconds_ago": now - state.heard,
            }
            for state in coordinator.states
        ],
    }
