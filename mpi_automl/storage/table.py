"""Tables with training rows in HDF5 files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mpi_automl.data.npz import from_arrays
from mpi_automl.data.table import SparseTable, listed, numbered
from mpi_automl.errors import UserError
from mpi_automl.storage.hdf5 import h5py

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read_hdf5(path: Path) -> pd.DataFrame | SparseTable:
    """Read a table from an HDF5 file.

    Known layouts, in the file's root or in its only group: datasets `X` (n_rows, n_columns) and `y`; a
    group `X` with a CSR matrix (`data`, `indices`, `indptr`, and attribute or dataset `shape`) and `y`;
    one-dimensional datasets of equal length, one for each column; a single dataset of a compound type.

    Raises
    ------
    UserError
        If the file has none of these layouts.
    """
    with h5py.File(path, "r") as file:
        group = _innermost(file)
        if "pandas_type" in group.attrs or "axis0" in group:
            raise UserError(f"{path} was written by DataFrame.to_hdf; write a Parquet file with to_parquet instead.")
        if isinstance(group.get("X"), h5py.Group):
            return _sparse(group, str(path))
        arrays = {name: _array(item) for name, item in group.items() if isinstance(item, h5py.Dataset)}
    compound = [array for array in arrays.values() if array.dtype.names]
    if len(compound) == 1 and len(arrays) == 1:
        return pd.DataFrame({name: _decoded(compound[0][name]) for name in compound[0].dtype.names})
    if any(array.ndim == 2 for array in arrays.values()):
        return from_arrays(arrays, str(path))
    if arrays and len({array.shape for array in arrays.values()}) == 1 and all(a.ndim == 1 for a in arrays.values()):
        return pd.DataFrame(arrays)
    shapes = [f"{name} {array.shape}" for name, array in arrays.items()]
    raise UserError(f"{path} holds no table that is understood; its datasets are {listed(shapes)}.")


READERS: dict[str, Callable[[Path], pd.DataFrame | SparseTable]] = dict.fromkeys((".h5", ".hdf5", ".he5"), read_hdf5)
"""For the argument `readers` of `read_table` and `load_task`."""


def write_hdf5(table: pd.DataFrame, path: Path) -> None:
    """Write a table to an HDF5 file, a one-dimensional dataset for each column."""
    with h5py.File(path, "w", track_order=True) as file:
        for name, column in table.items():
            values = column.to_numpy()
            is_text = values.dtype.kind not in "biuf"
            kind = h5py.string_dtype() if is_text else values.dtype
            file.create_dataset(str(name).replace("/", "_"), data=column.astype(str) if is_text else values, dtype=kind)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = dict.fromkeys((".h5", ".hdf5"), write_hdf5)
"""For the argument `writers` of `write_table`."""


def _innermost(group: h5py.Group) -> h5py.Group:
    while len(group) == 1:
        (item,) = group.values()
        if not isinstance(item, h5py.Group):
            break
        group = item
    return group


def _array(dataset: h5py.Dataset) -> np.ndarray[Any, Any]:
    return _decoded(dataset[()])


def _decoded(array: Any) -> np.ndarray[Any, Any]:
    values = np.asarray(array)
    if values.dtype.kind in "OS" and values.size:
        texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values.flat]
        decoded = np.empty(len(texts), dtype=object)
        decoded[:] = texts
        return decoded.reshape(values.shape)
    return values


def _sparse(group: h5py.Group, origin: str) -> SparseTable:
    from scipy import sparse

    parts = {name: _array(item) for name, item in group["X"].items()}
    shape = tuple(int(size) for size in group["X"].attrs.get("shape", parts.get("shape", ())))
    if not {"data", "indices", "indptr"} <= set(parts) or len(shape) != 2:
        raise UserError(f"{origin}: the group X is no CSR matrix (data, indices, indptr and shape).")
    matrix = sparse.csr_matrix((parts["data"], parts["indices"], parts["indptr"]), shape=shape)
    matrix.check_format(full_check=True)
    dense = pd.DataFrame(index=range(shape[0]))
    if "y" in group:
        dense["y"] = _array(group["y"])
    return SparseTable(matrix, numbered("x", shape[1]), dense, tuple(dense.columns))
