"""``mpi-automl fit``: search for the best ensemble for a table."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.cli.options import add_settings, settings_from
from mpi_automl.errors import UserError
from mpi_automl.parallel.launcher import detect_launch
from mpi_automl.settings import Settings

if TYPE_CHECKING:
    from mpi_automl.data.task import Task

TO_BE_RESUMED = 75
"""Exit status (EX_TEMPFAIL) of a run that has not used its time: a batch script may queue it again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("table", metavar="TABLE", nargs="?", help="table with the training rows; not with --resume DIR")
    parser.epilog = "Example: mpirun -n 8 mpi-automl fit train.csv --target price --time 1h --out runs/price"
    add_settings(parser, defaults={}, leave_out=("table",))


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; gives the exit status."""
    settings = settings_from(arguments, {})
    if not settings.target:
        raise UserError("Which column is to be predicted? Name it with --target COLUMN.")

    def load() -> Task:
        from mpi_automl.data.load import load_task
        from mpi_automl.storage.table import READERS

        return load_task(settings, readers=READERS)

    return run_job(settings, load)


def run_job(settings: Settings, load: Callable[[], Task]) -> int:
    """Collective. Run a job on the ranks that the launcher started; gives the exit status."""
    launch = detect_launch()
    if is_done(settings):
        if launch.speaks:
            print(f"{settings.out} holds a finished run; nothing is left to do.")
        return 0
    from mpi_automl.evaluation.evaluator import Evaluator
    from mpi_automl.job.rank_log import RankLog
    from mpi_automl.parallel.time_left import TimeLeft, ask_time_left, with_time_left
    from mpi_automl.parallel.world import open_world, process_start

    started = process_start()
    # Commands must not be run after MPI is initialised either.
    time_left = ask_time_left(settings) if launch.speaks else None
    # The trial server is started before MPI is initialised: forking afterwards is unsafe on many fabrics.
    log = RankLog()
    with Evaluator.start(log.server_output, settings.threads, settings.plugins) as evaluator:
        world = open_world(started, launch)
        from mpi_automl.cli.terminal import Terminal
        from mpi_automl.run import run

        settings, terminal = with_time_left(settings, world, time_left), Terminal(world)
        if isinstance(time_left, TimeLeft):
            terminal.note(f"{time_left.source} tells the time left: --time auto is {settings.time:.0f} s.")
        outcome = run(settings, world, evaluator, log, load, terminal)
    return TO_BE_RESUMED if outcome.is_interrupted else 0


def is_done(settings: Settings) -> bool:
    """Whether the same command, given again with ``--resume auto``, has nothing left to do."""
    from mpi_automl.storage.run_directory import FINISHED, RunDirectory

    if settings.resume != "auto" or settings.out is None or not (Path(settings.out) / "config.toml").exists():
        return False
    return RunDirectory(settings.out).state == FINISHED
