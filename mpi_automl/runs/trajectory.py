"""Trajectories, how good a run was at each moment: its incumbent, and the ensemble that could have been built.

Nothing is fitted: stored predictions are scored, and the ensemble is selected again from the trials that had
ended by then.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.runs.selection import DUMMY, EnsembleRules, build_from, candidates_among

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.ensemble.build import Ensemble
    from mpi_automl.runs.run import Run

_MOST_PREDICTIONS = 256.0
"""MiB of candidates' predictions above which the ensemble's history is not reconstructed."""


@dataclass(frozen=True, eq=False)
class Clock:
    """Counts the seconds of search in all legs; what lies between two legs does not count.

    Attributes
    ----------
    starts : ndarray of float64, shape (n_legs,)
        When the first trial of each leg began, in seconds since the epoch.
    offsets : ndarray of float64, shape (n_legs,)
        Seconds of search before each leg.
    numbers : tuple of int
        Of the legs, in order.
    total : float
        Seconds of search in all.
    """

    starts: NDArray[np.float64]
    offsets: NDArray[np.float64]
    numbers: tuple[int, ...]
    total: float

    @classmethod
    def of(cls, records: NDArray[Any]) -> Clock:
        """The clock of a run's records."""
        numbers = tuple(int(leg) for leg in np.unique(records["leg"]))
        spans = [records[records["leg"] == leg] for leg in numbers]
        starts = np.array([span["start"].min() for span in spans], dtype=np.float64)
        lengths = np.array([span["end"].max() - span["start"].min() for span in spans], dtype=np.float64)
        return cls(starts, np.cumsum(lengths) - lengths, numbers, float(lengths.sum()))

    def seconds(self, leg: Any, time: Any) -> Any:
        """Seconds of search at a time in a leg, or at arrays of them."""
        position = np.searchsorted(np.array(self.numbers), leg)
        return self.offsets[position] + np.asarray(time, dtype=np.float64) - self.starts[position]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The best value so far. Arrays have one entry for each time it changed.

    Attributes
    ----------
    seconds : ndarray of float64
        Of search, see `Clock`.
    values : ndarray of float64
        The metric on the validation rows.
    test_values : ndarray of float64
        The metric of the same model on the test rows; NaN where it is not known.
    """

    seconds: NDArray[np.float64]
    values: NDArray[np.float64]
    test_values: NDArray[np.float64]


def incumbent_trajectory(run: Run, rank: int | None = None) -> Trajectory:
    """The values of the incumbents over time.

    Parameters
    ----------
    run : Run
    rank : int, optional
        Only of its trials, by default of all.
    """
    records, rows = run.reader.records, run.incumbents(rank)
    return Trajectory(
        Clock.of(records).seconds(records["leg"][rows], records["end"][rows]),
        np.asarray(run.metric.value_of(records["cost"][rows]), dtype=np.float64),
        _test_values(run, rows),
    )


def _test_values(run: Run, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """NaN where predictions gave way to better ones, or the metric is not defined on the test rows."""
    truth = run.reader.test_truth()
    values = np.full(len(rows), np.nan)
    if truth is None:
        return values
    for position, row in enumerate(rows):
        with contextlib.suppress(KeyError, ValueError):
            predictions = run.reader.test_predictions([run.reader.keys[row]])
            if predictions is not None:
                values[position] = run.metric.value(truth, predictions[0], run.schema.task_type)
    return values


class EnsembleHistory:
    """Selects the ensemble again from what there was at a time.

    Parameters
    ----------
    run : Run
    rules : EnsembleRules
    """

    def __init__(self, run: Run, rules: EnsembleRules) -> None:
        self._run, self._rules = run, rules
        records = run.reader.records
        self._rows = np.flatnonzero(run.reader.has_predictions & np.isfinite(records["cost"]))
        self._ended = Clock.of(records).seconds(records["leg"][self._rows], records["end"][self._rows])

    @property
    def is_small(self) -> bool:
        """Whether the candidates' predictions fit into memory well."""
        return self._mebibytes() <= _MOST_PREDICTIONS

    def _mebibytes(self) -> float:
        if not len(self._rows):
            return 0.0
        one = self._run.reader.predictions([self._run.reader.keys[self._rows[0]]])
        return float(one.nbytes * min(len(self._rows), max(50, self._rules.nbest)) / 2**20)

    def at(self, seconds: float) -> tuple[float, float] | None:
        """Values on the validation and on the test rows at a time; None before there was a model.

        Parameters
        ----------
        seconds : float
            Of search, see `Clock`.
        """
        reader = self._run.reader
        keys = [reader.keys[row] for row in self._rows[self._ended <= seconds]]
        try:
            found = candidates_among(self._run, self._rules, keys)
            if not found.keys:
                return None
            ensemble = build_from(found, reader)
        except KeyError:
            # A job under way has put better predictions in the place of these.
            return None
        value = float(self._run.metric.value_of(ensemble.cost))
        return value, self._test_value(ensemble)

    def _test_value(self, ensemble: Ensemble) -> float:
        from mpi_automl.runs.final_model import test_value

        value = test_value(self._run, ensemble.combination) if ensemble.method != DUMMY else None
        return math.nan if value is None else value


def ensemble_trajectory(
    history: EnsembleHistory, total: float, points: int, *, has_time: Callable[[], bool]
) -> Trajectory:
    """How the ensemble got better.

    Parameters
    ----------
    history : EnsembleHistory
    total : float
        Seconds of search in all.
    points : int
        Times to look at, evenly chosen; the last one is `total`.
    has_time : callable
        Asked before each of them, from the last to the first, whether there is time.
    """
    found = []
    for position in range(points, 0, -1):
        if not has_time():
            break
        seconds = total * position / points
        if (values := history.at(seconds)) is None:
            break
        found.append((seconds, *values))
    columns = np.array(found[::-1], dtype=np.float64).reshape(-1, 3).T
    return Trajectory(*columns)
