"""Rows without a target, which the estimators refuse or leave out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_consistent_length


def rows_with_target(X: Any, y: Any, *, leaves_out: bool) -> tuple[Any, Any]:
    """The rows whose target is there.

    Parameters
    ----------
    X : DataFrame, ndarray or sparse matrix, shape (n_rows, n_columns)
    y : array-like, shape (n_rows,) or (n_rows, n_targets)
    leaves_out : bool
        Whether rows may be left out.

    Raises
    ------
    ValueError
        If targets are missing and may not be left out, or are missing in all rows.
    """
    if hasattr(y, "indptr"):
        return X, y
    missing = np.asarray(pd.isna(y))
    if missing.ndim == 2:
        missing = np.asarray(missing.any(axis=1))
    if not missing.any():
        return X, y
    check_consistent_length(X, y)
    if missing.all():
        raise ValueError(f"Input y contains NaN: the target is missing in all {len(missing)} rows.")
    if not leaves_out:
        raise ValueError(
            f"Input y contains NaN: the target is missing in {missing.sum()} of {len(missing)} rows; "
            "drop_missing_targets=True leaves these rows out."
        )
    rows = np.flatnonzero(~missing)
    return _safe_indexing(X, rows), _safe_indexing(y, rows)
