"""``mpi-automl refit``: refit the members of a run's ensemble on all rows."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.cli.options import add_plugins, converted, plugins_from
from mpi_automl.errors import UserError

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
    from mpi_automl.runs.run import Run
    from mpi_automl.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="run directory")
    parser.add_argument("--time", metavar="TIME", help="time that fitting may take; default: the run's own --time")
    parser.add_argument("--table", metavar="TABLE", help="where the run's training rows are now, if they have moved")
    add_plugins(parser)
    parser.epilog = "Example: mpirun -n 8 mpi-automl refit runs/price --time 10m"


def run(arguments: argparse.Namespace) -> int:
    """Collective. Run the verb; gives the exit status."""
    seconds = converted("time", arguments.time, "--time")
    from mpi_automl.job.session import JobSession
    from mpi_automl.runs.refit import refit_run
    from mpi_automl.runs.run import Run

    path, plugins = arguments.directory, plugins_from(arguments)
    fitted = Run(path, plugins=plugins)
    fitted.check_plugins()
    settings = replace(fitted.settings, plugins=plugins, table=arguments.table or fitted.settings.table)
    with JobSession.start(settings) as session:
        failures = refit_run(
            session.world, session.evaluator, fitted, lambda: _load(fitted, settings), seconds or settings.time
        )
    if session.world.is_root:
        for key, reason in failures.items():
            print(f"Member {key} keeps the models it had: {reason}.")
        print(f"The model in {path} is ready.")
    return 0


def _load(run: Run, settings: Settings) -> Task:
    """The table that a run learned."""
    from mpi_automl.data.example import breast_cancer_task
    from mpi_automl.data.load import load_task
    from mpi_automl.storage.table import READERS

    if settings.table is not None:
        return load_task(settings, readers=READERS)
    example = breast_cancer_task()
    if run.reader.metadata()["task"] != example.name:
        raise UserError(f"{run.path} was made from Python, where the table is: use the estimator's refit(X, y) there.")
    return example
