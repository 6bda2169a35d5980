"""``mpi-automl fetch``: fill the cache of OpenML's data sets, where there is a network."""

from __future__ import annotations

import argparse

from mpi_automl.machine.launcher import detect_launch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument(
        "sources",
        metavar="SOURCE",
        nargs="+",
        help="openml:ID, openml:NAME, openml:NAME@VERSION or openml:suite/ID (all its data sets)",
    )
    parser.epilog = "Example: mpi-automl fetch openml:31, on a login node; then: mpi-automl fit openml:31"


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; gives the exit status."""
    if not detect_launch().speaks:
        return 0
    from mpi_automl.data.openml import OPENML, SUITE, fetch, fetch_suite

    for source in arguments.sources:
        is_suite = source.startswith(f"{OPENML}{SUITE}")
        for part in fetch_suite(source) if is_suite else [source]:
            print(fetch(part))
    return 0
