"""``mpi-automl fit``: search for the best ensemble for a table."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

from mpi_automl.cli.options import add_settings, settings_from
from mpi_automl.errors import UserError
from mpi_automl.job.signals import TO_BE_RESUMED
from mpi_automl.settings import Settings

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
    from mpi_automl.job.conclusion import Conclusion
    from mpi_automl.job.observer import Observer
    from mpi_automl.job.rank_log import RankLog
    from mpi_automl.parallel.world import World
    from mpi_automl.runs.summary import RunSummary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("table", metavar="TABLE", nargs="?", help="table with the training rows; not with --resume DIR")
    parser.epilog = "Example: mpirun -n 8 mpi-automl fit train.csv --target price --time 1h --out runs/price"
    add_settings(parser, defaults={}, leave_out=("table",))


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; gives the exit status."""
    settings = settings_from(arguments, {})
    if not settings.target:
        raise UserError("Name the target column with --target COLUMN.")

    def load() -> Task:
        from mpi_automl.data.load import load_task
        from mpi_automl.storage.table import READERS

        return load_task(settings, readers=READERS)

    return run_job(settings, load)


def run_job(settings: Settings, load: Callable[[], Task]) -> int:
    """Collective. Run a job on the ranks that the launcher started; gives the exit status."""
    from mpi_automl.job.resume import has_finished
    from mpi_automl.job.session import JobSession

    with JobSession.start(settings, _terminal) as session:
        # A directory that one node sees and another does not must not part the ranks.
        if session.world.on_root(lambda: has_finished(settings)):
            if session.world.is_root:
                print(f"{settings.out} holds a finished run; nothing is left to do.")
            return 0
        # Imported while the trial server starts.
        from mpi_automl.job.conclusion import StoppedEarlyError
        from mpi_automl.job.failure import resume_advice
        from mpi_automl.run import run

        try:
            conclusion = run(session, load)
        except StoppedEarlyError as error:
            advice = resume_advice(settings, error.args[0])
            session.observer.note(f"Interrupted before any trial had ended. {advice}")
            return TO_BE_RESUMED
        page = session.world.on_root(lambda: last_page(settings, conclusion, session.log))
        session.observer.report_written(page)
        if not conclusion.summary.is_interrupted:
            return 0
        session.observer.note(f"Interrupted. {resume_advice(settings, conclusion.summary.directory)}")
    return TO_BE_RESUMED


def _terminal(world: World) -> Observer:
    from mpi_automl.cli.terminal import Terminal

    return Terminal(world)


def last_page(settings: Settings, conclusion: Conclusion, log: RankLog) -> str:
    """Write the report if it is wanted and there is time for it; gives a line for people.

    The result is saved by now: whatever goes wrong here, the job is a success, and it does not wait for a page that is
    late.

    Parameters
    ----------
    settings : Settings
    conclusion : Conclusion
    log : RankLog
    """
    from mpi_automl.job.time_budget import WORTH_A_REPORT

    summary, until = conclusion.summary, conclusion.time.report_end
    command = f"mpi-automl report {summary.directory}"
    hint = f"Report: {command} writes a page with plots."
    # After a signal nobody knows how much time there is.
    if not settings.report or summary.is_interrupted or summary.seconds < WORTH_A_REPORT:
        return hint
    pages: list[str] = []
    writer = Thread(target=lambda: pages.append(_written(summary, settings, until, log)), daemon=True)
    writer.start()
    writer.join(max(0.0, until - time.time()))
    page = pages[0] if pages else ""
    return f"Report: {page} (again: {command})" if page else hint


def _written(summary: RunSummary, settings: Settings, until: float, log: RankLog) -> str:
    """The page, or nothing when there is no time or something is wrong."""
    from mpi_automl.report.write import ReportTime, ReportTimeoutError, write_report
    from mpi_automl.runs.run import Run

    try:
        return str(write_report(Run(summary.directory, plugins=settings.plugins), time_left=ReportTime(until)))
    except ReportTimeoutError:
        log.note("There was no time to write the report.")
    except Exception as error:  # a plot that fails must not take the result along
        log.note(f"The report could not be written: {error!r}")
    return ""
