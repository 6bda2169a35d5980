"""``mpi-automl refit``: fit the members of a run's ensemble anew on all rows."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.cli.options import add_plugins, converted, plugins_from
from mpi_automl.errors import UserError
from mpi_automl.machine.launcher import detect_launch
from mpi_automl.settings import Settings

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task


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
    from mpi_automl.evaluation.evaluator import Evaluator
    from mpi_automl.machine.cores import threads_at_first
    from mpi_automl.parallel.abort import abort_on_exception
    from mpi_automl.parallel.world import open_world, process_start
    from mpi_automl.runs.refit import refit_run
    from mpi_automl.runs.run_facts import check_plugins
    from mpi_automl.storage.run_directory import RunDirectory

    path, plugins = arguments.directory, plugins_from(arguments)
    settings = Settings.from_mapping(RunDirectory(path).read_config())
    check_plugins(path, settings, plugins)
    settings = replace(settings, plugins=plugins, table=arguments.table or settings.table)
    started = process_start()
    # As for fit: the trial server is started before MPI is initialised.
    with Evaluator.start(None, threads_at_first(settings), plugins) as evaluator:
        world = open_world(started, detect_launch())
        with abort_on_exception(world, lambda text: None):
            failures = refit_run(
                world, evaluator, path, settings, lambda: _load(path, settings), seconds or settings.time
            )
    if world.is_root:
        for key, reason in failures.items():
            print(f"Member {key} keeps the models it had: {reason}.")
        print(f"The model in {path} is ready.")
    return 0


def _load(path: Path, settings: Settings) -> Task:
    """The table that a run learned."""
    from mpi_automl.data.example import breast_cancer_task
    from mpi_automl.data.load import load_task
    from mpi_automl.storage.reader import RunReader
    from mpi_automl.storage.table import READERS

    if settings.table is not None:
        return load_task(settings, readers=READERS)
    example = breast_cancer_task()
    if RunReader(path).metadata()["task"] != example.name:
        raise UserError(f"{path} was made from Python, where the table is: use the estimator's refit(X, y) there.")
    return example
