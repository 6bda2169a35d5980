"""Feature selectors that never leave a learner without features, and a score for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_selection import (
    GenericUnivariateSelect,
    SelectFromModel,
    SelectPercentile,
    VarianceThreshold,
    chi2,
)


class BestAtLeast:
    """Keeps the feature with the highest score where the selector would keep none."""

    scores_: NDArray[np.float64]

    def _get_support_mask(self) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = super()._get_support_mask()  # type: ignore[misc]  # a mixin
        if not mask.any():
            mask = np.zeros(len(self.scores_), dtype=bool)
            mask[np.argmax(np.nan_to_num(self.scores_, nan=-np.inf))] = True
        return mask


class SelectShare(BestAtLeast, SelectPercentile):  # type: ignore[misc]
    """`SelectPercentile` that keeps at least one feature."""


class SelectByRate(BestAtLeast, GenericUnivariateSelect):  # type: ignore[misc]
    """`GenericUnivariateSelect` that keeps at least one feature."""


class SelectAtLeastOne(SelectFromModel):  # type: ignore[misc]
    """`SelectFromModel` that keeps every feature where the model uses none."""

    def _get_support_mask(self) -> Any:
        mask = super()._get_support_mask()
        return mask if mask.any() else np.ones_like(mask)


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


def chi2_of_amounts(X: Any, y: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The chi-squared test of features against classes, on amounts above each feature's minimum.

    The test is made for amounts: a standardised column would be refused. Sparse columns keep their
    zeros, and what is below zero in them counts as zero.

    Parameters
    ----------
    X : array or sparse matrix, shape (n_rows, n_columns)
    y : ndarray, shape (n_rows,)

    Returns
    -------
    statistics, p_values : ndarray of float64, shape (n_columns,)
    """
    amounts = X.maximum(0) if sparse.issparse(X) else X - np.min(X, axis=0)
    statistics, p_values = chi2(amounts, y)
    return statistics, p_values
