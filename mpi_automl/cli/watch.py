"""``mpi-automl watch``: see a job go, from another terminal or a login node, by its files alone."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.cli.options import converted
from mpi_automl.machine.launcher import detect_launch

if TYPE_CHECKING:
    from rich.console import Console

    from mpi_automl.job.progress import Progress
    from mpi_automl.runs.run import Run

_INTERVAL, _LOG_INTERVAL = 2.0, 10.0
_OLD = 60.0
_BEST = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="run directory")
    parser.add_argument("--once", action="store_true", help="print how it goes now, and end")
    parser.add_argument(
        "--interval", metavar="TIME", help=f"between two looks; default: {_INTERVAL:g}s, {_LOG_INTERVAL:g}s in a log"
    )
    parser.epilog = "Example: mpi-automl watch runs/price"


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; the exit status is 1 if the job was killed."""
    if not detect_launch().speaks:
        return 0
    from mpi_automl.cli.console import make_console, writes_to_terminal
    from mpi_automl.runs.run import Run

    interval = converted("flush", arguments.interval, "--interval")
    watched, console = Run(arguments.directory), make_console()
    try:
        if arguments.once or not writes_to_terminal():
            return _in_lines(watched, console, interval or _LOG_INTERVAL, once=arguments.once)
        return _in_a_picture(watched, console, interval or _INTERVAL)
    except KeyboardInterrupt:
        return 0


def _in_lines(run: Run, console: Console, interval: float, *, once: bool) -> int:
    from mpi_automl.cli.live import picture, progress_line

    before: float | None = None
    while _is_under_way(run):
        progress = _progress(run)
        if progress is None:
            console.print("The job is starting.", markup=False)
        elif once:
            console.print(picture(progress, console.width, 100))
        elif progress.time != before:
            before = progress.time
            console.print(progress_line(progress), markup=False, soft_wrap=True)
        if once:
            return 0
        time.sleep(interval)
    return _tell_end(run, console)


def _in_a_picture(run: Run, console: Console, interval: float) -> int:
    from rich.live import Live

    from mpi_automl.cli.live import picture

    with Live(console=console, auto_refresh=False, transient=True) as live:
        while _is_under_way(run):
            progress = _progress(run)
            shown = "The job is starting." if progress is None else picture(progress, console.width, console.height)
            live.update(shown, refresh=True)
            time.sleep(interval)
    return _tell_end(run, console)


def _is_under_way(run: Run) -> bool:
    """Whether a job is alive that writes there: it holds the lock until its result is saved."""
    return bool(run.directory.lock.holder())


def _progress(run: Run) -> Progress | None:
    """What status.json says, with the clock moved on to now; None before the search."""
    from mpi_automl.job.progress import Progress

    try:
        progress = Progress.from_mapping(run.directory.read_status())
    except KeyError:
        return None
    # Clocks of hosts may differ by more than a status is old.
    since = time.time() - progress.time
    return replace(progress, elapsed_seconds=progress.elapsed_seconds + since) if 0 < since < _OLD else progress


def _tell_end(run: Run, console: Console) -> int:
    """Print the result, or what a job that was killed has left."""
    from mpi_automl.storage.run_directory import RUNNING

    for table in _end_tables(run):
        console.print(table, markup=False) if isinstance(table, str) else console.print(table)
    return 1 if run.directory.state == RUNNING else 0


def _end_tables(run: Run) -> Any:
    from mpi_automl.cli.tables import outcome_tables, trial_tables
    from mpi_automl.storage import schema
    from mpi_automl.storage.run_directory import RUNNING

    if run.directory.state != RUNNING and run.summary is not None:
        yield from outcome_tables(run.summary)
        return
    yield f"The job that wrote {run.path} was killed or failed; resume it: mpi-automl fit --resume {run.path}"
    if schema.legs(run.path):
        yield from trial_tables(run, _BEST)
