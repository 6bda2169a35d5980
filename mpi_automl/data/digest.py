"""A hash of what is learned from, the same on every machine for equal tables."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ROWS = 4_096


def table_digest(X: Any, y: NDArray[Any], names: Sequence[str], groups: NDArray[Any] | None = None) -> str:
    """Hash of an encoded table and its target, 32 hexadecimal digits.

    Numbers enter in little-endian order with one NaN and one zero, so the hash depends neither on the
    machine's byte order nor on how a missing value came about.

    Parameters
    ----------
    X : ndarray, CSR matrix or DataFrame, shape (n_rows, n_columns)
    y : ndarray, shape (n_rows,) or (n_rows, n_targets)
    names : sequence of str
        Names of the encoded columns.
    groups : ndarray of int64, shape (n_rows,), or None
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((X.shape, y.shape, groups is not None)).encode())
    _add_texts(digest, names)
    if hasattr(X, "indptr"):
        for part in (X.indptr, X.indices):
            _add_integers(digest, part)
        _add_floats(digest, X.data)
    elif hasattr(X, "dtypes"):
        for name in X.columns:
            column = X[name]
            if column.dtype.kind == "f":
                _add_floats(digest, column.to_numpy())
            else:
                _add_texts(digest, column.tolist())
    else:
        for start in range(0, len(X), _ROWS):
            _add_floats(digest, X[start : start + _ROWS])
    _add_floats(digest, y.astype(np.float64))
    if groups is not None:
        _add_integers(digest, groups)
    return digest.hexdigest()


def _add_floats(digest: Any, values: NDArray[Any]) -> None:
    floats = np.ascontiguousarray(values, dtype="<f8") + 0.0
    floats[np.isnan(floats)] = np.nan
    digest.update(floats.tobytes())


def _add_integers(digest: Any, values: NDArray[Any]) -> None:
    digest.update(np.ascontiguousarray(values, dtype="<i8").tobytes())


def _add_texts(digest: Any, texts: Sequence[str]) -> None:
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
