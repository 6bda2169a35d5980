"""Probabilities for classifiers that only have a decision function."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.linear_model import SGDClassifier
from sklearn.svm import SVC, LinearSVC


def decision_probabilities(decision: NDArray[Any]) -> NDArray[np.float64]:
    """Squash decision values into the simplex; they rank well but are not calibrated.

    Parameters
    ----------
    decision : ndarray, shape (n_rows,) or (n_rows, n_classes)

    Returns
    -------
    ndarray of float64, shape (n_rows, n_classes)
        The logistic function of the decision for two classes, the softmax for more.
    """
    if decision.ndim == 1:
        positive = expit(decision)
        return np.column_stack([1.0 - positive, positive])
    return np.asarray(softmax(decision, axis=1))


class ProbabilisticSGDClassifier(SGDClassifier):  # type: ignore[misc]
    """`SGDClassifier` with ``predict_proba`` for every loss."""

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, shape (n_rows, n_classes)."""
        if self.loss in ("log_loss", "modified_huber"):
            return np.asarray(super().predict_proba(X))
        return decision_probabilities(self.decision_function(X))


class ProbabilisticLinearSVC(LinearSVC):  # type: ignore[misc]
    """`LinearSVC` with ``predict_proba``."""

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Squashed decision values, shape (n_rows, n_classes)."""
        return decision_probabilities(self.decision_function(X))


class ProbabilisticSVC(SVC):  # type: ignore[misc]
    """`SVC` with ``predict_proba`` from the decision function, which costs no further fit."""

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Squashed decision values, shape (n_rows, n_classes)."""
        return decision_probabilities(self.decision_function(X))
