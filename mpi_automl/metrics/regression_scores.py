"""Fast scorers of squared and absolute errors, R2 and the Brier score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.metrics.chunks import Workspace, candidate_chunks, row_chunks
from mpi_automl.metrics.metric import Allowed, Costs, Metric, Outputs
from mpi_automl.metrics.score_functions import indicators

Floats = NDArray[np.float64]
Aggregate = Callable[[Floats, Floats, Floats], Floats]
"""Makes a value for each candidate of the mean errors of each output, shape (n_candidates, n_outputs), the variances of
the truth and the units of the outputs in those of the table, both of shape (n_outputs,)."""

_FLOAT32_ROWS = 128
"""Rows whose errors are summed in float32, which loses little over so few; these sums are summed in float64."""


class RegressionScorer:
    """Metrics of the differences between predictions and truth.

    Parameters
    ----------
    outputs : ndarray of float32, shape (n_candidates, n_outputs, n_rows)
    y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
    metric : Metric
    aggregate : Aggregate
    is_absolute : bool
        Errors are absolute differences, else squared ones.
    """

    def __init__(
        self, outputs: Outputs, y: NDArray[Any], metric: Metric, aggregate: Aggregate, is_absolute: bool = False
    ) -> None:
        self.outputs, self.metric, self.aggregate, self.is_absolute = outputs, metric, aggregate, is_absolute
        self.truth = y.reshape(len(y), -1).astype(np.float64)
        self.variances = self.truth.var(axis=0)
        self.scale = np.ones(self.truth.shape[1]) if metric.units is None else np.array(metric.units.scale)
        # Large sums would lose in float32 what tells candidates apart; a difference of near values is exact.
        is_large = bool((np.abs(self.truth) > 1.0).any())
        self.rounded = np.ascontiguousarray(self.truth.T, dtype=np.float32) if is_large else None

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.metric.Scorer.costs`."""
        n_candidates, n_outputs, n_rows = self.outputs.shape
        others = (total - (members + 1) * self.truth).T
        running = np.ascontiguousarray(others if self.rounded is None else others + self.rounded, dtype=np.float32)
        sums = np.zeros((n_candidates, n_outputs))
        workspace = Workspace()
        for output in range(n_outputs):
            for rows in row_chunks(n_rows):
                for chunk in candidate_chunks(n_candidates, rows.stop - rows.start):
                    some = self.outputs[chunk, output, rows]
                    errors = workspace.array("errors", some.shape, np.float32)
                    if self.rounded is not None:
                        some = np.subtract(some, self.rounded[output, rows], out=errors)
                    np.add(some, running[output, rows], out=errors)
                    sums[chunk, output] += self._error_sums(errors)
        means = sums / n_rows / (members + 1) ** (1 if self.is_absolute else 2)
        return np.asarray(self.metric.cost_of(self.aggregate(means, self.variances, self.scale)))

    def _error_sums(self, differences: NDArray[np.float32]) -> NDArray[np.float64]:
        """Sum of absolute or squared differences of each candidate, shape (n_candidates,)."""
        n_candidates, width = differences.shape
        if self.is_absolute:
            np.abs(differences, out=differences)
        whole = width // _FLOAT32_ROWS * _FLOAT32_ROWS
        parts = differences[:, :whole].reshape(n_candidates, whole // _FLOAT32_ROWS, _FLOAT32_ROWS)
        rest = differences[:, whole:].astype(np.float64)
        if self.is_absolute:
            return np.asarray(parts.sum(axis=2).astype(np.float64).sum(axis=1) + rest.sum(axis=1))
        squares = np.einsum("ijk,ijk->ij", parts, parts)
        return np.asarray(squares.astype(np.float64).sum(axis=1) + (rest * rest).sum(axis=1))


def brier_scorer(outputs: Outputs, y: NDArray[Any], metric: Metric) -> RegressionScorer:
    """The scorer of the Brier score; see `mpi_automl.metrics.score_functions.brier_score`."""
    aggregate = _sum_over_outputs if y.ndim == 1 and outputs.shape[1] != 2 else mean_squared_error
    return RegressionScorer(outputs, indicators(y, outputs.shape[1]), metric, aggregate)


def r2_scorer(outputs: Outputs, y: NDArray[Any], metric: Metric) -> RegressionScorer | None:
    """The scorer of R2; None where a target is constant, for which scikit-learn has rules of its own."""
    return None if np.ptp(y, axis=0).min() == 0.0 else RegressionScorer(outputs, y, metric, _explained_share)


def mean_absolute_error(means: Floats, variances: Floats, scale: Floats) -> Floats:
    """Mean over the outputs of absolute errors."""
    return np.asarray((means * scale).mean(axis=1))


def mean_squared_error(means: Floats, variances: Floats, scale: Floats) -> Floats:
    """Mean over the outputs of squared errors."""
    return np.asarray((means * scale * scale).mean(axis=1))


def root_mean_squared_error(means: Floats, variances: Floats, scale: Floats) -> Floats:
    """Mean over the outputs of the root of each one's mean squared error."""
    return np.asarray((np.sqrt(means) * scale).mean(axis=1))


def _sum_over_outputs(means: Floats, variances: Floats, scale: Floats) -> Floats:
    return np.asarray(means.sum(axis=1))


def _explained_share(means: Floats, variances: Floats, scale: Floats) -> Floats:
    return np.asarray((1.0 - means / variances).mean(axis=1))
