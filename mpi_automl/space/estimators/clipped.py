"""Naive Bayes on amounts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.naive_bayes import MultinomialNB


class ClippedMultinomialNB(MultinomialNB):  # type: ignore[misc]
    """`MultinomialNB` to which values below zero are zero.

    Rows to be predicted can fall below the minimum that scaling has seen.
    """

    def fit(self, X: Any, y: NDArray[Any], sample_weight: Any = None) -> ClippedMultinomialNB:
        """Fit to amounts.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_rows, n_columns)
        y : ndarray, shape (n_rows,)
        sample_weight : ndarray, shape (n_rows,), or None
        """
        super().fit(_amounts(X), y, sample_weight)
        return self

    def predict_joint_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Joint log-probabilities of rows and classes, shape (n_rows, n_classes)."""
        return np.asarray(super().predict_joint_log_proba(_amounts(X)))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, shape (n_rows, n_classes)."""
        return np.asarray(super().predict_proba(_amounts(X)))

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable classes, shape (n_rows,)."""
        return np.asarray(super().predict(_amounts(X)))


def _amounts(X: Any) -> Any:
    return X.maximum(0) if sparse.issparse(X) else np.maximum(X, 0)
