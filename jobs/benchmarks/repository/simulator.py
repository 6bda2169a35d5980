"""What a job would give out after t seconds: its trials end in virtual time, and a greedy ensemble is made of them.

Ranks try candidates as `mpi_automl.search.initial.initial_design` deals them: rank r takes positions r, r + N and so
on, one after the other. Out-of-fold predictions select the ensemble, held-out rows score it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mpi_automl.ensemble.greedy import GreedyOptions, GreedySelection, select
from mpi_automl.metrics.scorers import defined_cost
from repository.evaluations import TableEvaluations

BETWEEN = 0.05
"""Seconds between two trials of a rank: the next child process, and what the rank stores and tells."""
SIZE = 50
"""Rounds of greedy selection, as many as the package makes."""
WORST = 2.0
"""Scaled cost of having no model, and of all that is worse than this."""
LEAST_SPREAD = 0.02
"""Of the way from the best ensemble to the baseline: where all candidates are alike, chance does not count as much."""
MOST_MEMBERS = 50
"""Of more trials, those with the lowest costs are candidates for the ensemble."""


@dataclass(frozen=True)
class Job:
    """A job that is simulated.

    Attributes
    ----------
    ranks : int
    start : float
        Seconds from the launch to the first trial.
    limit : float
        Seconds that a trial may take; a longer one is cut off and gives nothing.
    """

    ranks: int = 1
    start: float = 5.0
    limit: float = float("inf")


class SimulatedTable:
    """A table of a repository, with predictions ready for ensembles.

    Parameters
    ----------
    evaluations : TableEvaluations

    Attributes
    ----------
    name : str
    n_candidates : int
    durations : ndarray of float64, shape (n_candidates,)
        Seconds; 0 where there is no unit.
    has_predictions : ndarray of bool, shape (n_candidates,)
    costs, held_out_costs : ndarray of float64, shape (n_candidates,)
        Infinite without predictions.
    """

    def __init__(self, evaluations: TableEvaluations) -> None:
        self.name, self.truth = evaluations.name, evaluations.truth
        self.metric, self.task_type = self.truth.cost_metric, self.truth.type
        self._rows = evaluations.rows
        self.n_candidates = len(self._rows)
        self.durations = np.nan_to_num(evaluations.durations.astype(np.float64))
        self.has_predictions = self._rows >= 0
        numbers = evaluations.numbers
        self.costs = np.where(self.has_predictions, numbers["cost"], np.inf).astype(np.float64)
        self.held_out_costs = np.where(self.has_predictions, numbers["held_out_cost"], np.inf).astype(np.float64)
        self.predictions = self.truth.decode(evaluations.predictions)
        self.held_out = self.truth.decode(evaluations.held_out)
        self._known: dict[frozenset[int], tuple[float, dict[int, float]]] = {}

    @cached_property
    def scale(self) -> tuple[float, float]:
        """Held-out costs that count as 0 and as 1: of all candidates' ensemble, and the median single candidate's."""
        everything = [int(i) for i in np.flatnonzero(self.has_predictions)]
        if not everything:
            return 0.0, 1.0
        best, _ = self.ensemble(everything)
        middle = float(np.median(self.held_out_costs[everything]))
        return best, max(middle, best + LEAST_SPREAD * (self.baseline - best))

    @cached_property
    def baseline(self) -> float:
        """Held-out cost of predicting the frequencies of the classes, or the mean."""
        y, n_rows = self.truth.y, len(self.truth.y_test)
        if not self.task_type.is_classification:
            return self.cost_of(np.full((n_rows, 1), y.mean()), held_out=True)
        frequencies = np.bincount(y, minlength=self.held_out.shape[-1]) / len(y)
        return self.cost_of(np.tile(frequencies, (n_rows, 1)), held_out=True)

    def scaled(self, cost: float | np.ndarray) -> np.ndarray:
        """Held-out costs on the scale of this table, `WORST` at most."""
        best, middle = self.scale
        return np.minimum((np.asarray(cost) - best) / (middle - best), WORST)

    def ensemble(self, candidates: Sequence[int]) -> tuple[float, dict[int, float]]:
        """Held-out cost of the greedy ensemble of some candidates, and its weights; infinite without any."""
        usable = [i for i in candidates if self.has_predictions[i]]
        usable = sorted(sorted(usable, key=lambda i: self.costs[i])[:MOST_MEMBERS])
        key = frozenset(usable)
        if key not in self._known:
            self._known[key] = self._select(usable) if usable else (float("inf"), {})
        return self._known[key]

    def _select(self, usable: list[int]) -> tuple[float, dict[int, float]]:
        options = GreedyOptions(size=SIZE)
        own = self.predictions[self._rows[usable]]
        found: GreedySelection = select(own, self.truth.y, self.metric, self.task_type, options, usable)
        return self.cost_of(self.mean(found.weights, held_out=True), held_out=True), found.weights

    def mean(self, weights: dict[int, float], *, held_out: bool) -> np.ndarray:
        """Weighted mean of candidates' predictions, shape (n_rows, n_outputs)."""
        source = self.held_out if held_out else self.predictions
        total = np.zeros(source.shape[1:])
        for number, weight in weights.items():
            total += weight * source[self._rows[number]]
        return total

    def predictions_of(self, candidates: Sequence[int], *, held_out: bool) -> np.ndarray:
        """Predictions of candidates that have some, shape (n_candidates, n_rows, n_outputs)."""
        return (self.held_out if held_out else self.predictions)[self._rows[list(candidates)]]

    def cost_of(self, predictions: np.ndarray, *, held_out: bool) -> float:
        """Cost of predictions."""
        return defined_cost(self.metric, self.truth.y_test if held_out else self.truth.y, self.task_type, predictions)


def ends(table: SimulatedTable, order: Sequence[int], job: Job) -> list[tuple[float, int]]:
    """When each trial of a job ends, and its candidate, in that order; those cut off by their limit are left out."""
    found = []
    for rank in range(job.ranks):
        now = job.start
        for candidate in order[rank :: job.ranks]:
            if table.durations[candidate] <= 0.0:
                continue
            now += BETWEEN + min(float(table.durations[candidate]), job.limit)
            if table.durations[candidate] <= job.limit:
                found.append((now, candidate))
    return sorted(found)


def anytime(table: SimulatedTable, order: Sequence[int], job: Job, times: Sequence[float]) -> np.ndarray:
    """Held-out cost of what a job would give out at some times; infinite before its first success.

    Parameters
    ----------
    table : SimulatedTable
    order : sequence of int
        Candidates in the order in which they are dealt over the ranks.
    job : Job
    times : sequence of float
        Seconds since the launch.

    Returns
    -------
    ndarray of float64, shape (n_times,)
    """
    finished = ends(table, order, job)
    return np.array([table.ensemble([i for end, i in finished if end <= t])[0] for t in times])


def area(table: SimulatedTable, curve: np.ndarray, times: Sequence[float]) -> float:
    """Mean scaled cost of an anytime curve over the logarithm of time."""
    values, where = table.scaled(curve), np.log(np.asarray(times))
    return float(np.trapezoid(values, where) / (where[-1] - where[0])) if len(where) > 1 else float(values[0])
