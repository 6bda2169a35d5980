"""``mpi-automl example``: a built-in job on real data."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mpi_automl.cli.fit import run_job
from mpi_automl.cli.options import add_settings, settings_from

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task

_DEFAULTS: dict[str, Any] = {
    "time": 60.0,
    "trial_time": 15.0,
    "trial_memory": 1024.0,
    "metric": "accuracy",
    "ensemble_size": 50,
    "ensemble_nbest": 200,
    "models_on_disk": 200,
}
_NO_OPTIONS = ("table", "target", "test", "task", "categorical", "text", "drop", "drop_missing_targets", "groups")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.epilog = "Example: mpirun -n 8 mpi-automl example --time 2m"
    add_settings(parser, defaults=_DEFAULTS, leave_out=_NO_OPTIONS)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; gives the exit status."""
    return run_job(settings_from(arguments, _DEFAULTS), _load)


def _load() -> Task:
    from mpi_automl.data.example import breast_cancer_task

    return breast_cancer_task()
