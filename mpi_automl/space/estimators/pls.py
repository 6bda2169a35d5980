"""Partial least squares as a reduction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cross_decomposition import PLSRegression
from sklearn.utils.multiclass import type_of_target


class PLSScores(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Scores of `PLSRegression`; classes become one indicator each.

    Parameters
    ----------
    n_components : int
        As many as rows, columns and targets allow are made.
    """

    def __init__(self, n_components: int = 2) -> None:
        self.n_components = n_components

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> PLSScores:
        """Find the directions that covary with the target.

        Parameters
        ----------
        X : ndarray, shape (n_rows, n_columns)
        y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
        """
        most = min(X.shape[0] - 1, X.shape[1])
        self.n_features_in_ = X.shape[1]
        self.model_ = PLSRegression(n_components=max(1, min(self.n_components, most)))
        self.model_.fit(X, _targets(y))
        return self

    def transform(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Scores, shape (n_rows, n_components)."""
        return np.asarray(self.model_.transform(X))


def _targets(y: NDArray[Any]) -> NDArray[Any]:
    if y.ndim == 1 and np.issubdtype(y.dtype, np.integer) and type_of_target(y) == "multiclass":
        indicators: NDArray[np.float64] = (y[:, None] == np.unique(y)).astype(np.float64)
        return indicators
    return y
