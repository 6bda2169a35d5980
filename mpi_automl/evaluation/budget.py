"""What a share of the full budget means for one fit: fewer rows, or fewer iterations of staged fitting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.space.space import Candidate

ROWS, ITERATIONS = "rows", "iterations"


def shares(fidelity: str, candidate: Candidate, budget: float) -> tuple[float, float]:
    """Shares of the training rows and of the iterations.

    Parameters
    ----------
    fidelity : {"none", "rows", "iterations"}
        What a smaller budget saves. A learner without staged fitting has no iterations to save, and takes fewer rows.
    candidate : Candidate
    budget : float
        In (0, 1].
    """
    return (1.0, budget) if fidelity == ITERATIONS and candidate.staged_fitting is not None else (budget, 1.0)


def nested_subset(rows: NDArray[np.int64], y: NDArray[Any], share: float) -> NDArray[np.int64]:
    """A share of the training rows, the same for all trials: smaller shares lie within larger ones.

    Classes, or combinations of labels, keep their proportions, and each has at least a row as long as there is room.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        Sorted.
    y : ndarray, shape (n,) or (n, n_outputs)
        Target of these rows: class codes, label indicators, or values.
    share : float
        In (0, 1].
    """
    if share >= 1.0:
        return rows
    order = np.random.default_rng(len(rows)).permutation(len(rows))
    strata = _strata(y)[order]
    by_stratum = np.argsort(strata, kind="stable")
    counts = np.bincount(strata)
    starts = np.cumsum(counts) - counts
    # Where a row lies within its stratum, from 0 to 1: ordered by that, every stretch has all strata in proportion.
    depth = np.empty(len(rows))
    depth[by_stratum] = np.arange(len(rows)) - np.repeat(starts, counts)
    depth /= counts[strata]
    chosen = order[np.argsort(depth, kind="stable")[: max(1, round(share * len(rows)))]]
    return rows[np.sort(chosen)]


def _strata(y: NDArray[Any]) -> NDArray[np.int64]:
    if y.dtype.kind not in "iub":
        return np.zeros(len(y), dtype=np.int64)
    return np.unique(y, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
