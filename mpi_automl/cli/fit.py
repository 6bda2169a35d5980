"""``mpi-automl fit``: search for the best ensemble for a table."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from mpi_automl.cli.options import add_settings, settings_from
from mpi_automl.errors import UserError
from mpi_automl.machine.launcher import detect_launch
from mpi_automl.settings import Settings

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
    from mpi_automl.job.rank_log import RankLog
    from mpi_automl.runs.summary import RunSummary

_EXIT_SECONDS = 1.5
"""Time to leave for ending the trial server and MPI after the report."""
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
    from mpi_automl.job.signals import BY_BATCH_SYSTEMS, StopSignals
    from mpi_automl.machine.cores import threads_at_first
    from mpi_automl.machine.scheduler import TimeLeft, ask_time_left, with_time_left
    from mpi_automl.parallel.abort import abort_on_exception
    from mpi_automl.parallel.world import open_world, process_start

    started = process_start()
    # Commands must not be run after MPI is initialised either.
    time_left = ask_time_left(settings) if launch.speaks else None
    # The trial server is started before MPI is initialised: forking afterwards is unsafe on many fabrics.
    log = RankLog()
    # A signal to save a result must not kill a job that is still starting: the search sees it when it begins.
    early = StopSignals(BY_BATCH_SYSTEMS)
    with early, Evaluator.start(log.server_output, threads_at_first(settings), settings.plugins) as evaluator:
        world = open_world(started, launch)
        from mpi_automl.cli.terminal import Terminal
        from mpi_automl.job.conclusion import StoppedEarlyError
        from mpi_automl.run import run

        settings, terminal = with_time_left(settings, world, time_left), Terminal(world)
        if isinstance(time_left, TimeLeft):
            terminal.note(f"{time_left.source} tells the time left: --time auto is {settings.time:.0f} s.")
        try:
            outcome = run(settings, world, evaluator, log, load, terminal)
        except StoppedEarlyError as error:
            terminal.note(str(error))
            return TO_BE_RESUMED
        with abort_on_exception(world, log.note):
            world.on_root(lambda: terminal.tell(last_page(settings, outcome, terminal.deadline, log)))
    return TO_BE_RESUMED if outcome.is_interrupted else 0


def last_page(settings: Settings, outcome: RunSummary, deadline: float, log: RankLog) -> str:
    """Write the report if it is wanted and there is time for it; gives a line for people.

    The result is saved by now: whatever goes wrong here, the job is a success, and it does not wait for a page that is
    late.

    Parameters
    ----------
    settings : Settings
    outcome : RunSummary
    deadline : float
        When the job must have ended, in seconds since the epoch.
    log : RankLog
    """
    from mpi_automl.job.plan import WORTH_A_REPORT

    command = f"mpi-automl report {outcome.directory}"
    hint = f"Report: {command} writes a page with plots."
    # After a signal nobody knows how much time there is.
    if not settings.report or outcome.is_interrupted or outcome.seconds < WORTH_A_REPORT:
        return hint
    until = deadline - _EXIT_SECONDS
    told: list[str] = []
    writer = Thread(target=lambda: told.append(_written(outcome, settings, until, log)), daemon=True)
    writer.start()
    writer.join(max(0.0, until - time.time()))
    page = told[0] if told else ""
    return f"Report: {page} (again: {command})" if page else hint


def _written(outcome: RunSummary, settings: Settings, until: float, log: RankLog) -> str:
    """The page, or nothing when there is no time or something is wrong."""
    from mpi_automl.report.write import Budget, OutOfTimeError, write_report

    try:
        return str(write_report(outcome.directory, plugins=settings.plugins, budget=Budget(until)))
    except OutOfTimeError:
        log.note("There was no time to write the report.")
    except Exception as error:  # a plot that fails must not take the result along
        log.note(f"The report could not be written: {error!r}")
    return ""


def is_done(settings: Settings) -> bool:
    """Whether the same command, given again with ``--resume auto``, has nothing left to do."""
    from mpi_automl.storage.run_directory import FINISHED, RunDirectory

    if settings.resume != "auto" or settings.out is None or not (Path(settings.out) / "config.toml").exists():
        return False
    return RunDirectory(settings.out).state == FINISHED
