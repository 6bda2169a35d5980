"""From sparse to dense."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin


class Densifier(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Makes dense arrays of sparse matrices."""

    def fit(self, X: Any, y: Any = None) -> Densifier:
        """Remember the number of columns.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_rows, n_columns)
        y : ignored
        """
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """The same values as a dense array, shape (n_rows, n_columns)."""
        dense: NDArray[Any] = X.toarray() if sparse.issparse(X) else X
        return dense
