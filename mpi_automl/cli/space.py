"""``mpi-automl space``: what would be searched for a table."""

from __future__ import annotations

import argparse

from mpi_automl.cli.options import add_settings, settings_from
from mpi_automl.machine.launcher import detect_launch

_OPTIONS = (
    "target", "task", "categorical", "text", "drop", "drop_missing_targets", "include", "exclude", "plugins",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("table", metavar="TABLE", help="table with the training rows")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="the space in ConfigSpace's own format")
    shape.add_argument("--size", action="store_true", help="only how large it is")
    parser.epilog = "Example: mpi-automl space train.csv --target price"
    add_settings(parser, defaults={}, only=_OPTIONS)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; gives the exit status."""
    if not detect_launch().speaks:
        return 0
    settings = settings_from(arguments, {})
    from mpi_automl.data.load import load_task
    from mpi_automl.space import space_table
    from mpi_automl.space.registry import import_plugins
    from mpi_automl.space.space import build_space
    from mpi_automl.storage.table import READERS

    import_plugins(settings.plugins)
    task = load_task(settings, readers=READERS)
    space = build_space(task.profile, include=settings.include, exclude=settings.exclude, seed=settings.seed)
    if arguments.json:
        print(space.to_json())
    elif arguments.size:
        print(space_table.size(space).describe())
    else:
        print(space_table.table(space))
    return 0
