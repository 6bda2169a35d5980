"""``mpi-automl report``: one page with everything that a run found."""

from __future__ import annotations

import argparse
from pathlib import Path

from mpi_automl.cli.options import add_plugins, plugins_from
from mpi_automl.machine.launcher import detect_launch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="run directory, also of a running or killed job")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="directory to write to; default: report in the run directory"
    )
    add_plugins(parser)
    parser.epilog = "Example: mpi-automl report runs/price"


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; gives the exit status."""
    if not detect_launch().speaks:
        return 0
    from mpi_automl.report.write import write_report
    from mpi_automl.runs.run import Run

    page = write_report(Run(arguments.directory, plugins=plugins_from(arguments)), arguments.out)
    print(f"{page}: open it in a browser; its plots are beside it as PNG files.")
    return 0
