"""Bootstrap confidence intervals (Efron, 1987, "Better bootstrap confidence intervals"): resamples and intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpi_automl.errors import UserError

Floats = NDArray[np.float64]

_JACKKNIFE_GROUPS = 200
"""Groups of rows that the jackknife leaves out in turn: single rows would take as many passes as there are rows."""
_FEWEST_RESAMPLES = 100
FEWEST_ROWS = 10
"""Resamples of fewer rows than this say too little of other rows."""


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are computed.

    Attributes
    ----------
    level : float
        Confidence level, above 0 and below 1.
    resamples : int
        Resamples of the rows; 0 for no intervals.
    seed : int

    Raises
    ------
    UserError
        If a value is outside of its range.
    """

    level: float = 0.95
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.level < 1.0:
            raise UserError(
                f"The level of the intervals is {self.level:g}; it must be above 0 and below 1, such as 0.95."
            )
        if self.resamples != 0 and self.resamples < _FEWEST_RESAMPLES:
            raise UserError(
                f"The number of resamples is {self.resamples}; it must be at least {_FEWEST_RESAMPLES}, "
                "or 0 for no intervals."
            )
        if self.seed < 0:
            raise UserError(f"The seed is {self.seed}; it must be 0 or more.")


@dataclass(frozen=True, eq=False)
class RowWeights:
    """How often each row is in each set of rows: in the resamples, then in those that leave out a group of rows.

    A resample follows from the seed and its own number, so that resamples can be dealt over processes.

    Attributes
    ----------
    n_rows : int
    bootstrap : Bootstrap
    """

    n_rows: int
    bootstrap: Bootstrap

    @property
    def _groups(self) -> int:
        return min(self.n_rows, _JACKKNIFE_GROUPS)

    def __len__(self) -> int:
        if self.bootstrap.resamples == 0 or self.n_rows < FEWEST_ROWS:
            return 0
        return self.bootstrap.resamples + self._groups

    def __getitem__(self, number: int) -> NDArray[np.int64]:
        n_resamples, seed = self.bootstrap.resamples, self.bootstrap.seed
        if number < n_resamples:
            drawn = np.random.default_rng([seed, number]).integers(0, self.n_rows, self.n_rows)
            return np.bincount(drawn, minlength=self.n_rows)
        weights = np.ones(self.n_rows, dtype=np.int64)
        order = np.random.default_rng(seed).permutation(self.n_rows)
        weights[order[number - n_resamples :: self._groups]] = 0
        return weights


@dataclass(frozen=True)
class Interval:
    """Confidence intervals of a value; NaN where there is none.

    Attributes
    ----------
    bca_low, bca_high : float
        Bias-corrected and accelerated.
    percentile_low, percentile_high : float
    """

    bca_low: float = np.nan
    bca_high: float = np.nan
    percentile_low: float = np.nan
    percentile_high: float = np.nan


def interval(value: float, replicates: Floats, bootstrap: Bootstrap) -> Interval:
    """The intervals of a value.

    Parameters
    ----------
    value : float
        Of all rows.
    replicates : ndarray, shape (n_sets,)
        Of the sets of rows of `RowWeights`; NaN where it is not defined. Such resamples are left out, and there is no
        interval if they are more than half.
    bootstrap : Bootstrap
    """
    from scipy.special import ndtr, ndtri

    resampled = replicates[: bootstrap.resamples]
    resampled = np.sort(resampled[np.isfinite(resampled)])
    if not np.isfinite(value) or not len(resampled) or 2 * len(resampled) < bootstrap.resamples:
        return Interval()
    tails = np.array([(1.0 - bootstrap.level) / 2.0, (1.0 + bootstrap.level) / 2.0])
    low, high = map(float, np.quantile(resampled, tails))
    # Ties count one half, as in scipy.stats.bootstrap.
    below = np.searchsorted(resampled, value, "left") + np.searchsorted(resampled, value, "right")
    bias = ndtri(below / (2.0 * len(resampled)))
    if not np.isfinite(bias):
        return Interval(percentile_low=low, percentile_high=high)
    shifted = bias + ndtri(tails)
    acceleration = _acceleration(replicates[bootstrap.resamples :])
    bca_low, bca_high = map(float, np.quantile(resampled, ndtr(bias + shifted / (1.0 - acceleration * shifted))))
    return Interval(bca_low, bca_high, low, high)


def _acceleration(left_out: Floats) -> float:
    """A sixth of the skewness of the jackknife's values, each of which leaves out a group of rows."""
    left_out = left_out[np.isfinite(left_out)]
    differences = left_out.mean() - left_out if len(left_out) else left_out
    spread = float((differences**2).sum()) ** 1.5
    return float((differences**3).sum()) / (6.0 * spread) if spread > 0.0 else 0.0
