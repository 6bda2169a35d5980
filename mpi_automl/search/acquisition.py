"""The acquisition function, expected improvement for costs learned on a logarithmic scale, and how it is maximised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AcquisitionOptimizerOptions:
    """How the acquisition function is maximised.

    Attributes
    ----------
    random_candidates : int
    random_starts : int
        Local searches from the best of the random candidates.
    known_starts : int
        Local searches from the trials with the lowest predicted cost.
    foreign_starts : int
        Local searches from the best trials of other ranks.
    neighbours, steps : int
        Neighbours for each step of a local search, and steps at most.
    queue : int
        Random candidates kept as proposals.
    turns : int
        Of the ends of local searches the best one is proposed, the next time the second best and so on, up to this
        many, then the best again. Always the best one means to stay around one configuration for long. SMAC takes its
        eight best of local searches and random candidates from one model; here each may come from a new one.
    """

    random_candidates: int = 3000
    random_starts: int = 5
    known_starts: int = 5
    foreign_starts: int = 2
    neighbours: int = 64
    steps: int = 20
    queue: int = 256
    turns: int = 8


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
