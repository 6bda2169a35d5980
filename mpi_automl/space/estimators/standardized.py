"""Regressors that learn targets of zero mean and unit variance, for those sensitive to the scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import ElasticNet, SGDRegressor
from sklearn.svm import SVR, LinearSVR

from mpi_automl.space.estimators.staged import StagedMLPRegressor


class StandardizedTarget:
    """Standardises the targets before ``fit`` and undoes it after ``predict``.

    Unlike `sklearn.compose.TransformedTargetRegressor` it is the learner itself, so that staged
    fitting can set its parameters.
    """

    def fit(self, X: Any, y: NDArray[Any]) -> StandardizedTarget:
        """Fit to standardised targets.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_rows, n_columns)
        y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
        """
        values = np.asarray(y, dtype=np.float64)
        spread = values.std(axis=0)
        self.target_mean_ = values.mean(axis=0)
        self.target_scale_ = np.where(spread > 0.0, spread, 1.0)
        super().fit(X, (values - self.target_mean_) / self.target_scale_)  # type: ignore[misc]  # a mixin
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predictions on the scale of the targets, shape (n_rows,) or (n_rows, n_outputs)."""
        predicted = super().predict(X)  # type: ignore[misc]  # a mixin
        return np.asarray(predicted * self.target_scale_ + self.target_mean_)


class StandardizedSGDRegressor(StandardizedTarget, SGDRegressor):  # type: ignore[misc]
    """`SGDRegressor` on standardised targets."""


class StandardizedMLPRegressor(StandardizedTarget, StagedMLPRegressor):  # type: ignore[misc]
    """`StagedMLPRegressor` on standardised targets."""


class StandardizedLinearSVR(StandardizedTarget, LinearSVR):  # type: ignore[misc]
    """`LinearSVR` on standardised targets."""


class StandardizedSVR(StandardizedTarget, SVR):  # type: ignore[misc]
    """`SVR` on standardised targets."""


class StandardizedElasticNet(StandardizedTarget, ElasticNet):  # type: ignore[misc]
    """`ElasticNet` on standardised targets."""
