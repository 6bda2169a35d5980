"""Learners that continue where they were when they are fitted again with more iterations."""

from __future__ import annotations

from typing import Any

from sklearn.neural_network import MLPClassifier, MLPRegressor


class TotalEpochs:
    """Makes ``max_iter`` of a warm-started perceptron the total over all fits, not that of the next one.

    A network that stopped by itself stays as it is.
    """

    max_iter: int
    n_iter_: int
    warm_start: bool

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> TotalEpochs:
        """Fit, or continue to fit.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_rows, n_columns)
        y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
        sample_weight : ndarray, shape (n_rows,), or None
        """
        total = self.max_iter
        done = self.n_iter_ if self.warm_start and hasattr(self, "fitted_epochs_") else 0
        if done and (done < self.fitted_epochs_ or done >= total):
            return self
        self.max_iter = total - done
        self.n_iter_ = 0
        try:
            weights = {} if sample_weight is None else {"sample_weight": sample_weight}
            super().fit(X, y, **weights)  # type: ignore[misc]  # a mixin: the next class is a perceptron
        finally:
            self.max_iter = total
        self.n_iter_ += done
        self.fitted_epochs_: int = total
        return self


class StagedMLPClassifier(TotalEpochs, MLPClassifier):  # type: ignore[misc]
    """`MLPClassifier` for staged fitting."""


class StagedMLPRegressor(TotalEpochs, MLPRegressor):  # type: ignore[misc]
    """`MLPRegressor` for staged fitting."""
