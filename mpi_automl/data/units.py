"""The units in which numeric targets are learned, so that float32 holds them whatever the table's own are."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FAR = 8.0
"""A median further from zero than this many scales is subtracted; nearer ones keep zero where it is, exactly."""
_FURTHEST = 1e12
"""No standardised training value is further from the centre, so that squares of errors can be summed in float32."""
_NORMAL_IQR = 1.349
"""Interquartile range of a standard normal distribution."""
_LOWEST_EXPONENT, _HIGHEST_EXPONENT = -1022, 1023
"""Of the smallest and the largest power of two that is a normal float64."""


@dataclass(frozen=True)
class TargetUnits:
    """Centre and scale of each target, decided in training.

    Learners, store and ensemble hold standardised values, ``(value - center) / scale``, which float32 resolves.
    Scales are powers of two and centres multiples of them, so that nothing is rounded that need not be.

    Attributes
    ----------
    center, scale : tuple of float
        One for each target, in the units of the table; a scale is positive and normal.
    least : tuple of float
        The smallest value above zero of each target in training, in the units of the table; its scale without any.
    """

    center: tuple[float, ...]
    scale: tuple[float, ...]
    least: tuple[float, ...]

    @classmethod
    def of(cls, values: Floats) -> TargetUnits:
        """The units for training values, finite, of shape (n_rows,) or (n_rows, n_targets)."""
        columns = values.reshape(len(values), -1).T
        pairs = [_center_and_scale(column) for column in columns]
        least = [
            float(column[column > 0.0].min()) if (column > 0.0).any() else scale
            for column, (_, scale) in zip(columns, pairs, strict=True)
        ]
        return cls(tuple(center for center, _ in pairs), tuple(scale for _, scale in pairs), tuple(least))

    def standardise(self, values: NDArray[Any]) -> Floats:
        """Standardised values of values in the units of the table, both of shape (n_rows,) or (n_rows, n_targets)."""
        center, scale = self._arrays(values)
        # Divided first: a difference of large values may overflow. Powers of two divide exactly.
        with np.errstate(over="ignore"):
            return np.asarray(values.astype(np.float64) / scale - center / scale)

    def restore(self, values: NDArray[Any]) -> Floats:
        """Values in the units of the table, computed in float64, of standardised ones; of the same shape.

        What float64 cannot hold becomes the largest number that it holds.
        """
        center, scale = self._arrays(values)
        with np.errstate(over="ignore"):
            restored = (values.astype(np.float64) + center / scale) * scale
        return np.asarray(np.clip(restored, -sys.float_info.max, sys.float_info.max))

    def _arrays(self, values: NDArray[Any]) -> tuple[Any, Any]:
        if values.ndim == 1:
            return self.center[0], self.scale[0]
        return np.array(self.center), np.array(self.scale)


def _center_and_scale(values: Floats) -> tuple[float, float]:
    exponent = int(np.frexp(np.abs(values).max())[1])
    # Within [-1, 1] neither sums nor squares overflow.
    reduced = np.ldexp(values, -exponent)
    low, median, high = np.percentile(reduced, (25, 50, 75))
    distances = np.abs(reduced - median)
    spread = (high - low) / _NORMAL_IQR or float(distances.mean())
    spread = max(spread, float(distances.max()) / _FURTHEST)
    own = int(np.clip(np.frexp(spread)[1] - 1, _LOWEST_EXPONENT - exponent, _HIGHEST_EXPONENT - exponent))
    scale = float(np.ldexp(1.0, own))
    center = round(median / scale) * scale if abs(median) > _FAR * scale else 0.0
    return float(np.ldexp(center, exponent)), float(np.ldexp(scale, exponent))
