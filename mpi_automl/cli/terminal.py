"""What rank 0 shows while a job runs, and at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from mpi_automl.cli.console import make_console, writes_to_terminal
from mpi_automl.cli.tables import outcome_tables
from mpi_automl.job.observer import Observer
from mpi_automl.parallel.exchange import Exchange, RootExchange
from mpi_automl.trial import Status

if TYPE_CHECKING:
    from mpi_automl.job.outcome import Outcome
    from mpi_automl.job.plan import Plan
    from mpi_automl.parallel.world import World
    from mpi_automl.storage.writer import Store

_LIVE_INTERVAL = 0.25
_SHORTEST_INTERVAL = 5.0
_LINES = 30


class Terminal(Observer):
    """Prints on rank 0: a live line on a terminal, plain lines from time to time in a log file."""

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

    def watching(self, plan: Plan, exchange: Exchange) -> Callable[[], None]:
        """Give rank 0's loop a function that prints progress when it is time."""
        if not isinstance(exchange, RootExchange):
            return lambda: None
        interval = _LIVE_INTERVAL if self._is_live else max(_SHORTEST_INTERVAL, (plan.deadline - plan.started) / _LINES)
        if self._is_live:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        next_time = 0.0

        def watch() -> None:
            nonlocal next_time
            now = self._world.now()
            if now < next_time:
                return
            next_time = now + interval
            line = progress_line(plan, exchange, now)
            if self._live is None:
                self._print(line)
            else:
                self._live.update(_bar(plan, line, now), refresh=True)

        return watch

    def concluded(self, outcome: Outcome) -> None:
        """Print the result."""
        if self._live is not None:
            self._live.stop()
        for table in outcome_tables(outcome):
            self._print(table)


def start_lines(plan: Plan, world: World) -> list[str]:
    """What runs where, in a few lines."""
    hosts = sorted({place.host for place in world.places})
    shown = ", ".join(hosts[:4]) + (", ..." if len(hosts) > 4 else "")
    search = plan.limits.search_end - world.now()
    return [
        plan.title,
        f"{_counted(world.size, 'rank')} on {_counted(world.node_count, 'node')} ({shown}), {world.library}",
        f"{plan.deadline - plan.started:.0f} s in all, {search:.0f} s of them to search; "
        f"{plan.limits.seconds:.0f} s and {plan.limits.memory:.0f} MiB per trial; metric {plan.metric.name}; "
        f"results in {plan.directory}",
    ]


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def progress_line(plan: Plan, exchange: RootExchange, now: float) -> str:
    """Trials done, running and failed; the best score and who found it; time left."""
    coordinator = exchange.coordinator
    finished = sum((state.finished for state in coordinator.states), Counter[Status]())
    failed = sum(finished[status] for status in (Status.CRASHED, Status.TIMEOUT, Status.MEMOUT))
    running = sum(state.running for state in coordinator.states)
    best = coordinator.incumbent
    found = (
        f"best {plan.metric.name} {plan.metric.value_of(best.cost):.4f} by rank {best.key.rank}"
        if best
        else "no model yet"
    )
    return (
        f"{now - plan.started:6.0f} s | {sum(finished.values())} trials, "
        f"{running} running, {failed} failed | {found} | {max(0.0, plan.limits.search_end - now):.0f} s left"
    )


def _bar(plan: Plan, line: str, now: float) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_row(ProgressBar(total=plan.limits.search_end - plan.started, completed=now - plan.started, width=20), line)
    return grid
