"""A run: what a job leaves in its directory, as one object."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.settings import Settings
from mpi_automl.storage.run_directory import RUNNING, RunDirectory
from mpi_automl.trial import Origin, Status, TrialKey, is_full

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.data.schema import Schema
    from mpi_automl.data.task import Profile
    from mpi_automl.ensemble.model import EnsembleModel
    from mpi_automl.evaluation.setup import EvaluationSetup
    from mpi_automl.metrics.metric import Metric
    from mpi_automl.runs.summary import RunSummary
    from mpi_automl.space.space import SearchSpace
    from mpi_automl.storage.reader import RunReader

KILLED = "killed"
"""State of a run without an end that no job is writing."""


class Run:
    """A run that is finished, killed or under way.

    Each part is read when it is first asked for, and kept; ``reader.refresh()`` reads new trials.

    Parameters
    ----------
    path : Path or str
        The run directory.
    metric : str, optional
        Judge by it instead of the run's own metric.
    plugins : sequence of str
        Modules to import that register components. They are never taken from the directory, which may come from
        someone else.

    Attributes
    ----------
    path : Path
    plugins : tuple of str
    """

    def __init__(self, path: Path | str, metric: str | None = None, plugins: Sequence[str] = ()) -> None:
        self.path = Path(path)
        self.plugins = tuple(plugins)
        self._metric_name = metric

    @classmethod
    def of_setup(cls, path: Path, setup: EvaluationSetup) -> Run:
        """The run of a job under way, whose schema, space and metric are known."""
        run = cls(path)
        run.schema, run.space, run.metric = setup.task.schema, setup.space, setup.metric
        return run

    @cached_property
    def directory(self) -> RunDirectory:
        """Files of the run directory; a `UserError` if `path` is none."""
        return RunDirectory(self.path)

    @cached_property
    def reader(self) -> RunReader:
        """Trials and predictions of all legs; a `UserError` if there are none."""
        from mpi_automl.storage.reader import RunReader

        return RunReader(self.path)

    @property
    def identity(self) -> str:
        """What tells the run from an earlier one in the same place: when its first leg was begun."""
        return self.reader.legs[0].created

    @cached_property
    def settings(self) -> Settings:
        """Every option of the run."""
        return Settings.from_mapping(self.directory.read_config())

    @cached_property
    def schema(self) -> Schema:
        """How a table is encoded and predictions are decoded."""
        from mpi_automl.data.schema import Schema

        return Schema.from_json(self.directory.read_schema())

    @cached_property
    def space(self) -> SearchSpace:
        """The search space.

        Raises
        ------
        UserError
            If a component is not installed any more, or a plugin of the run is not named.
        """
        from mpi_automl.space.registry import import_plugins
        from mpi_automl.space.space import build_space

        self.check_plugins()
        import_plugins(self.plugins)
        settings, stored = self.settings, json.loads(self.directory.read_space())
        space = build_space(
            _profile(stored["profile"]), include=settings.include, exclude=settings.exclude, seed=settings.seed
        )
        if json.loads(space.to_json())["configuration_space"] != stored["configuration_space"]:
            raise UserError(
                f"The search space that this installation makes differs from the one of {self.path}; "
                "install the versions of packages and plugins that the run was made with."
            )
        return space

    def check_plugins(self) -> None:
        """See that the user has named the modules that the run wants to import.

        Raises
        ------
        UserError
            If one is missing.
        """
        if unnamed := [name for name in self.settings.plugins if name not in self.plugins]:
            raise UserError(
                f"{self.path} was made with components of its own; if you trust them, name their modules: "
                f"--plugins {','.join(unnamed)}."
            )

    @cached_property
    def metric(self) -> Metric:
        """What the run is judged by; a `UserError` if it does not fit the target."""
        from mpi_automl.metrics.registry import get_metric
        from mpi_automl.metrics.target_check import check_target

        schema = self.schema
        found = get_metric(self._metric_name or self.settings.metric, schema.task_type, schema.units)
        if self._metric_name:
            check_target(found, self.reader.truth(), schema.target_names, "of the validation rows ")
        return found

    @cached_property
    def summary(self) -> RunSummary | None:
        """The result of the latest leg that came to its end; None if none has."""
        from mpi_automl.runs.summary import RunSummary

        if not self.directory.ensemble.exists():
            return None
        return RunSummary.from_mapping(self.directory.read_ensemble(), self.path)

    @cached_property
    def model(self) -> EnsembleModel:
        """The final model; a `UserError` if there is none."""
        from mpi_automl.ensemble.model import MANIFEST, EnsembleModel
        from mpi_automl.space.registry import import_plugins

        import_plugins(self.plugins)
        if not (self.directory.model / MANIFEST).exists():
            raise UserError(
                f"{self.path} has no final model; mpi-automl ensemble {shlex.quote(str(self.path))} builds one from "
                "the trials that have ended."
            )
        return EnsembleModel.load(self.directory.model, trusted=self.plugins)

    @property
    def state(self) -> str:
        """``finished``, ``interrupted``, ``running`` or ``killed``."""
        state = self.directory.state
        return KILLED if state == RUNNING and not self.directory.lock.holder() else state

    @property
    def is_full(self) -> NDArray[np.bool_]:
        """Which trials are full ones (`mpi_automl.trial.is_full`), shape (n_trials,)."""
        records = self.reader.records
        return np.asarray(is_full(records["status"], records["origin"], records["budget"], records["cost"]))

    @property
    def ranking(self) -> NDArray[np.intp]:
        """Rows of the full trials, best first; equal costs in the order of leg, rank and number."""
        rows = np.flatnonzero(self.is_full)
        return rows[np.argsort(self.reader.records["cost"][rows], kind="stable")]

    def incumbents(self, rank: int | None = None) -> NDArray[np.intp]:
        """Rows of the full trials that were the best when they ended, in the order of their ends.

        Parameters
        ----------
        rank : int, optional
            Among its trials only.
        """
        records = self.reader.records
        rows = np.flatnonzero(self.is_full if rank is None else self.is_full & (records["rank"] == rank))
        # A leg begins after the one before has ended, also where the clocks of their hosts differ.
        rows = rows[np.lexsort((records["end"][rows], records["leg"][rows]))]
        costs = records["cost"][rows]
        best_before = np.minimum.accumulate(np.concatenate([[np.inf], costs]))[:-1]
        return rows[costs < best_before]

    @property
    def dummy(self) -> TrialKey | None:
        """The trial of the dummy, if it was evaluated."""
        records = self.reader.records
        rows = np.flatnonzero((records["origin"] == Origin.DUMMY) & (records["status"] == Status.SUCCESS))
        return self.reader.keys[rows[0]] if len(rows) else None

    @property
    def _is_judged_as_searched(self) -> bool:
        return self.metric.name == self.reader.legs[-1].metric

    def costs(self, keys: Sequence[TrialKey]) -> NDArray[np.float64]:
        """Costs of trials by `metric`: as stored, or of the stored predictions if the search had another one."""
        if self._is_judged_as_searched:
            return np.array([self.reader.cost(key) for key in keys])
        truth, kind = self.reader.truth(), self.schema.task_type
        return np.array([self.metric.cost(truth, self.reader.predictions([key])[0], kind) for key in keys])

    @property
    def single_best(self) -> TrialKey | None:
        """The full trial that is best by `metric`, among those whose predictions are kept; None without any."""
        keys = self.reader.best(1 if self._is_judged_as_searched else len(self.reader), among=self.is_full)
        return keys[int(np.argmin(self.costs(keys)))] if keys else None


def _profile(stored: dict[str, Any]) -> Profile:
    from mpi_automl.data.task import ColumnKind, Profile, TaskType

    values = {spec.name: stored[spec.name] for spec in fields(Profile)}
    values["task_type"] = TaskType(values["task_type"])
    values["kinds"] = tuple(ColumnKind(kind) for kind in values["kinds"])
    values["cardinalities"] = tuple(values["cardinalities"])
    return Profile(**values)
