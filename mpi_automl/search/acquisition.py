"""The acquisition function: expected improvement for costs that were learned on a logarithmic scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def log_expected_improvement(mean: Floats, variance: Floats, best: float) -> Floats:
    """Expected improvement over a cost when its logarithm is normally distributed.

    Hutter, Hoos, Leyton-Brown and Murphy (2009), "An experimental investigation of model-based
    parameter optimisation: SPO and beyond", section 5.2; the closed form is the one of SMAC 2.4.1's ``EI(log=True)``.

    Parameters
    ----------
    mean, variance : ndarray of float64, shape (n,)
        Prediction of the logarithm of the cost.
    best : float
        Logarithm of the cost to be improved on.

    Returns
    -------
    ndarray of float64, shape (n,)
        Not negative: differences below rounding are zero.
    """
    deviation = np.sqrt(variance)
    v = (best - mean) / deviation
    improvement: Floats = np.exp(best) * ndtr(v) - np.exp(0.5 * variance + mean) * ndtr(v - deviation)
    return np.maximum(improvement, 0.0, out=improvement)
