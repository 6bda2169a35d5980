"""How good a run was at each moment: of each rank's best model, and of the ensemble there could have been.

Nothing is fitted: stored predictions are scored, and the ensemble is selected again from the trials that had ended
by then.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.runs.selection import DUMMY, EnsembleRules, Survey, build_from, find_dummy, look_among
from mpi_automl.trial import Origin, Status, TrialKey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.ensemble.build import Ensemble
    from mpi_automl.runs.run_facts import RunFacts
    from mpi_automl.storage.reader import RunReader

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
class ScorePath:
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


def best_path(reader: RunReader, facts: RunFacts, clock: Clock, rank: int | None = None) -> ScorePath:
    """How the best single model got better.

    Parameters
    ----------
    reader : RunReader
    facts : RunFacts
    clock : Clock
    rank : int, optional
        Only of its trials, by default of all; the dummy does not count.
    """
    records = reader.records
    chosen = _is_whole(records)
    if rank is not None:
        chosen &= records["rank"] == rank
    rows = np.flatnonzero(chosen)
    when = clock.seconds(records["leg"][rows], records["end"][rows])
    order = np.argsort(when, kind="stable")
    rows, when = rows[order], when[order]
    costs = records["cost"][rows]
    best = np.minimum.accumulate(costs) if len(costs) else costs
    improved = np.concatenate([[True], costs[1:] < best[:-1]])[: len(costs)]
    keys = [reader.keys[row] for row in rows[improved]]
    values = np.asarray(facts.metric.value_of(costs[improved]), dtype=np.float64)
    return ScorePath(when[improved], values, _test_values(reader, facts, keys))


def _is_whole(records: NDArray[Any]) -> NDArray[np.bool_]:
    """Which trials are models of their own: not failed, not stopped early, not the dummy."""
    is_success = (records["status"] == Status.SUCCESS) & (records["budget"] >= 1.0)
    return np.asarray(is_success & (records["origin"] != Origin.DUMMY) & np.isfinite(records["cost"]))


def _test_values(reader: RunReader, facts: RunFacts, keys: list[TrialKey]) -> NDArray[np.float64]:
    truth = reader.test_truth()
    values = np.full(len(keys), np.nan)
    if truth is None:
        return values
    for position, key in enumerate(keys):
        try:
            predictions = reader.test_predictions([key])
        except KeyError:
            continue
        if predictions is not None:
            values[position] = facts.metric.value(truth, predictions[0], facts.schema.task_type)
    return values


class EnsembleHistory:
    """Selects the ensemble anew from what there was at a time.

    Parameters
    ----------
    reader : RunReader
    facts : RunFacts
    rules : EnsembleRules
    clock : Clock
    """

    def __init__(self, reader: RunReader, facts: RunFacts, rules: EnsembleRules, clock: Clock) -> None:
        self._reader, self._facts, self._rules = reader, facts, rules
        self._dummy = find_dummy(reader)
        records = reader.records
        is_candidate = reader.has_predictions & _is_whole(records) & (records["origin"] != Origin.DUMMY)
        rows = np.flatnonzero(is_candidate)
        self._rows = rows[np.argsort(records["cost"][rows], kind="stable")]
        self._ended = clock.seconds(records["leg"][self._rows], records["end"][self._rows])

    @property
    def is_small(self) -> bool:
        """Whether the candidates' predictions fit into memory well."""
        return self._mebibytes() <= _MOST_PREDICTIONS

    def _mebibytes(self) -> float:
        if not len(self._rows):
            return 0.0
        one = self._reader.predictions([self._reader.keys[self._rows[0]]])
        return float(one.nbytes * min(len(self._rows), max(50, self._rules.nbest)) / 2**20)

    def at(self, seconds: float) -> tuple[float, float] | None:
        """Values on the validation and on the test rows at a time; None before there was a model.

        Parameters
        ----------
        seconds : float
            Of search, see `Clock`.
        """
        found = self._survey(seconds)
        if not found.keys:
            return None
        try:
            ensemble = build_from(found, self._reader, found.keys)
        except KeyError:
            # A job under way has put better predictions in the place of these.
            return None
        value = float(self._facts.metric.value_of(ensemble.cost))
        return value, self._test_value(ensemble)

    def _survey(self, seconds: float) -> Survey:
        rows = self._rows[self._ended <= seconds]
        keys, costs = [self._reader.keys[row] for row in rows], self._reader.records["cost"][rows]
        return look_among(self._reader, self._facts, self._rules, keys, costs, self._dummy)

    def _test_value(self, ensemble: Ensemble) -> float:
        from mpi_automl.runs.final_model import test_value

        value = test_value(self._reader, self._facts, ensemble.combination) if ensemble.method != DUMMY else None
        return math.nan if value is None else value


def ensemble_path(history: EnsembleHistory, total: float, points: int, *, goes_on: Iterator[bool]) -> ScorePath:
    """How the ensemble got better.

    Parameters
    ----------
    history : EnsembleHistory
    total : float
        Seconds of search in all.
    points : int
        Times to look at, evenly chosen; the last one is `total`.
    goes_on : iterator of bool
        Asked before each of them, from the last to the first, whether there is time.
    """
    found = []
    for position in range(points, 0, -1):
        if not next(goes_on):
            break
        seconds = total * position / points
        if (values := history.at(seconds)) is None:
            break
        found.append((seconds, *values))
    columns = np.array(found[::-1], dtype=np.float64).reshape(-1, 3).T
    return ScorePath(*columns)
