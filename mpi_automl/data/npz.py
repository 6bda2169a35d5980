"""NumPy's .npz files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mpi_automl.data.arrays import as_table, target_frame
from mpi_automl.data.table import DEFAULT_TARGET, listed, numbered, unique_names
from mpi_automl.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mpi_automl.data.table import SparseTable

_FEATURES = ("X", "x", "data", "features", "X_train", "x_train")
_TARGETS = ("y", "Y", "target", "targets", "labels", "y_train")
_NAMES = ("columns", "feature_names", "names")


def read_npz(path: Path) -> pd.DataFrame | SparseTable:
    """Read a .npz file: arrays `X` and `y`, or a sparse matrix as `scipy.sparse.save_npz` writes it.

    `X` has the shape (n_rows, n_columns) and may have names in `columns` (else x0, x1, ...); `y` becomes
    the column ``y`` (y0, y1, ... if it has several). Pickled objects are refused.

    Raises
    ------
    UserError
        If there is no table in the file.
    """
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    if {"indices", "indptr", "shape", "format", "data"} <= set(arrays):
        from scipy import sparse

        return as_table(sparse.load_npz(path))
    return from_arrays(arrays, str(path))


def from_arrays(arrays: Mapping[str, Any], origin: str) -> pd.DataFrame:
    """A table from named arrays, the features among them called X (or data, features, ...).

    Parameters
    ----------
    arrays : mapping of str to ndarray
    origin : str
        Where they came from, for messages.
    """
    key = next((name for name in _FEATURES if name in arrays and arrays[name].ndim == 2), None)
    if key is None:
        raise UserError(f"{origin} has no two-dimensional array X; its arrays are {listed(list(arrays))}.")
    names = next((tuple(map(str, arrays[name])) for name in _NAMES if name in arrays), None)
    width = arrays[key].shape[1]
    if names is not None and len(names) != width:
        raise UserError(f"{origin} has {len(names)} column names for {width} columns.")
    table = pd.DataFrame(arrays[key], columns=list(unique_names(names or numbered("x", width))))
    answers = next((arrays[name] for name in _TARGETS if name in arrays), None)
    if answers is None:
        return table
    if answers.ndim not in (1, 2) or len(answers) != len(table):
        raise UserError(f"{origin}: the target has the shape {answers.shape} for {len(table)} rows.")
    width = answers.shape[1] if answers.ndim == 2 else 1
    target = target_frame(answers, ("y",) if width == 1 else numbered("y", width))
    joined = table.join(target)
    joined.attrs[DEFAULT_TARGET] = list(target.columns)
    return joined
