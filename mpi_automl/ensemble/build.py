"""From the finished trials to the ensemble: which are candidates, and by which method the candidates are combined.

Which trials of a run come into question at all is decided in `mpi_automl.runs.selection.candidates_among`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.bagging import BaggedSelection, can_be_bagged, select_bagged
from mpi_automl.ensemble.calibration import calibrate
from mpi_automl.ensemble.combination import Calibrated, MemberCombination, WeightedMean, combine
from mpi_automl.ensemble.greedy import GreedyOptions, GreedySelection, NothingSelectedError, Reduction, select
from mpi_automl.ensemble.row_folds import fold_numbers
from mpi_automl.ensemble.stacking import fit_stack
from mpi_automl.metrics.metric import Metric
from mpi_automl.metrics.registry import get_metric
from mpi_automl.trial import TrialKey

METHODS = ("greedy", "single_best", "stacking", "auto")
_CLASSES = (TaskType.BINARY, TaskType.MULTICLASS)
_SELECTED_BY = {
    "accuracy": ("brier_score", _CLASSES),
    "zero_one_loss": ("brier_score", _CLASSES),
    "roc_auc": ("log_loss", _CLASSES),
}
"""Metrics of decisions or ranks by which greedy selection does not go, by what it goes, and for which targets.

Others of the kind were not measured.
"""
_NESTED_FOLDS = 5


def selection_metric(metric: Metric, name: str, task_type: TaskType) -> Metric | None:
    """The metric that greedy selection optimises, if it is not the one that the ensemble is judged by.

    Accuracy counts decisions, and an ensemble that is selected by it fits the validation rows that are near a
    decision; the Brier score finds ensembles among the same candidates that are more accurate on
    new rows. In the same way the log loss finds ensembles that rank new rows better (`docs/performance/ensemble.md`).

    Parameters
    ----------
    metric : Metric
        That the ensemble is judged by.
    name : str
        ``auto``: the Brier score in place of accuracy, the log loss in place of ROC AUC, else `metric`. ``same``:
        `metric`. Or the name of a metric.
    task_type : TaskType

    Raises
    ------
    UserError
        If there is no such metric for the task.
    """
    if name == "auto":
        by, task_types = _SELECTED_BY.get(metric.name, ("", ()))
        return get_metric(by, task_type) if task_type in task_types else None
    found = metric if name == "same" else get_metric(name, task_type, metric.units)
    return None if found.name == metric.name else found


@dataclass(frozen=True)
class CandidateFilter:
    """Which trials are candidates.

    Attributes
    ----------
    baseline_cost : float
        Cost of the baseline; trials that are not better stay out.
    nbest : int or float
        The best so many, or this share of those better than the baseline (at least one).
    performance_range : float
        In [0, 1]: share of the way from the baseline's cost to the best one that a candidate must have gone; 0 for all
        that are better than the baseline.
    """

    baseline_cost: float = math.inf
    nbest: int | float = 50
    performance_range: float = 0.0


def choose_candidates(keys: Sequence[TrialKey], costs: NDArray[np.float64], only: CandidateFilter) -> list[TrialKey]:
    """Choose the candidates of an ensemble, best first; empty if no trial beats the baseline.

    Parameters
    ----------
    keys : sequence of TrialKey
        Trials that have predictions, but not the baseline.
    costs : ndarray of float64, shape (n_trials,)
        NaN for those without.
    only : CandidateFilter
    """
    better = sorted((float(cost), key) for key, cost in zip(keys, costs, strict=True) if cost < only.baseline_cost)
    if not better:
        return []
    count = only.nbest if isinstance(only.nbest, int) else math.ceil(only.nbest * len(better))
    best = better[0][0]
    start = only.baseline_cost if math.isfinite(only.baseline_cost) else better[-1][0]
    threshold = start - only.performance_range * (start - best)
    within = [key for cost, key in better if cost <= max(threshold, best)]
    return within[: max(1, count)]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Trials that may become members.

    Attributes
    ----------
    keys : tuple of TrialKey
    predictions : ndarray of float32, shape (n_candidates, n_rows, n_outputs)
        On the validation rows.
    """

    keys: tuple[TrialKey, ...]
    predictions: NDArray[np.float32]

    def where(self, kept: Sequence[bool] | NDArray[np.bool_]) -> Candidates:
        """Some of them, in the same layout in memory."""
        rows = np.flatnonzero(kept)
        if len(rows) == len(self.keys):
            return self
        by_output = self.predictions.transpose(0, 2, 1)
        return Candidates(tuple(self.keys[row] for row in rows), by_output[rows].transpose(0, 2, 1))


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What was built.

    Attributes
    ----------
    combination : MemberCombination
        Members, and how their predictions are combined.
    trajectory : tuple of float
        Cost after each round of selection.
    cost : float
        On the validation rows.
    method : str
        ``greedy``, ``single_best`` or ``stacking``.
    """

    combination: MemberCombination
    trajectory: tuple[float, ...]
    cost: float
    method: str

    @property
    def weights(self) -> dict[TrialKey, float]:
        """Weights of the members, heaviest first."""
        return self.combination.weights


def build_ensemble(
    candidates: Candidates,
    y: NDArray[Any],
    metric: Metric,
    task_type: TaskType,
    options: GreedyOptions,
    method: str = "greedy",
    reduction: Reduction | None = None,
) -> Ensemble:
    """Build an ensemble. Collective, if there is a reduction over several processes.

    Parameters
    ----------
    candidates : Candidates
        This process's share of them.
    y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
        Truth of the validation rows.
    metric : Metric
        In which costs are given.
    task_type : TaskType
    options : GreedyOptions
        Of ``greedy``; the seed is used by the other methods too.
    method : {"greedy", "single_best", "stacking", "auto"}
        ``auto`` takes the one that does best in a nested check: the validation rows are split in five, each method
        is built without one part and scored on it. Stacking needs all candidates in one process.
    reduction : Reduction, optional
        Where the other processes' candidates come in, for ``greedy`` and ``single_best``.

    Raises
    ------
    ValueError
        If the metric is not defined for any candidate, or the method is not known.
    """
    if method not in METHODS:
        raise ValueError(f"the method must be one of {', '.join(METHODS)}")
    if method == "auto":
        method = _best_method(candidates, y, metric, task_type, options)
    if method == "stacking":
        return _stacked(candidates, y, metric, task_type, options.seed)
    place = _Place(candidates, y, metric, task_type, reduction)
    selection = None if method == "single_best" else _selected(place, options)
    if selection is None:
        method, selection = "single_best", place.select(GreedyOptions(size=1, seed=options.seed))
    weights = {key_of(identity): weight for identity, weight in selection.weights.items()}
    scaling = calibrate(selection.mean, y, metric, task_type, options.seed)
    if scaling is None:
        return Ensemble(WeightedMean(weights), selection.trajectory, selection.cost, method)
    cost = metric.cost(y, scaling(selection.mean), task_type)
    return Ensemble(Calibrated(WeightedMean(weights), scaling), selection.trajectory, cost, method)


@dataclass(frozen=True, eq=False)
class _Place:
    """Where ensembles are selected: the arguments of `build_ensemble` of these names."""

    candidates: Candidates
    y: NDArray[Any]
    metric: Metric
    task_type: TaskType
    reduction: Reduction | None

    def select(self, options: GreedyOptions) -> GreedySelection:
        """Collective. One selection, by all rows."""
        return select(*self._arguments(options))

    def select_bagged(self, options: GreedyOptions) -> BaggedSelection:
        """Collective. The average over the bags."""
        return select_bagged(*self._arguments(options))

    def _arguments(self, options: GreedyOptions) -> tuple[Any, ...]:
        keys = [identity_of(key) for key in self.candidates.keys]
        return self.candidates.predictions, self.y, self.metric, self.task_type, options, keys, self.reduction


def _selected(place: _Place, options: GreedyOptions) -> GreedySelection | None:
    """The selected ensemble; None if the best single candidate does better on rows that were not selected by."""
    averages = place.task_type.is_classification
    judge = options.select_by or place.metric
    if not options.bags or options.size == 1 or not can_be_bagged(place.candidates.predictions, judge, place.task_type):
        return place.select(options)
    try:
        # Of values, the average was no better than one selection; a pair of bags is for the check.
        bagged = place.select_bagged(options if averages else replace(options, bags=2))
    except NothingSelectedError:
        # Half of the rows may lack a class.
        return place.select(options)
    if bagged.is_worse_than_single:
        return None
    return bagged if averages else place.select(options)


def _stacked(candidates: Candidates, y: NDArray[Any], metric: Metric, task_type: TaskType, seed: int) -> Ensemble:
    stack = fit_stack(candidates.keys, candidates.predictions, y, task_type, seed)
    combined = combine(stack, dict(zip(candidates.keys, candidates.predictions, strict=True)))
    cost = metric.cost(y, combined, task_type)
    return Ensemble(stack, (cost,), cost, "stacking")


def _best_method(
    candidates: Candidates, y: NDArray[Any], metric: Metric, task_type: TaskType, options: GreedyOptions
) -> str:
    """The method with the lowest nested cost; of equals the one named first in `METHODS`."""
    folds = fold_numbers(y, task_type, _NESTED_FOLDS, options.seed)
    costs = {}
    for method in METHODS[:-1]:
        try:
            combined = _nested_predictions(method, candidates, y, metric, task_type, options, folds)
            costs[method] = metric.cost(y, combined, task_type)
        except ValueError:
            continue
    return min(costs, key=lambda method: costs[method]) if costs else METHODS[0]


def _nested_predictions(
    method: str,
    candidates: Candidates,
    y: NDArray[Any],
    metric: Metric,
    task_type: TaskType,
    options: GreedyOptions,
    folds: NDArray[np.int64],
) -> NDArray[np.float64]:
    combined = np.empty(candidates.predictions.shape[1:])
    for number in range(_NESTED_FOLDS):
        inside = folds == number
        known = Candidates(candidates.keys, candidates.predictions[:, ~inside])
        ensemble = build_ensemble(known, y[~inside], metric, task_type, options, method)
        unseen = dict(zip(candidates.keys, candidates.predictions[:, inside], strict=True))
        combined[inside] = combine(ensemble.combination, unseen)
    return combined


def identity_of(key: TrialKey) -> int:
    """The identity of a trial in greedy selection, in [0, 2**64): 12 bits for leg, 24 for rank, 28 for number."""
    return key.leg << 52 | key.rank << 28 | key.number


def key_of(identity: int) -> TrialKey:
    """The trial key that belongs to an identity of `identity_of`."""
    return TrialKey(identity >> 52, identity >> 28 & 0xFFFFFF, identity & 0xFFFFFFF)
