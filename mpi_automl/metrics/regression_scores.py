"""Squared and absolute errors of an ensemble with each candidate added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.metrics.chunks import Scratch, blocks, pieces
from mpi_automl.metrics.registry import Metric
from mpi_automl.metrics.scoring import indicators

Share = NDArray[np.float32]
Costs = NDArray[np.float64]
Allowed = NDArray[np.bool_] | None
Combine = Callable[[Costs, NDArray[np.float64]], Costs]
_SHORT = 128


class ResidualScorer:
    """Metrics of the differences between predictions and truth: squared and absolute errors, R2, Brier score.

    `combine` makes a value out of the mean errors of each output, shape (n_candidates, n_outputs), and the variances
    of the truth, shape (n_outputs,).
    """

    def __init__(self, share: Share, truth: NDArray[Any], metric: Metric, combine: Combine) -> None:
        self.share, self.metric = share, metric
        self.truth, self.combine = truth.astype(np.float64), combine
        self.absolute = metric.name == "mean_absolute_error"
        self.variances = self.truth.var(axis=0)
        # Large sums would lose in float32 what tells candidates apart; a difference of near values is exact.
        is_large = bool((np.abs(self.truth) > 1.0).any())
        self.rounded = np.ascontiguousarray(self.truth.T, dtype=np.float32) if is_large else None

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.scorers.Scorer.costs`."""
        n_candidates, n_outputs, n_rows = self.share.shape
        others = (total - (members + 1) * self.truth).T
        running = np.ascontiguousarray(others if self.rounded is None else others + self.rounded, dtype=np.float32)
        sums = np.zeros((n_candidates, n_outputs))
        scratch = Scratch()
        for output in range(n_outputs):
            for piece in pieces(n_rows):
                for block in blocks(n_candidates, piece.stop - piece.start):
                    some = self.share[block, output, piece]
                    errors = scratch.array("errors", some.shape, np.float32)
                    if self.rounded is not None:
                        some = np.subtract(some, self.rounded[output, piece], out=errors)
                    np.add(some, running[output, piece], out=errors)
                    sums[block, output] += self._row_sums(errors)
        means = sums / n_rows / (members + 1) ** (1 if self.absolute else 2)
        return np.asarray(self.metric.cost_of(self.combine(means, self.variances)))

    def _row_sums(self, errors: NDArray[np.float32]) -> Costs:
        """Sums in float32 over 128 rows at most, and in float64 over these."""
        n_candidates, width = errors.shape
        if self.absolute:
            np.abs(errors, out=errors)
        whole = width // _SHORT * _SHORT
        parts = errors[:, :whole].reshape(n_candidates, whole // _SHORT, _SHORT)
        rest = errors[:, whole:].astype(np.float64)
        if self.absolute:
            return np.asarray(parts.sum(axis=2).astype(np.float64).sum(axis=1) + rest.sum(axis=1))
        short = np.einsum("ijk,ijk->ij", parts, parts)
        return np.asarray(short.astype(np.float64).sum(axis=1) + (rest * rest).sum(axis=1))


def brier_scorer(share: Share, y: NDArray[Any], metric: Metric) -> ResidualScorer:
    """The scorer of Brier's score; see `mpi_automl.metrics.scoring.brier_score`."""
    combine = _sum if y.ndim == 1 and share.shape[1] != 2 else _mean
    return ResidualScorer(share, indicators(y, share.shape[1]), metric, combine)


def _mean(means: Costs, variances: NDArray[np.float64]) -> Costs:
    return np.asarray(means.mean(axis=1))


def _sum(means: Costs, variances: NDArray[np.float64]) -> Costs:
    return np.asarray(means.sum(axis=1))


def _mean_root(means: Costs, variances: NDArray[np.float64]) -> Costs:
    return np.asarray(np.sqrt(means).mean(axis=1))


def _explained(means: Costs, variances: NDArray[np.float64]) -> Costs:
    return np.asarray((1.0 - means / variances).mean(axis=1))


COMBINATIONS: dict[str, Combine] = {
    "mean_squared_error": _mean,
    "mean_absolute_error": _mean,
    "root_mean_squared_error": _mean_root,
    "r2": _explained,
}
"""How the errors of several outputs are combined, by metric."""
