"""``mpi-automl importance``: which hyperparameters and columns matter."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mpi_automl.cli.options import add_plugins, plugins_from
from mpi_automl.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="run directory")
    parser.add_argument(
        "table", metavar="TABLE", nargs="?", help="rows that were not learned from, target included; for the columns"
    )
    parser.add_argument("--repeats", metavar="N", type=int, default=5, help="shuffles of each column; default: 5")
    add_plugins(parser)
    parser.epilog = "Example: mpirun -n 8 mpi-automl importance runs/price test.csv"


def run(arguments: argparse.Namespace) -> int:
    """Collective. Run the verb; gives the exit status."""
    if arguments.repeats < 1:
        raise UserError(f"--repeats is {arguments.repeats}; it must be at least 1.")
    from mpi_automl.job.session import start_ranks
    from mpi_automl.runs.importance import measure_importance
    from mpi_automl.runs.run import Run

    source = Run(arguments.directory, plugins=plugins_from(arguments))

    def load() -> Any:
        from mpi_automl.data.read import read_table
        from mpi_automl.storage.table import READERS

        return read_table(arguments.table, readers=READERS, texts=source.schema.text_columns)

    with start_ranks() as ranks:
        world = ranks.world
        found = measure_importance(
            world,
            source,
            None if arguments.table is None else load,
            repeats=arguments.repeats,
        )
    if world.is_root:
        from mpi_automl.cli.console import make_console
        from mpi_automl.cli.tables import importance_tables

        console = make_console()
        for table in importance_tables(found):
            console.print(table)
    return 0
