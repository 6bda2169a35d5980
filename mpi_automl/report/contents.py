"""All that a report shows of one run, read from its directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.runs.trajectory import Clock
from mpi_automl.space.steps import BY_NAME
from mpi_automl.trial import Status

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from mpi_automl.data.task import TaskType
    from mpi_automl.runs.run import Run


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
        Values in the units of the table.
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
    run : Run
    importance : dict
        As `RunDirectory.read_importance` gives it.
    """

    run: Run
    importance: dict[str, Any]

    @classmethod
    def of(cls, run: Run) -> Contents:
        """Read a run that is finished, killed or under way.

        Raises
        ------
        UserError
            If it is not a run directory, or as for `Run.space`.
        """
        importance = run.directory.read_importance()
        for part in ("space", "reader"):
            getattr(run, part)
        return cls(run, importance)

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """Of the latest leg: task, versions, hosts."""
        return self.run.reader.metadata()

    @cached_property
    def clock(self) -> Clock:
        """Seconds of search."""
        return Clock.of(self.run.reader.records)

    @property
    def task_type(self) -> TaskType:
        """Kind of the target."""
        return self.run.schema.task_type

    @cached_property
    def ranks(self) -> list[int]:
        """Ranks with trials."""
        return [int(rank) for rank in np.unique(self.run.reader.records["rank"])]

    @cached_property
    def chosen_components(self) -> list[dict[str, str]]:
        """The component of each step, for each trial; empty for the dummy."""
        choosers = {step.choice: name for name, step in BY_NAME.items()}
        return [
            {choosers[name]: str(value) for name, value in configuration.items() if name in choosers}
            for configuration in map(self.run.space.configuration, self.run.reader.vectors)
        ]

    @cached_property
    def learners(self) -> list[str]:
        """The learner of each trial."""
        return [chosen.get("classifier", chosen.get("regressor", "dummy")) for chosen in self.chosen_components]

    @cached_property
    def trials(self) -> pd.DataFrame:
        """As `RunReader.trials`, with ``learner``, ``value``, and ``began`` and ``ended`` in seconds of search."""
        table = self.run.reader.trials()
        table["learner"] = self.learners
        table["value"] = self.run.metric.value_of(table["cost"].to_numpy())
        for name, source in (("began", "start"), ("ended", "end")):
            table[name] = self.clock.seconds(table["leg"].to_numpy(), table[source].to_numpy())
        return table

    @cached_property
    def statuses(self) -> list[Status]:
        """The status of each trial."""
        return [Status(value) for value in self.run.reader.records["status"]]

    @cached_property
    def predicted(self) -> Predicted | None:
        """The ensemble's predictions, or the best trial's; of the test rows if there are any. None without."""
        for rows in ("test", "validation"):
            truth = self.run.reader.test_truth() if rows == "test" else self.run.reader.truth()
            if truth is None:
                continue
            for model, find in (("ensemble", self._of_ensemble), ("best trial", self._of_best)):
                predictions = find(rows)
                if predictions is not None:
                    restore = self.run.schema.restore
                    return Predicted(rows, model, restore(truth), restore(predictions))
        return None

    def _stored(self, rows: str, keys: Sequence[Any]) -> NDArray[np.float32] | None:
        read = self.run.reader.test_predictions if rows == "test" else self.run.reader.predictions
        try:
            return read(keys)
        except (KeyError, UserError):
            return None

    def _of_ensemble(self, rows: str) -> NDArray[Any] | None:
        from mpi_automl.ensemble.combination import combine

        if self.run.summary is None:
            return None
        try:
            combination = self.run.model.combination
        except UserError:
            return None
        keys = list(combination.weights)
        stored = self._stored(rows, keys)
        if stored is None:
            return None
        combined: NDArray[Any] = combine(combination, dict(zip(keys, stored, strict=True)))
        return combined

    def _of_best(self, rows: str) -> NDArray[Any] | None:
        keys = [self.run.reader.keys[row] for row in self.run.ranking[:3]]
        if not keys and self.run.dummy is not None:
            keys = [self.run.dummy]
        for key in keys:
            stored = self._stored(rows, [key])
            if stored is not None:
                return np.asarray(stored[0])
        return None
