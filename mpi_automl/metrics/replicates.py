"""Values of metrics for many sets of the same rows, such as the resamples of a bootstrap."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType, decide
from mpi_automl.metrics import confusion
from mpi_automl.metrics.bootstrap import RowWeights
from mpi_automl.metrics.confusion import CountScore
from mpi_automl.metrics.label_scores import ConfusionScorer, MultilabelScorer
from mpi_automl.metrics.metric import Metric
from mpi_automl.metrics.weighted_ranking import RANKING_SCORES, ClassRanking

Floats = NDArray[np.float64]

CLASS_SCORES: dict[str, CountScore] = {
    "precision": confusion.precision,
    "recall": confusion.recall,
    "f1": confusion.f_score(1.0),
}
"""What is computed of each class."""


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Rows with their truth and predictions.

    Attributes
    ----------
    y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
        Class codes, label indicators or values.
    predictions : ndarray, shape (n_rows, n_outputs)
    task_type : TaskType
    """

    y: NDArray[Any]
    predictions: NDArray[np.floating]
    task_type: TaskType

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, rows: NDArray[np.intp]) -> ScoredRows:
        return ScoredRows(self.y[rows], self.predictions[rows], self.task_type)

    def value(self, metric: Metric) -> float:
        """The value of a metric; NaN where it is not defined for these rows."""
        try:
            return metric.value(self.y, self.predictions, self.task_type)
        except ValueError:
            return float("nan")

    def row_values(self, metric: Metric) -> Floats | None:
        """Values whose mean is that of a metric, shape (n_rows,); None where it is no such mean."""
        return metric.row_values(self.y, self.predictions, self.task_type)


@dataclass(frozen=True, eq=False)
class Replicates:
    """What some sets of rows give.

    Attributes
    ----------
    values : ndarray, shape (n_sets, n_metrics)
        NaN where a metric is not defined.
    classes : ndarray, shape (n_sets, n_classes, n_class_scores)
        The `CLASS_SCORES` of each class or label; no classes where these are values.
    """

    values: Floats
    classes: Floats


class ReplicatedMetrics:
    """Computes metrics for sets of rows, by what they have in common.

    Means over rows, ranking metrics and metrics that follow from counts of classes are worked out from the rows once,
    and only weighted for each set; all others are computed again.

    Parameters
    ----------
    rows : ScoredRows
    metrics : sequence of Metric
        Each defined for the target, such as for values above zero.
    """

    def __init__(self, rows: ScoredRows, metrics: Sequence[Metric]) -> None:
        self._rows, self._metrics = rows, metrics
        self._decided = decide(rows.predictions, rows.task_type)
        kind, places = rows.task_type, range(len(metrics))
        counts = {place: _count_score(metrics[place], kind) for place in places}
        self._of_counts = {place: score for place, score in counts.items() if score is not None}
        is_class = kind in (TaskType.BINARY, TaskType.MULTICLASS)
        names = {place: metrics[place].name for place in places if is_class}
        self._of_ranking = {place: RANKING_SCORES[name] for place, name in names.items() if name in RANKING_SCORES}
        self._ranking = ClassRanking(rows.y, rows.predictions) if self._of_ranking else None
        rest = [place for place in places if place not in self._of_counts and place not in self._of_ranking]
        found = {place: rows.row_values(metrics[place]) for place in rest}
        self._means = {place: values for place, values in found.items() if values is not None}
        self._row_values = np.column_stack([np.empty((len(rows), 0)), *self._means.values()])
        self._others = [place for place in rest if place not in self._means]

    def whole(self) -> Replicates:
        """The values of all rows, as a single set."""
        return self.of([np.ones(len(self._rows), dtype=np.int64)], [0])

    def of(self, sets: Sequence[NDArray[np.int64]] | RowWeights, numbers: Sequence[int]) -> Replicates:
        """The values of the sets of these numbers.

        Parameters
        ----------
        sets : sequence of ndarray of int, shape (n_rows,)
            How often each row is in a set.
        numbers : sequence of int
        """
        values = np.empty((len(numbers), len(self._metrics)))
        n_classes = self._rows.predictions.shape[1] if self._rows.task_type.is_classification else 0
        counts = np.zeros((3, len(numbers), n_classes), dtype=np.int64)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # Metrics of scikit-learn's warn where a class has no row in a resample.
            warnings.simplefilter("ignore")
            for position, number in enumerate(numbers):
                weights = sets[number]
                if n_classes:
                    counts[:, position] = _class_counts(self._rows.y, self._decided, weights, n_classes)
                values[position] = self._weighted(weights)
        for place, score in self._of_counts.items():
            values[:, place] = score(*counts)
        return Replicates(values, np.stack([score(*counts) for score in CLASS_SCORES.values()], axis=-1))

    def _weighted(self, weights: NDArray[np.int64]) -> Floats:
        """The values of a set of rows, but for those of counts, shape (n_metrics,)."""
        values = np.full(len(self._metrics), np.nan)
        values[list(self._means)] = weights @ self._row_values / weights.sum()
        if self._ranking is not None:
            ranking = self._ranking.counts(weights)
            for place, score in self._of_ranking.items():
                values[place] = score(ranking)
        if self._others:
            chosen = self._rows[np.repeat(np.arange(len(self._rows)), weights)]
            values[self._others] = [chosen.value(self._metrics[place]) for place in self._others]
        return values


def _class_counts(y: NDArray[Any], decided: NDArray[Any], weights: NDArray[np.int64], n_classes: int) -> Floats:
    """Weight of the rows of each class or label truly, by prediction, and both, shape (3, n_classes)."""
    if y.ndim == 2:
        return np.stack([weights @ indicators for indicators in (y, decided, y * decided)])
    correct = weights * (y == decided)
    pairs = ((y, weights), (decided, weights), (y, correct))
    return np.stack([np.bincount(codes, weights=counted, minlength=n_classes) for codes, counted in pairs])


def _count_score(metric: Metric, task_type: TaskType) -> CountScore | None:
    """How a metric follows from counts of classes; None where it does not."""
    factory = metric.fast_scorers.get(task_type)
    if isinstance(factory, partial) and factory.func in (ConfusionScorer, MultilabelScorer):
        score: CountScore = factory.keywords["score"]
        return score
    return None
