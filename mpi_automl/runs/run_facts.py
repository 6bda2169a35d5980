"""What must be known of a run to judge its trials: from the job itself, or from its directory later."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError
from mpi_automl.settings import Settings
from mpi_automl.storage.run_directory import RunDirectory

if TYPE_CHECKING:
    from mpi_automl.data.schema import Schema
    from mpi_automl.data.task import Profile
    from mpi_automl.evaluation.setup import EvaluationSetup
    from mpi_automl.metrics.metric import Metric
    from mpi_automl.space.space import SearchSpace


@dataclass(frozen=True, eq=False)
class RunFacts:
    """How a run's table is encoded, what it searched, and by what it judged.

    Attributes
    ----------
    schema : Schema
    space : SearchSpace
    metric : Metric
    """

    schema: Schema
    space: SearchSpace
    metric: Metric

    @classmethod
    def of_setup(cls, setup: EvaluationSetup) -> RunFacts:
        """The facts of a job under way."""
        return cls(setup.task.schema, setup.space, setup.metric)

    @classmethod
    def of_directory(cls, path: Path | str, metric: str | None = None, plugins: Sequence[str] = ()) -> RunFacts:
        """The facts of a run that is finished, killed or still going on.

        Parameters
        ----------
        path : Path or str
            The run directory.
        metric : str, optional
            Instead of the run's own.
        plugins : sequence of str
            Modules to import that register components. They are never taken from the directory, which may come from
            someone else.

        Raises
        ------
        UserError
            If this is not a run directory, a component is not installed any more, a plugin of the run is not
            named, or the metric does not fit.
        """
        from mpi_automl.data.schema import Schema
        from mpi_automl.metrics.registry import get_metric
        from mpi_automl.space.registry import import_plugins
        from mpi_automl.space.space import build_space

        directory = RunDirectory(path)
        settings = Settings.from_mapping(directory.read_config())
        check_plugins(path, settings, plugins)
        import_plugins(plugins)
        schema = Schema.from_json(directory.read_schema())
        stored = json.loads(directory.read_space())
        space = build_space(
            _profile(stored["profile"]), include=settings.include, exclude=settings.exclude, seed=settings.seed
        )
        if json.loads(space.to_json())["configuration_space"] != stored["configuration_space"]:
            raise UserError(
                f"The search space that this installation makes differs from the one of {path}; "
                "install the versions of packages and plugins that the run was made with."
            )
        return cls(schema, space, get_metric(metric or settings.metric, schema.task_type))


def check_plugins(path: Path | str, settings: Settings, plugins: Sequence[str]) -> None:
    """See that the user has named the modules that a run wants to import.

    Raises
    ------
    UserError
        If one is missing.
    """
    if unnamed := [name for name in settings.plugins if name not in plugins]:
        raise UserError(
            f"{path} was made with components of its own; if you trust them, name their modules: "
            f"--plugins {','.join(unnamed)}."
        )


def _profile(stored: dict[str, Any]) -> Profile:
    from mpi_automl.data.task import ColumnKind, Profile, TaskType

    values = {spec.name: stored[spec.name] for spec in fields(Profile)}
    values["task_type"] = TaskType(values["task_type"])
    values["kinds"] = tuple(ColumnKind(kind) for kind in values["kinds"])
    values["cardinalities"] = tuple(values["cardinalities"])
    return Profile(**values)
