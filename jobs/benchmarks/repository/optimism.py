"""Whether early stopping on the validation fold flatters a candidate in selection.

The out-of-fold costs of early-stopped candidates are raised by a handicap. If they are too low for a fair comparison,
the candidate with the lowest cost does better on held-out rows with a handicap than without.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from repository.candidates import Candidate
from repository.evaluations import TableEvaluations

EARLY_STOPPED = ("lightgbm", "catboost", "xgboost")
HANDICAPS = (-0.02, -0.01, 0.0, 0.01, 0.02, 0.05, 0.1)


def regrets(table: TableEvaluations, candidates: Sequence[Candidate]) -> np.ndarray:
    """Logarithm of the held-out cost of what is selected with each handicap, less that of the best candidate.

    Parameters
    ----------
    table : TableEvaluations
    candidates : sequence of Candidate

    Returns
    -------
    ndarray of float64, shape (n_handicaps,)
    """
    known, is_boosted, costs, held_out = _known(table, candidates)
    if not len(known):
        return np.full(len(HANDICAPS), np.nan)
    chosen = [int(np.argmin(costs * (1.0 + handicap * is_boosted))) for handicap in HANDICAPS]
    return np.log(held_out[chosen] / held_out.min())


def excess(table: TableEvaluations, candidates: Sequence[Candidate], among: int = 15) -> float:
    """By how much more the costs of early-stopped candidates grow on held-out rows than those of others.

    Parameters
    ----------
    table : TableEvaluations
    candidates : sequence of Candidate
    among : int
        Candidates with the lowest out-of-fold costs, among which both kinds are compared.

    Returns
    -------
    float
        A difference of mean logarithms; NaN where one of the kinds is missing.
    """
    known, is_boosted, costs, held_out = _known(table, candidates)
    best = np.argsort(costs)[:among]
    growth, boosted = np.log(held_out / costs)[best], is_boosted[best]
    if not len(known) or boosted.all() or not boosted.any():
        return float("nan")
    return float(growth[boosted].mean() - growth[~boosted].mean())


def _known(
    table: TableEvaluations, candidates: Sequence[Candidate]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    costs, held_out = (table.numbers[name].astype(np.float64) for name in ("cost", "held_out_cost"))
    known = np.flatnonzero((costs > 0.0) & (held_out > 0.0))
    is_boosted = np.array([candidates[i].learner in EARLY_STOPPED for i in known], dtype=bool)
    return known, is_boosted, costs[known], held_out[known]


def optimism_table(tables: Sequence[TableEvaluations], candidates: dict[str, list[Candidate]]) -> list[str]:
    """A table in Markdown, and a line on the excess."""
    found = np.array([regrets(table, candidates[table.step]) for table in tables])
    further = np.array([excess(table, candidates[table.step]) for table in tables])
    lines = ["| handicap | mean regret | better, worse than without |", "|---|---|---|"]
    without = found[:, HANDICAPS.index(0.0)]
    for handicap, own in zip(HANDICAPS, found.T, strict=True):
        better, worse = (own < without - 1e-9).sum(), (own > without + 1e-9).sum()
        lines.append(f"| {handicap:+.0%} | {np.nanmean(own):.4f} | {better}, {worse} |")
    error = np.nanstd(further) / np.sqrt(np.isfinite(further).sum())
    return [*lines, "", f"excess growth of early-stopped candidates: {np.nanmean(further):+.3f} +- {error:.3f}"]
