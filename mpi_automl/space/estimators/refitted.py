"""Regressors that refuse to have their parameters changed once they are fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone


class RefittedRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Fits a fresh clone each time.

    Parameters
    ----------
    regressor : regressor
    """

    def __init__(self, regressor: Any) -> None:
        self.regressor = regressor

    def fit(self, X: Any, y: NDArray[Any], sample_weight: Any = None) -> RefittedRegressor:
        """Fit a clone of the regressor.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_rows, n_columns)
        y : ndarray, shape (n_rows,)
        sample_weight : ndarray, shape (n_rows,), or None
        """
        self.n_features_in_ = X.shape[1]
        self.regressor_ = clone(self.regressor)
        self.regressor_.fit(X, y, sample_weight=sample_weight)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predictions, shape (n_rows,)."""
        return np.asarray(self.regressor_.predict(X), dtype=np.float64)
