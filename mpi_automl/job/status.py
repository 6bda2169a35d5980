"""The progress of the job, in a file that a person or a batch script can watch from outside."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from mpi_automl.job.progress import ProgressMeter, Throttle
from mpi_automl.parallel.exchange import Exchange, RootExchange
from mpi_automl.runs.run import Run
from mpi_automl.storage.run_directory import RUNNING

if TYPE_CHECKING:
    from mpi_automl.job.plan import Plan
    from mpi_automl.parallel.world import World

_INTERVAL, _LONGEST_PAUSE = 5.0, 30.0


def status_writer(plan: Plan, world: World, exchange: Exchange) -> Callable[[], None]:
    """Give a function that replaces status.json every few seconds; on other ranks than 0 it does nothing."""
    if not isinstance(exchange, RootExchange):
        return lambda: None
    directory, throttle = Run(plan.directory).directory, Throttle(_INTERVAL, _LONGEST_PAUSE)
    meter = ProgressMeter(plan, exchange.coordinator, world.now())

    def write() -> None:
        now = world.now()
        if not throttle.is_due(now):
            return
        # A file system that is full for a while must not end the search.
        with contextlib.suppress(OSError):
            directory.write_status({"state": RUNNING, **meter.read(now).to_mapping()})
        throttle.done(now, world.now())

    return write
