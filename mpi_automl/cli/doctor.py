"""``mpi-automl doctor``: see that everything a job needs is here and fits together."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.machine.launcher import detect_launch
from mpi_automl.settings import Settings

if TYPE_CHECKING:
    from mpi_automl.doctor.checks import Finding

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
    from mpi_automl.doctor.checks import WRONG, examine, slurm_version, view
    from mpi_automl.doctor.store_check import try_store
    from mpi_automl.machine.cores import threads_of
    from mpi_automl.parallel.abort import abort_on_exception
    from mpi_automl.parallel.world import open_world, process_start

    settings = Settings(threads=arguments.threads or 1)
    launch = detect_launch()
    slurm = slurm_version() if launch.speaks else ""
    world = open_world(process_start(), launch)
    with abort_on_exception(world, lambda text: None):
        threads = threads_of(settings, world)
        views = world.gather(view())
        stored = try_store(world, arguments.directory)
        findings = world.on_root(
            lambda: list(examine(world, launch, views, arguments.directory, threads, stored=stored, slurm=slurm))
        )
        if world.is_root:
            _show(findings)
    return 1 if any(finding.level == WRONG for finding in findings) else 0


def _show(findings: list[Finding]) -> None:
    from rich.table import Table

    from mpi_automl.cli.console import make_console

    table = Table(box=None, show_header=False, padding=(0, 1))
    for finding in findings:
        table.add_row(f"[{_STYLES[finding.level]}]{finding.level}[/]", finding.topic, finding.text)
    make_console().print(table)
