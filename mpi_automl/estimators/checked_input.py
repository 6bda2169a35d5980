"""What the estimators check of tables that are handed to them, in the way of scikit-learn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from sklearn.utils.validation import check_consistent_length, validate_data

from mpi_automl.estimators.targets import rows_with_target


class CheckedInputMixin(ABC):
    """Gives an estimator its checks; the kind of target is left to the classifier and the regressor."""

    drop_missing_targets: bool

    def _checked_training(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Training rows that have a target, and the target."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X = self._checked(X, reset=True)
        y = y if hasattr(y, "ndim") else np.asarray(y)
        X, y = rows_with_target(X, y, leaves_out=bool(self.drop_missing_targets))
        y = self._checked_target(y)
        check_consistent_length(X, y)
        return X, y

    def _checked(self, X: Any, *, reset: bool) -> Any:
        """Features; with `reset` their columns become those of the estimator, otherwise they must be the same."""
        if hasattr(X, "columns"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        options = {"accept_sparse": "csr", "ensure_all_finite": "allow-nan", "ensure_min_samples": 2 if reset else 1}
        return validate_data(self, X, reset=reset, dtype=None, **options)

    @abstractmethod
    def _checked_target(self, y: Any) -> Any:
        """The target as it is learned from."""

    @abstractmethod
    def _task_type(self, y: Any) -> str:
        """The option ``task`` for a target."""
