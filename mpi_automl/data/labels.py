"""Class labels of any type: to codes, to JSON, and back as they came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mpi_automl.data.table import listed
from mpi_automl.data.values import canonical, factorized
from mpi_automl.errors import UserError


@dataclass(frozen=True, eq=False)
class Labels:
    """The classes of one target column.

    Attributes
    ----------
    values : ndarray, shape (n_classes,)
        The labels in sorted order, in the dtype in which predictions are handed back.
    """

    values: NDArray[Any]

    @classmethod
    def of(cls, column: str, target: pd.Series) -> Labels:
        """The distinct labels of a column without missing values.

        Raises
        ------
        UserError
            If labels are of a type that cannot be stored.
        """
        values = list(pd.unique(target.astype(object)))
        dtype = _dtype(target)
        for value in values:
            if not _is_label(value, dtype):
                raise UserError(f"Target {column} has labels of type {type(value).__name__}; use strings or numbers.")
        values.sort(key=_order)
        return cls(_array(values, dtype))

    def encode(self, column: str, target: pd.Series) -> NDArray[np.int64]:
        """Codes of labels; labels of another dtype are recognised by how they are written.

        Raises
        ------
        UserError
            If a label is not among the classes.
        """
        labels = self._plain()
        written = {canonical(label): code for code, label in enumerate(labels)}
        same = {label: code for code, label in enumerate(labels)}
        numbers, uniques = factorized(target.astype(object))
        codes = [same.get(value, written.get(canonical(value), -1)) for value in uniques]
        strange = [value for value, code in zip(uniques, codes, strict=True) if code < 0]
        if strange:
            raise UserError(
                f"Target {column} has the labels {listed(strange, 5)}, which are not in the training table "
                f"({listed(list(self.values), 5)})."
            )
        encoded: NDArray[np.int64] = np.array([*codes, -1], dtype=np.int64)[numbers]
        return encoded

    def to_mapping(self) -> dict[str, Any]:
        """The labels as JSON can hold them."""
        if self.values.dtype.kind == "M":
            return {"dtype": str(self.values.dtype), "values": self.values.astype(np.int64).tolist()}
        return {"dtype": self.values.dtype.str if self.values.dtype.kind != "O" else "object", "values": self._plain()}

    @classmethod
    def from_mapping(cls, mapping: dict[str, Any]) -> Labels:
        """The labels that `to_mapping` described."""
        dtype = np.dtype(mapping["dtype"])
        if dtype.kind == "M":
            return cls(np.array(mapping["values"], dtype=np.int64).astype(dtype))
        return cls(_array(mapping["values"], dtype))

    def _plain(self) -> list[Any]:
        if self.values.dtype.kind == "M":
            return [pd.Timestamp(value) for value in self.values]
        return [value.item() if isinstance(value, np.generic) else value for value in self.values.tolist()]


def _order(value: Any) -> tuple[int, Any]:
    if isinstance(value, (bool, np.bool_, int, float, np.number)):
        return 0, float(value)
    return (2, str(value)) if isinstance(value, (pd.Timestamp, np.datetime64)) else (1, str(value))


def _dtype(target: pd.Series) -> np.dtype[Any]:
    dtype = target.dtype.categories.dtype if isinstance(target.dtype, pd.CategoricalDtype) else target.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biufM":
        return dtype
    if pd.api.types.is_bool_dtype(dtype):
        return np.dtype(bool)
    if pd.api.types.is_integer_dtype(dtype):
        return np.dtype(np.int64)
    if pd.api.types.is_float_dtype(dtype):
        return np.dtype(np.float64)
    return np.dtype(object)


def _array(values: list[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind != "O":
        return np.array(values).astype(dtype)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _is_label(value: Any, dtype: np.dtype[Any]) -> bool:
    if isinstance(value, pd.Timestamp):
        return dtype.kind == "M"
    return isinstance(value, (str, bool, int, float, np.integer, np.floating, np.bool_))
