"""What a configuration is recognised by: when two configurations are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DECIMALS = 9
"""Decimals that count: equal configurations may differ in the last bits of a float."""


def identities(vectors: NDArray[np.float64]) -> list[bytes]:
    """What configurations are recognised by: equal for equal ones, whatever the last bits of a float are.

    Parameters
    ----------
    vectors : ndarray of float64, shape (n, n_hyperparameters)
    """
    # Adding 0.0 turns -0.0 into 0.0; no encoded value is as low as -2.
    rounded = np.where(np.isnan(vectors), -2.0, np.round(vectors, _DECIMALS) + 0.0)
    return [row.tobytes() for row in np.ascontiguousarray(rounded)]


def identity(vector: NDArray[np.float64]) -> bytes:
    """What one configuration is recognised by (`identities`)."""
    return identities(vector[None])[0]
