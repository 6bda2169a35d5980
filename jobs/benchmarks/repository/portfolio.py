"""Portfolios from a repository: candidates in the order in which an ensemble of them improves fastest.

The order is built greedily. The next candidate is the one whose addition lowers the held-out cost of the ensemble the
most for each second that it takes: for the area under a curve over time this rule is within a factor of four of the
best order (Streeter and Golovin 2008, "An online algorithm for maximizing submodular functions"). Costs are scaled on
each table (`SimulatedTable.scale`). Seconds count by the logarithm of time: what one is worth depends on how many went
before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mpi_automl.atomic_write import atomic_write_text
from mpi_automl.metrics.scorers import make_scorer
from repository.candidates import Candidate
from repository.published import NOTICES
from repository.simulator import BETWEEN, WORST, Job, SimulatedTable, anytime, area

_MEMBERS = (1, 3, 7)
"""A candidate joins an ensemble with one of the weights 1/2, 1/4 and 1/8, whichever is best out of fold."""


@dataclass(frozen=True)
class PortfolioOptions:
    """How an order is built.

    Attributes
    ----------
    size : int
        Candidates at most.
    job : Job
        With how many ranks, which divide the time that trials take.
    """

    size: int = 48
    job: Job = Job(ranks=4)


class _Growing:
    """A table while the order grows: the ensemble so far and the time that it took.

    Parameters
    ----------
    table : SimulatedTable
    job : Job
    """

    def __init__(self, table: SimulatedTable, job: Job) -> None:
        self._table, self._job = table, job
        self._usable = np.flatnonzero(table.has_predictions & (table.durations <= job.limit))
        rows = table._rows[self._usable]
        self._scorers = {
            held_out: make_scorer(source[rows], y, table.metric, table.task_type)
            for held_out, source, y in (
                (False, table.predictions, table.truth.y),
                (True, table.held_out, table.truth.y_test),
            )
        }
        self._order: list[int] = []
        self._seconds = job.start

    def steps(self) -> np.ndarray:
        """By how much the logarithm of time grows with each candidate, shape (n_candidates,)."""
        durations = np.minimum(self._table.durations, self._job.limit)
        taken = np.where(durations > 0.0, durations + BETWEEN, 0.0) / self._job.ranks
        return np.log1p(taken / self._seconds)

    def gains(self) -> np.ndarray:
        """By how much each candidate lowers the scaled held-out cost of the ensemble, shape (n_candidates,)."""
        found = np.zeros(self._table.n_candidates)
        if not len(self._usable):
            return found
        before, weights = self._table.ensemble(self._order)
        if not weights:
            found[self._usable] = WORST - self._table.scaled(self._table.held_out_costs[self._usable])
            return found
        inside, outside = self._joined(weights)
        best = inside.argmin(axis=0)
        own = self._table.cost_of(self._table.mean(weights, held_out=False), held_out=False)
        joins = inside.min(axis=0) < own
        after = outside[best, np.arange(len(best))]
        gain = self._table.scaled(before) - self._table.scaled(after)
        found[self._usable] = np.where(joins, gain, 0.0)
        return found

    def _joined(self, weights: dict[int, float]) -> tuple[np.ndarray, np.ndarray]:
        """Costs out of fold and of held-out rows with each candidate joined, shape (n_members, n_usable)."""
        costs = []
        for held_out in (False, True):
            mean = self._table.mean(weights, held_out=held_out)
            costs.append(np.array([self._scorers[held_out].costs(mean * m, m) for m in _MEMBERS]))
        return costs[0], costs[1]

    def begin_round(self) -> None:
        """Begin an ensemble without the candidates so far; the time that they took is over."""
        self._order = []

    def add(self, candidate: int) -> None:
        """Put a candidate at the end of the order."""
        step = self.steps()[candidate]
        self._seconds *= float(np.exp(step))
        self._order.append(candidate)


def greedy_order(tables: Sequence[SimulatedTable], options: PortfolioOptions) -> list[int]:
    """Candidates in the order in which to try them.

    Where no candidate improves the ensembles any more, a further round begins, with empty ensembles and the candidates
    that are left. A candidate without a unit on some of the tables is not chosen.
    """
    growing = [_Growing(table, options.job) for table in tables]
    is_left = np.all([table.durations > 0.0 for table in tables], axis=0)
    order: list[int] = []
    begins_round = True
    while len(order) < options.size and is_left.any():
        gain = np.mean([table.gains() for table in growing], axis=0)
        step = np.mean([table.steps() for table in growing], axis=0)
        rate = np.where(is_left, gain / np.maximum(step, 1e-12), -np.inf)
        chosen = int(np.argmax(rate))
        if rate[chosen] <= 0.0:
            if begins_round:
                break
            for table in growing:
                table.begin_round()
            begins_round = True
            continue
        begins_round = False
        order.append(chosen)
        is_left[chosen] = False
        for table in growing:
            table.add(chosen)
    return order


def present_order(candidates: Sequence[Candidate]) -> list[int]:
    """Candidates as the package tries them without this repository."""
    known = [i for i, candidate in enumerate(candidates) if candidate.position is not None]
    return sorted(known, key=lambda i: candidates[i].position or 0)


@dataclass(frozen=True)
class LeftOut:
    """Areas of anytime curves on a table, for an order that was built without it and for another one.

    Attributes
    ----------
    table : str
    ranks : int
    own, other : float
        Mean scaled cost over the logarithm of time.
    own_end, other_end : float
        Held-out cost at the end.
    """

    table: str
    ranks: int
    own: float
    other: float
    own_end: float
    other_end: float


def leave_out(
    tables: Sequence[SimulatedTable],
    other: Sequence[int],
    options: PortfolioOptions,
    jobs: Sequence[Job],
    times: Sequence[float],
) -> list[LeftOut]:
    """Build an order without each table in turn, and compare it there with another order."""
    found = []
    for table in tables:
        order = greedy_order([one for one in tables if one is not table], options)
        for job in jobs:
            curves = [anytime(table, chosen, job, times) for chosen in (order, other)]
            areas = [area(table, curve, times) for curve in curves]
            found.append(LeftOut(table.name, job.ranks, *areas, *(float(curve[-1]) for curve in curves)))
    return found


def write_portfolio(path: Path, candidates: Sequence[Candidate], order: Sequence[int], facts: dict[str, Any]) -> None:
    """Write a portfolio as `mpi_automl.search.portfolio` reads it.

    Parameters
    ----------
    path : Path
    candidates : sequence of Candidate
    order : sequence of int
    facts : dict
        From what it was made.
    """
    chosen = [candidates[i].values for i in order]
    content = {"notices": NOTICES, "made": facts, "configurations": chosen}
    atomic_write_text(path, json.dumps(content, indent=1) + "\n")
