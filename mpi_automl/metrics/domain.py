"""Metrics that are defined for some values only: what the target must be, and where predictions are clipped to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mpi_automl.data.units import TargetUnits


@dataclass(frozen=True)
class Domain:
    """The values for which a metric is defined.

    Attributes
    ----------
    zero, negative : bool
        Whether a true value may be so.
    floor : float or None
        Predictions are raised to this share of the smallest positive value in training; None leaves them as they are.
    """

    zero: bool = True
    negative: bool = False
    floor: float | None = None

    def __str__(self) -> str:
        if self.negative:
            return "values other than zero"
        return "values of zero or more" if self.zero else "values above zero"

    def holds(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether each true value is in the domain, of the shape of `y`."""
        return np.asarray((y > 0.0) | ((y == 0.0) & self.zero) | ((y < 0.0) & self.negative))

    def check(self, name: str, y: NDArray[Any]) -> None:
        """Raise a `ValueError` if a true value is outside of the domain of the metric of this name."""
        if not self.holds(y).all():
            raise ValueError(f"{name} needs {self}; the target has {y[~self.holds(y)][0]:.6g}")

    def clip(self, predictions: NDArray[Any], units: TargetUnits | None, y: NDArray[Any]) -> NDArray[Any]:
        """Predictions within the domain, in the units of the table.

        Without the target's units the smallest positive value is that of `y`.
        """
        if self.floor is None:
            return predictions
        least = y[y > 0.0].min(initial=1.0) if units is None else np.array(units.least)
        return np.asarray(np.maximum(predictions, self.floor * least))
