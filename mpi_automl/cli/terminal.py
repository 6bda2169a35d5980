"""What rank 0 shows while a job runs, and at its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table

from mpi_automl.cli.console import make_console, writes_to_terminal
from mpi_automl.cli.live import picture, progress_line
from mpi_automl.cli.tables import outcome_tables
from mpi_automl.job.node_budget import MemoryBudget
from mpi_automl.job.observer import Observer
from mpi_automl.job.progress import ProgressMeter, Throttle
from mpi_automl.parallel.exchange import Exchange, RootExchange

if TYPE_CHECKING:
    from mpi_automl.job.plan import Plan
    from mpi_automl.job.progress import Progress
    from mpi_automl.parallel.world import World
    from mpi_automl.runs.summary import RunSummary
    from mpi_automl.storage.writer import Store

_LIVE_INTERVAL, _LONGEST_PAUSE = 1.0, 5.0
_SHORTEST_INTERVAL = 5.0
_LINES = 30


class Terminal(Observer):
    """Prints on rank 0: a picture on a terminal, plain lines from time to time in a log file."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._is_live = world.is_root and writes_to_terminal()
        self._console = make_console(quiet=not world.is_root)
        self._live: Live | None = None

    def _print(self, what: Table | str, style: str | None = None) -> None:
        """Print, or say nothing more once nobody reads: a job must not end because its output has nowhere to go."""
        try:
            self._console.print(what, style=style, markup=not isinstance(what, str))
        except (OSError, SystemExit):
            self._console = Console(quiet=True)

    def note(self, text: str) -> None:
        """Print a note."""
        self._print(f"note: {text}", "yellow" if self._is_live else None)

    def started(self, plan: Plan, world: World) -> None:
        """Print what runs where."""
        for line in start_lines(plan, world):
            self._print(line)

    def store_opened(self, store: Store) -> None:
        """Print how trials are stored."""
        kind = "one HDF5 file for all ranks" if store.choice.shared else "an HDF5 file for each rank"
        self._print(f"store: {kind} ({store.choice.reason}); {store.layout.describe()}")

    def progress_callback(self, plan: Plan, exchange: Exchange) -> Callable[[], None]:
        """Give rank 0's loop a function that shows progress when it is time."""
        if not isinstance(exchange, RootExchange):
            return lambda: None
        in_log = max(_SHORTEST_INTERVAL, plan.time.seconds / _LINES)
        throttle = Throttle(_LIVE_INTERVAL, _LONGEST_PAUSE) if self._is_live else Throttle(in_log, in_log)
        meter = ProgressMeter(plan, exchange.coordinator, self._world.now())
        if self._is_live:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
            # A job that is killed cannot bring back the cursor that rich has hidden.
            self._console.show_cursor(True)

        def show_progress() -> None:
            now = self._world.now()
            if not throttle.is_due(now):
                return
            self._show(meter.read(now))
            throttle.done(now, self._world.now())

        return show_progress

    def _show(self, progress: Progress) -> None:
        if self._live is None:
            self._print(progress_line(progress))
            return
        try:
            self._live.update(picture(progress, self._console.width, self._console.height), refresh=True)
        except OSError:
            self._console = Console(quiet=True)
            self._live = None

    def concluded(self, outcome: RunSummary) -> None:
        """Print the result."""
        if self._live is not None:
            self._live.stop()
        for table in outcome_tables(outcome):
            self._print(table)

    def report_written(self, line: str) -> None:
        """Print where the report is."""
        self._print(line)


def start_lines(plan: Plan, world: World) -> list[str]:
    """What runs where, in a few lines."""
    hosts = sorted({location.host for location in world.locations})
    shown = ", ".join(hosts[:4]) + (", ..." if len(hosts) > 4 else "")
    search = plan.time.search_end - world.now()
    return [
        plan.title,
        f"{_counted(world.size, 'rank')} on {_counted(world.node_count, 'node')} ({shown}), {world.library}",
        f"time: {plan.time.seconds:.0f} s total, {search:.0f} s for the search; "
        f"{plan.limits.seconds:.0f} s and {plan.limits.memory:.0f} MiB per trial; metric {plan.metric.name}; "
        f"results in {plan.directory}",
        MemoryBudget.of(world, plan.limits.memory).describe(),
    ]


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
