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
    from mpi_automl.storage.run_directory import RunDirectory

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
    from mpi_automl.storage.run_directory import RunDirectory

    interval = converted("flush", arguments.interval, "--interval")
    directory, console = RunDirectory(arguments.directory), make_console()
    try:
        if arguments.once or not writes_to_terminal():
            return _in_lines(directory, console, interval or _LOG_INTERVAL, once=arguments.once)
        return _in_a_picture(directory, console, interval or _INTERVAL)
    except KeyboardInterrupt:
        return 0


def _in_lines(directory: RunDirectory, console: Console, interval: float, *, once: bool) -> int:
    from mpi_automl.cli.live import picture, progress_line

    before: float | None = None
    while _is_under_way(directory):
        progress = _progress(directory)
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
    return _tell_end(directory, console)


def _in_a_picture(directory: RunDirectory, console: Console, interval: float) -> int:
    from rich.live import Live

    from mpi_automl.cli.live import picture

    with Live(console=console, auto_refresh=False, transient=True) as live:
        while _is_under_way(directory):
            progress = _progress(directory)
            shown = "The job is starting." if progress is None else picture(progress, console.width, console.height)
            live.update(shown, refresh=True)
            time.sleep(interval)
    return _tell_end(directory, console)


def _is_under_way(directory: RunDirectory) -> bool:
    """Whether a job is alive that writes there: it holds the lock until its result is saved."""
    return bool(directory.lock.holder())


def _progress(directory: RunDirectory) -> Progress | None:
    """What status.json says, with the clock moved on to now; None before the search."""
    from mpi_automl.job.progress import Progress

    try:
        progress = Progress.from_mapping(directory.read_status())
    except KeyError:
        return None
    # Clocks of hosts may differ by more than a status is old.
    since = time.time() - progress.time
    return replace(progress, elapsed_seconds=progress.elapsed_seconds + since) if 0 < since < _OLD else progress


def _tell_end(directory: RunDirectory, console: Console) -> int:
    """Print the result, or what a job that was killed has left."""
    from mpi_automl.storage.run_directory import RUNNING

    for table in _end_tables(directory):
        console.print(table, markup=False) if isinstance(table, str) else console.print(table)
    return 1 if directory.state == RUNNING else 0


def _end_tables(directory: RunDirectory) -> Any:
    from mpi_automl.cli.tables import outcome_tables, trial_tables
    from mpi_automl.runs.summary import RunSummary
    from mpi_automl.storage import schema
    from mpi_automl.storage.reader import RunReader
    from mpi_automl.storage.run_directory import RUNNING

    path = directory.path
    if directory.state != RUNNING and directory.ensemble.exists():
        yield from outcome_tables(RunSummary.from_mapping(directory.read_ensemble(), path))
        return
    yield f"The job that wrote {path} was killed, or failed; mpi-automl fit --resume {path} goes on with it."
    if schema.legs(path):
        yield from trial_tables(RunReader(path), _BEST)
