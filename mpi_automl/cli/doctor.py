"""``mpi-automl doctor``: see that everything a job needs is here and fits together."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.machine.launcher import detect_launch
from mpi_automl.settings import Settings

if TYPE_CHECKING:
    from mpi_automl.doctor.result import CheckResult

_STYLES = {"ok": "green", "warning": "yellow", "wrong": "bold red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("--threads", metavar="N|auto", help="threads of one evaluation, as for fit; default: 1")
    parser.add_argument(
        "--directory", metavar="DIR", type=Path, default=Path(), help="where run directories will be; default: here"
    )
    parser.epilog = "Example: mpirun -n 4 mpi-automl doctor"


def run(arguments: argparse.Namespace) -> int:
    """Collective. Run the verb; the exit status is 0 unless something is wrong."""
    from mpi_automl.doctor.checks import examine
    from mpi_automl.doctor.result import WRONG
    from mpi_automl.job.session import start_ranks
    from mpi_automl.machine.scheduler import slurm_version

    slurm = slurm_version() if detect_launch().speaks else ""
    with start_ranks() as ranks:
        results = examine(ranks.world, arguments.directory, Settings(threads=arguments.threads or 1), slurm)
        if ranks.world.is_root:
            _show(results)
    return 1 if any(result.level == WRONG for result in results) else 0


def _show(results: list[CheckResult]) -> None:
    from rich.table import Table

    from mpi_automl.cli.console import make_console

    table = Table(box=None, show_header=False, padding=(0, 1))
    for result in results:
        table.add_row(f"[{_STYLES[result.level]}]{result.level}[/]", result.topic, result.text)
    make_console().print(table)
