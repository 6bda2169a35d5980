"""Gaussian processes with a length scale for each feature."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF

RESTARTS = 1
"""Of the search for length scales; each takes as long as the first search."""


class AnisotropicGaussianProcess(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """`GaussianProcessRegressor` whose kernel is made when the number of features is known.

    Parameters
    ----------
    alpha : float
        Variance of the noise, of normalised targets.
    shortest, longest : float
        Bounds of the length scales.
    random_state : int or None
        Of the restarts of the optimiser.
    """

    def __init__(
        self, alpha: float = 1e-8, shortest: float = 1e-6, longest: float = 1e5, random_state: int | None = None
    ) -> None:
        self.alpha = alpha
        self.shortest = shortest
        self.longest = longest
        self.random_state = random_state

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> AnisotropicGaussianProcess:
        """Find the length scales and condition on the rows.

        Parameters
        ----------
        X : ndarray, shape (n_rows, n_columns)
        y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
        """
        self.n_features_in_ = X.shape[1]
        kernel = RBF(np.ones(X.shape[1]), (self.shortest, self.longest))
        self.process_ = GaussianProcessRegressor(
            kernel,
            alpha=self.alpha,
            n_restarts_optimizer=RESTARTS,
            normalize_y=True,
            copy_X_train=False,
            random_state=self.random_state,
        )
        self.process_.fit(X, y)
        return self

    def predict(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Means, shape (n_rows,) or (n_rows, n_outputs)."""
        return np.asarray(self.process_.predict(X))
