"""Estimators whose size gives way to data that turn out smaller than it.

How many columns reach a transformer is known only when it is fitted. A size that is too large is a
detail then, not an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import FeatureAgglomeration
from sklearn.decomposition import FastICA, KernelPCA, TruncatedSVD
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import QuantileTransformer


@contextmanager
def _capped(estimator: Any, parameter: str, limit: int) -> Iterator[None]:
    """Lower a parameter to a limit for a while."""
    wanted = getattr(estimator, parameter)
    setattr(estimator, parameter, limit if wanted is None else min(wanted, max(1, limit)))
    try:
        yield
    finally:
        setattr(estimator, parameter, wanted)


class CappedQuantileTransformer(QuantileTransformer):  # type: ignore[misc]
    """`QuantileTransformer` with at most as many quantiles as rows."""

    def fit(self, X: Any, y: Any = None) -> CappedQuantileTransformer:
        """Learn the quantiles of an array or sparse matrix of shape (n_rows, n_columns)."""
        with _capped(self, "n_quantiles", X.shape[0]):
            super().fit(X, y)
        return self


class CappedTruncatedSVD(TruncatedSVD):  # type: ignore[misc]
    """`TruncatedSVD` with fewer components than columns."""

    def fit(self, X: Any, y: Any = None) -> CappedTruncatedSVD:
        """Learn the singular vectors of a sparse matrix of shape (n_rows, n_columns)."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> NDArray[Any]:
        """Learn the singular vectors; give the scores, shape (n_rows, n_components)."""
        with _capped(self, "n_components", min(X.shape[0], X.shape[1] - 1)):
            scores: NDArray[Any] = super().fit_transform(X, y)
        return scores


class CappedFastICA(FastICA):  # type: ignore[misc]
    """`FastICA` with at most as many components as rows and columns."""

    def fit(self, X: Any, y: Any = None) -> CappedFastICA:
        """Learn the components of an array of shape (n_rows, n_columns)."""
        with _capped(self, "n_components", min(X.shape)):
            super().fit(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> NDArray[Any]:
        """Learn the components; give the sources, shape (n_rows, n_components)."""
        with _capped(self, "n_components", min(X.shape)):
            sources: NDArray[Any] = super().fit_transform(X, y)
        return sources


class CappedFeatureAgglomeration(FeatureAgglomeration):  # type: ignore[misc]
    """`FeatureAgglomeration` with at most as many clusters as columns, in which columns may be zero.

    The cosine of a column of zeros is not defined; such columns count as constant ones.
    """

    def fit(self, X: Any, y: Any = None) -> CappedFeatureAgglomeration:
        """Learn the clusters of the columns of an array of shape (n_rows, n_columns)."""
        empty = ~np.any(X, axis=0)
        defined = np.where(empty, 1.0, X) if self.metric == "cosine" and empty.any() else X
        with _capped(self, "n_clusters", X.shape[1]):
            super().fit(defined, y)
        return self


class CappedKernelPCA(KernelPCA):  # type: ignore[misc]
    """`KernelPCA` with at most as many components as rows."""

    def fit(self, X: Any, y: Any = None) -> CappedKernelPCA:
        """Learn the components of an array or sparse matrix of shape (n_rows, n_columns)."""
        with _capped(self, "n_components", X.shape[0]):
            super().fit(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None, **parameters: Any) -> NDArray[Any]:
        """Learn the components; give the scores, shape (n_rows, n_components)."""
        with _capped(self, "n_components", X.shape[0]):
            scores: NDArray[Any] = super().fit_transform(X, y, **parameters)
        return scores


class CappedKNeighborsClassifier(KNeighborsClassifier):  # type: ignore[misc]
    """`KNeighborsClassifier` with at most as many neighbours as rows."""

    def fit(self, X: Any, y: Any) -> CappedKNeighborsClassifier:
        """Remember the rows of an array or sparse matrix of shape (n_rows, n_columns)."""
        self.n_neighbors: int = min(self.n_neighbors, X.shape[0])
        super().fit(X, y)
        return self


class CappedKNeighborsRegressor(KNeighborsRegressor):  # type: ignore[misc]
    """`KNeighborsRegressor` with at most as many neighbours as rows."""

    def fit(self, X: Any, y: Any) -> CappedKNeighborsRegressor:
        """Remember the rows of an array or sparse matrix of shape (n_rows, n_columns)."""
        self.n_neighbors: int = min(self.n_neighbors, X.shape[0])
        super().fit(X, y)
        return self
