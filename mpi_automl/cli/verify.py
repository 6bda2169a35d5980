"""``mpi-automl verify``: verify every checksum of a run's store."""

from __future__ import annotations

import argparse
from pathlib import Path

from mpi_automl.errors import UserError
from mpi_automl.machine.launcher import detect_launch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="run directory")
    parser.add_argument("--repair", action="store_true", help="mend what can be mended; nothing is deleted")
    parser.epilog = "Example: mpi-automl verify runs/price"


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; the exit status is 0 when everything is sound, else 1."""
    if not detect_launch().speaks:
        return 0
    from mpi_automl.storage.run_lock import RunLock
    from mpi_automl.storage.verify import check, repair

    holder = RunLock(arguments.directory / "lock.json").holder() if arguments.repair else ""
    if holder:
        raise UserError(f"A job is writing to {arguments.directory} ({holder}); repair when it has ended.")
    report = check(arguments.directory)
    for line in report.lines():
        print(line)
    if arguments.repair and not report.is_sound:
        for line in repair(arguments.directory, report):
            print(line)
        report = check(arguments.directory)
    return 0 if report.is_sound else 1
