"""``mpi-automl ensemble``: another ensemble from the trials of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from mpi_automl.cli.options import add_plugins, converted, plugins_from

_OPTIONS = {
    "size": ("ensemble_size", "N", "rounds of selection"),
    "nbest": ("ensemble_nbest", "N", "candidates: the best N, or a share"),
    "method": ("ensemble_method", "METHOD", "how to combine: greedy, single_best, stacking or auto"),
    "select_by": ("ensemble_metric", "METRIC", "what greedy selection goes by: same, auto or another metric"),
    "performance_range": (
        "performance_range",
        "SHARE",
        "way from the dummy's cost to the best one that a candidate must have gone",
    ),
    "start": ("ensemble_start", "N", "start greedy selection from up to N of the best candidates"),
    "bags": ("ensemble_bags", "N", "select from N random halves of the candidates and average"),
    "final_models": ("final_models", "KIND", "models to take where a member has both: folds or refit (auto)"),
}
_RULES = {"start": "sorted_start", "final_models": "final"}
"""Fields of `EnsembleRules` with other names than the options."""


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("directory", metavar="RUN", type=Path, help="run directory, also of a running or killed job")
    for name, (_, metavar, text) in _OPTIONS.items():
        parser.add_argument(_flag(name), metavar=metavar, help=f"{text}; default: the run's own")
    parser.add_argument("--metric", metavar="METRIC", help="metric to judge by; default: the run's own")
    add_plugins(parser)
    parser.epilog = "Example: mpi-automl ensemble runs/price --size 20 --nbest 50"


def run(arguments: argparse.Namespace) -> int:
    """Collective. Run the verb; gives the exit status."""
    given = {
        _RULES.get(name, name): converted(option, getattr(arguments, name), _flag(name))
        for name, (option, _, _) in _OPTIONS.items()
    }
    from mpi_automl.job.session import start_ranks
    from mpi_automl.runs.rebuild import rebuild_ensemble

    with start_ranks() as ranks:
        world = ranks.world
        outcome = rebuild_ensemble(
            world, arguments.directory, metric=arguments.metric, plugins=plugins_from(arguments), **given
        )
    if world.is_root:
        from mpi_automl.cli.console import make_console
        from mpi_automl.cli.tables import ensemble_tables

        console = make_console()
        for table in ensemble_tables(outcome):
            console.print(table)
    return 0
