"""Bagged ensemble selection (Caruana et al., ICML 2004, section 2.3), with a check on rows that were left out.

The paper draws bags of candidates. Here bags are halves of the validation rows, as it is the rows that a selection
overfits; the benchmark in ``jobs/benchmarks/combination.py`` compares both. Two bags together hold every row once, so
that every row is predicted by a selection that has not seen it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble.greedy import (
    GreedyOptions,
    GreedySelection,
    Judge,
    NothingSelectedError,
    Reduction,
    Share,
    grow,
    make_share,
)
from mpi_automl.ensemble.row_folds import fold_numbers
from mpi_automl.metrics.metric import Metric

_LEAST_ROWS = 20
"""Rows that can be halved."""
_MOST_VALUES = 20_000
"""Predicted values (rows by outputs) above which bags would take seconds at the end of a job."""

_CHANCE = 1.0
"""Share of a cost, over the root of the rows, by which ensemble and single candidate differ by chance. Without it the
check took the single one for the worse more often than for the better."""


@dataclass(frozen=True)
class BaggedSelection(GreedySelection):
    """The average over the ensembles of all bags.

    Attributes
    ----------
    weights, cost, mean
        As of any selection.
    trajectory : tuple of float
        Cost of the average after each bag.
    unseen_cost : float
        Cost of the selections on rows that they have not seen, by the metric that candidates are chosen by; infinite
        if it is not defined there.
    unseen_single_cost : float
        The same of the candidates that were best alone, as a mean over the pairs of bags.
    """

    unseen_cost: float
    unseen_single_cost: float

    @property
    def is_worse_than_single(self) -> bool:
        """Whether the best single candidate does better on unseen rows, by more than chance may do."""
        return self.unseen_cost > self.unseen_single_cost * (1.0 + _CHANCE / math.sqrt(len(self.mean)))


def select_bagged(
    predictions: NDArray[np.float32],
    y: NDArray[Any],
    metric: Metric,
    task_type: TaskType,
    options: GreedyOptions,
    identities: Sequence[int] | None = None,
    reduction: Reduction | None = None,
) -> BaggedSelection:
    """Select an ensemble from each of several random halves of the rows, and average. Collective, as `select`.

    Each selection has half of the rounds, as the average has many members anyway.

    Parameters
    ----------
    predictions, y, metric, task_type, options, identities, reduction
        As for `mpi_automl.ensemble.greedy.select`; an odd number of bags is rounded up.

    Raises
    ------
    NothingSelectedError
        On every process, if the metric is not defined for any candidate in any bag.
    """
    select_by = options.select_by or metric
    share = make_share(predictions, identities, reduction)
    average = _Average(share, Judge(y, metric, task_type), Judge(y, select_by, task_type))
    pairs, options = (options.bags + 1) // 2, replace(options, size=(options.size + 1) // 2)
    for pair in range(pairs):
        first = fold_numbers(y, task_type, 2, (options.seed, pair)) == 0
        average.add(first, options, 2 * pair)
    if not average.trajectory:
        raise NothingSelectedError(f"the metric {select_by.name} is not defined for any candidate in any bag")
    return average.result()


def can_be_bagged(predictions: NDArray[np.float32], metric: Metric, task_type: TaskType) -> bool:
    """Whether bags are worth their time: the rows can be halved, and are scored fast.

    Parameters
    ----------
    predictions : ndarray of float32, shape (n_candidates, n_rows, n_outputs)
    metric : Metric
        By which candidates are chosen.
    task_type : TaskType
    """
    _, n_rows, n_outputs = predictions.shape
    return n_rows >= _LEAST_ROWS and n_rows * n_outputs <= _MOST_VALUES and task_type in metric.fast_scorers


@dataclass(eq=False)
class _Average:
    """The average while bags are added.

    Attributes
    ----------
    share : Share
    judge : Judge
        By the metric in which costs are given.
    selecting : Judge
        By the metric that candidates are chosen by. It judges unseen rows too: few rows have few errors to count.
    weights : Counter
        Sums of the weights in all bags.
    total : ndarray
        Sum of the bags' predictions.
    trajectory : list of float
    unseen, unseen_singles : list
        Of each pair of bags: predictions of unseen rows, and the cost of such predictions of single candidates.
    """

    share: Share
    judge: Judge
    selecting: Judge
    weights: Counter[int] = field(default_factory=Counter)
    total: Any = 0.0
    trajectory: list[float] = field(default_factory=list)
    unseen: list[NDArray[np.float64]] = field(default_factory=list)
    unseen_singles: list[float] = field(default_factory=list)

    def add(self, first: NDArray[np.bool_], options: GreedyOptions, salt: int) -> None:
        """Add the bag of these rows and the bag of the others."""
        unseen, unseen_single = np.empty(self.share.shape), np.empty(self.share.shape)
        are_complete = True
        for number, rows in enumerate((first, ~first)):
            judge = replace(self.selecting, rows=rows)
            ensemble = grow(self.share, judge, options, salt + number)
            single = grow(self.share, judge, replace(options, size=1), salt + number)
            are_complete = are_complete and bool(ensemble.picks and single.picks)
            unseen[~rows], unseen_single[~rows] = ensemble.mean()[~rows], single.mean()[~rows]
            if ensemble.picks:
                self.weights.update(ensemble.shares())
                self.total = self.total + ensemble.mean()
                self.trajectory.append(self.judge.cost(self.total / (len(self.trajectory) + 1)))
        if are_complete:
            self.unseen.append(unseen)
            self.unseen_singles.append(self.selecting.cost(unseen_single))

    def result(self) -> BaggedSelection:
        bags = len(self.trajectory)
        weights = {identity: weight / bags for identity, weight in self.weights.most_common()}
        # Each row is seen by half of the bags: the average over the others is what is judged, as it is what is used.
        unseen_cost = self.selecting.cost(np.mean(self.unseen, axis=0)) if self.unseen else np.inf
        single_cost = float(np.mean(self.unseen_singles)) if self.unseen else np.inf
        mean = self.total / bags
        return BaggedSelection(weights, tuple(self.trajectory), self.trajectory[-1], mean, unseen_cost, single_cost)
