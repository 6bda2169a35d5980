"""Learners that are fitted as fresh clones: some refuse to have their parameters changed once they are fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone


class RefittedRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Fits a fresh clone of a regressor each time.

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


class RecodedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fits a fresh clone of a classifier that insists on classes 0, 1, 2, ... without a gap.

    The classes that occur are numbered before fitting, since a training fold can lack some.

    Parameters
    ----------
    classifier : classifier
    """

    def __init__(self, classifier: Any) -> None:
        self.classifier = classifier

    def fit(self, X: Any, y: NDArray[Any], sample_weight: Any = None) -> RecodedClassifier:
        """Fit a clone of the classifier.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_rows, n_columns)
        y : ndarray, shape (n_rows,)
        sample_weight : ndarray, shape (n_rows,), or None
        """
        self.n_features_in_ = X.shape[1]
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.classifier_ = clone(self.classifier)
        self.classifier_.fit(X, codes, sample_weight=sample_weight)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, shape (n_rows, n_classes)."""
        return np.asarray(self.classifier_.predict_proba(X), dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable classes, shape (n_rows,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
