"""Leave out constant columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_selection import VarianceThreshold


class VariedColumns(VarianceThreshold):  # type: ignore[misc]
    """`VarianceThreshold` at zero that keeps everything, rather than raise, when all columns are constant.

    A training fold can be constant in columns that vary over the whole table.
    """

    threshold: float
    variances_: NDArray[np.float64]

    def fit(self, X: Any, y: Any = None) -> VariedColumns:
        """Learn which columns vary.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_rows, n_columns)
        y : ignored
        """
        try:
            super().fit(X, y)
        except ValueError:
            if not hasattr(self, "variances_") or np.any(self.variances_ > self.threshold):
                raise
            self.variances_ = np.ones_like(self.variances_)
        return self
