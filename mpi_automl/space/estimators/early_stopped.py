"""Boosting whose number of iterations is found on validation rows, for the learners of three packages."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone

from mpi_automl.space.estimators.early_stopping import MAX_ITERATIONS, StoppingRule

Rows = tuple[Any, NDArray[Any]]
"""Features and target of some rows."""


@dataclass(frozen=True, eq=False)
class BoostingRows:
    """What boosting learns from.

    Attributes
    ----------
    training : (X, y)
        The target as the learner takes it.
    sample_weight : ndarray or None
    validation : (X, y) or None
        Rows on which the loss is watched.
    """

    training: Rows
    sample_weight: NDArray[np.float64] | None
    validation: Rows | None


class EarlyStopped(BaseEstimator):  # type: ignore[misc]
    """Fits a fresh clone of a boosting learner, stopping early where there are validation rows.

    Parameters
    ----------
    learner : estimator
        Of the package's interface for scikit-learn.
    categories : sequence of int
        Positions of columns of category codes, for a package that wants to be told when it is fitted.
    iterations : int
        Of a fit without validation rows, unless `fit` is given their number.

    Attributes
    ----------
    learner_ : estimator
    n_iterations_ : int
        Iterations that predictions use.
    is_late_ : bool
        The deadline ended the fit.
    """

    def __init__(self, learner: Any, categories: Sequence[int] = (), iterations: int = 300) -> None:
        self.learner = learner
        self.categories = categories
        self.iterations = iterations

    def fit(
        self,
        X: Any,
        y: NDArray[Any],
        sample_weight: NDArray[np.float64] | None = None,
        *,
        validation: Rows | None = None,
        iterations: int | None = None,
        deadline: float = math.inf,
        predicted_rows: int = 0,
    ) -> EarlyStopped:
        """Fit a clone of the learner.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_rows, n_columns)
        y : ndarray, shape (n_rows,)
        sample_weight : ndarray, shape (n_rows,), optional
        validation : (X, y), optional
            Rows on which the loss is watched; the iteration that is best there is used.
        iterations : int, optional
            How many there are without `validation`.
        deadline : float
            On the clock of `time.monotonic`: boosting ends with the iteration that passes it, or earlier to leave time
            for predictions.
        predicted_rows : int
            Rows that are to be predicted by the deadline.
        """
        self.n_features_in_ = X.shape[1]
        self.learner_ = clone(self.learner)
        rule = StoppingRule(deadline, predicted_rows)
        most = MAX_ITERATIONS if validation is not None else iterations or self.iterations
        self._boost(BoostingRows((X, self._coded(y)), sample_weight, self._known(validation)), most, rule)
        self.n_iterations_: int = rule.best_iteration
        self.is_late_: bool = rule.is_late
        return self

    def _coded(self, y: NDArray[Any]) -> NDArray[Any]:
        """The target as the learner takes it."""
        return y

    def _known(self, validation: Rows | None) -> Rows | None:
        """Those validation rows whose target the learner knows, coded."""
        return validation

    @abstractmethod
    def _boost(self, rows: BoostingRows, iterations: int, rule: StoppingRule) -> None:
        """Fit `learner_` with at most so many iterations, asking the rule after each."""


class EarlyStoppedRegressor(RegressorMixin, EarlyStopped):  # type: ignore[misc]
    """Early-stopped boosting for regression."""

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predictions, shape (n_rows,)."""
        return np.asarray(self.learner_.predict(X), dtype=np.float64)


class EarlyStoppedClassifier(ClassifierMixin, EarlyStopped):  # type: ignore[misc]
    """Early-stopped boosting for classification.

    The classes that occur are numbered before fitting, since a training fold can lack some.
    """

    def _coded(self, y: NDArray[Any]) -> NDArray[Any]:
        self.classes_, codes = np.unique(y, return_inverse=True)
        return codes

    def _known(self, validation: Rows | None) -> Rows | None:
        if validation is None:
            return None
        X, y = validation
        known = np.flatnonzero(np.isin(y, self.classes_))
        codes = np.searchsorted(self.classes_, y[known])
        if len(known) == len(y):
            return X, codes
        return (X.iloc[known] if hasattr(X, "iloc") else X[known], codes) if len(known) else None

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, shape (n_rows, n_classes)."""
        return np.asarray(self.learner_.predict_proba(X), dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable classes, shape (n_rows,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
