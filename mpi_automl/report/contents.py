"""All that a report shows of one run, read from its directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.runs.run_facts import RunFacts
from mpi_automl.runs.score_history import Clock
from mpi_automl.runs.summary import RunSummary
from mpi_automl.settings import Settings
from mpi_automl.space.steps import BY_NAME
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RUNNING, RunDirectory
from mpi_automl.trial import Origin, Status

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from mpi_automl.data.task import TaskType

KILLED = "killed"
"""State of a run without an end that no job is writing."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """What was predicted for rows whose truth is known.

    Attributes
    ----------
    rows : str
        Which rows, for people.
    model : str
        Whose predictions, for people.
    truth : ndarray
    predictions : ndarray, shape (n_rows, n_outputs)
    """

    rows: str
    model: str
    truth: NDArray[Any]
    predictions: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Contents:
    """A run, whatever there is of it.

    Attributes
    ----------
    directory : RunDirectory
    state : str
        ``finished``, ``interrupted``, ``running`` or ``killed``.
    settings : Settings
    metadata : dict
        Of the latest leg: task, versions, hosts.
    reader : RunReader
    facts : RunFacts
    clock : Clock
    outcome : RunSummary or None
        None unless a job has come to its end.
    importance : dict
        As `RunDirectory.read_importance` gives it.
    """

    directory: RunDirectory
    state: str
    settings: Settings
    metadata: dict[str, Any]
    reader: RunReader
    facts: RunFacts
    clock: Clock
    outcome: RunSummary | None
    importance: dict[str, Any]

    @classmethod
    def of(cls, path: Path | str, plugins: Sequence[str] = ()) -> Contents:
        """Read a run directory.

        Parameters
        ----------
        path : Path or str
            Of a run that is finished, killed or under way.
        plugins : sequence of str
            Modules that register the components of the user's own that the run was made with.

        Raises
        ------
        UserError
            If it is not a run directory, or as for `RunFacts.of_directory`.
        """
        directory = RunDirectory(path)
        facts, reader = RunFacts.of_directory(path, plugins=plugins), RunReader(path)
        state = directory.state
        if state == RUNNING and not directory.lock.holder():
            state = KILLED
        return cls(
            directory=directory,
            state=state,
            settings=Settings.from_mapping(directory.read_config()),
            metadata=reader.metadata(),
            reader=reader,
            facts=facts,
            clock=Clock.of(reader.records),
            outcome=_outcome(directory),
            importance=directory.read_importance(),
        )

    @property
    def task_type(self) -> TaskType:
        """Kind of the target."""
        return self.facts.schema.task_type

    @cached_property
    def ranks(self) -> list[int]:
        """Ranks with trials."""
        return [int(rank) for rank in np.unique(self.reader.records["rank"])]

    @cached_property
    def chosen_components(self) -> list[dict[str, str]]:
        """The component of each step, for each trial; empty for the dummy."""
        choosers = {step.choice: name for name, step in BY_NAME.items()}
        return [
            {choosers[name]: str(value) for name, value in configuration.items() if name in choosers}
            for configuration in map(self.facts.space.configuration, self.reader.vectors)
        ]

    @cached_property
    def learners(self) -> list[str]:
        """The learner of each trial."""
        return [chosen.get("classifier", chosen.get("regressor", "dummy")) for chosen in self.chosen_components]

    @cached_property
    def trials(self) -> pd.DataFrame:
        """As `RunReader.trials`, with ``learner``, ``value``, and ``began`` and ``ended`` in seconds of search."""
        table = self.reader.trials()
        table["learner"] = self.learners
        table["value"] = self.facts.metric.value_of(table["cost"].to_numpy())
        for name, source in (("began", "start"), ("ended", "end")):
            table[name] = self.clock.seconds(table["leg"].to_numpy(), table[source].to_numpy())
        return table

    @cached_property
    def statuses(self) -> list[Status]:
        """The status of each trial."""
        return [Status(value) for value in self.reader.records["status"]]

    @cached_property
    def predicted(self) -> Predicted | None:
        """The ensemble's predictions, or the best trial's; of the test rows if there are any. None without."""
        for rows in ("test", "validation"):
            truth = self.reader.test_truth() if rows == "test" else self.reader.truth()
            if truth is None:
                continue
            for model, find in (("ensemble", self._of_ensemble), ("best trial", self._of_best)):
                predictions = find(rows)
                if predictions is not None:
                    return Predicted(rows, model, truth, predictions)
        return None

    def _stored(self, rows: str, keys: Sequence[Any]) -> NDArray[np.float32] | None:
        read = self.reader.test_predictions if rows == "test" else self.reader.predictions
        try:
            return read(keys)
        except (KeyError, UserError):
            return None

    def _of_ensemble(self, rows: str) -> NDArray[Any] | None:
        from mpi_automl.ensemble.combination import combine
        from mpi_automl.ensemble.model import EnsembleModel

        if self.outcome is None:
            return None
        try:
            combination = EnsembleModel.load(self.directory.model).combination
        except UserError:
            return None
        keys = list(combination.weights)
        stored = self._stored(rows, keys)
        if stored is None:
            return None
        combined: NDArray[Any] = combine(combination, dict(zip(keys, stored, strict=True)))
        return combined

    def _of_best(self, rows: str) -> NDArray[Any] | None:
        records = self.reader.records
        usable = np.flatnonzero(
            self.reader.has_predictions & np.isfinite(records["cost"]) & (records["status"] == Status.SUCCESS)
        )
        models = [row for row in usable if records["origin"][row] != Origin.DUMMY] or list(usable)
        for row in sorted(models, key=lambda row: records["cost"][row])[:3]:
            stored = self._stored(rows, [self.reader.keys[row]])
            if stored is not None:
                return np.asarray(stored[0])
        return None


def _outcome(directory: RunDirectory) -> RunSummary | None:
    if not directory.ensemble.exists():
        return None
    return RunSummary.from_mapping(directory.read_ensemble(), directory.path)
