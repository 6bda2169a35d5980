"""``mpi-automl ensemble``: another ensemble from the trials of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from mpi_automl.cli.options import add_override, add_plugins, converted, plugins_from

_OPTIONS = {
    "size": "ensemble_size",
    "nbest": "ensemble_nbest",
    "method": "ensemble_method",
    "select_by": "ensemble_metric",
    "performance_range": "performance_range",
    "bags": "ensemble_bags",
    "final_models": "final_models",
}
"""Options of `Settings` under the verb's shorter names."""
_RULES = {"final_models": "final"}
"""Fields of `EnsembleRules` with other names than the options."""


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="run directory, also of a running or killed job")
    for name, option in _OPTIONS.items():
        add_override(parser, _flag(name), option)
    parser.add_argument("--metric", metavar="METRIC", help="metric to judge by; default: the run's own")
    add_plugins(parser)
    parser.epilog = "Example: mpi-automl ensemble runs/price --size 20 --nbest 50"


def run(arguments: argparse.Namespace) -> int:
    """Collective. Run the verb; gives the exit status."""
    given = {
        _RULES.get(name, name): converted(option, getattr(arguments, name), _flag(name))
        for name, option in _OPTIONS.items()
    }
    from mpi_automl.job.session import start_ranks
    from mpi_automl.runs.rebuild import rebuild_ensemble
    from mpi_automl.runs.run import Run

    with start_ranks() as ranks:
        world = ranks.world
        outcome = rebuild_ensemble(world, Run(arguments.directory, arguments.metric, plugins_from(arguments)), **given)
    if world.is_root:
        from mpi_automl.cli.console import make_console
        from mpi_automl.cli.tables import ensemble_tables

        console = make_console()
        for table in ensemble_tables(outcome):
            console.print(table)
    return 0
