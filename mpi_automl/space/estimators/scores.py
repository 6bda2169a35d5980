"""Univariate scores of features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_selection import chi2


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
