"""What a model must know of its training table: enough to encode the next one and to answer in its words."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mpi_automl.data.columns import Column
from mpi_automl.data.numbers import NumberFormat
from mpi_automl.data.table import SparseTable, listed
from mpi_automl.data.target import Target
from mpi_automl.data.task import ColumnKind, TaskType
from mpi_automl.errors import UnknownValuesWarning, UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.data.units import TargetUnits

_VERSION = 1


@dataclass(frozen=True, eq=False)
class Schema:
    """Columns and target of the training table.

    Attributes
    ----------
    columns : tuple of Column
        Those that are learned from. All are numerical for a sparse table.
    source_columns : tuple of str
        All feature columns of the training table in its order, with those that were left out: what a
        table without column names is taken to have.
    target : Target
    sparse : bool
        The training table was sparse.
    generated : bool
        Column names were numbered by the reader; see `SparseTable`.
    """

    columns: tuple[Column, ...]
    source_columns: tuple[str, ...]
    target: Target
    sparse: bool = False
    generated: bool = False

    @property
    def task_type(self) -> TaskType:
        """Kind of the target."""
        return self.target.type

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        return tuple(name for column in self.columns for name in column.encoded_names)

    @property
    def kinds(self) -> tuple[ColumnKind, ...]:
        """Kinds of the encoded columns."""
        return tuple(column.encoded_kind for column in self.columns for _ in column.encoded_names)

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of the target columns."""
        return self.target.names

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return self.target.n_outputs

    @property
    def units(self) -> TargetUnits | None:
        """In which the values of the target are learned; None for classes and labels."""
        return self.target.units

    @property
    def classes(self) -> NDArray[Any] | None:
        """The labels that the columns of a prediction stand for; None for multilabel targets and regression."""
        return self.target.labels[0].values if len(self.target.labels) == 1 else None

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Columns whose cells a reader of text files must leave as they are written; see `read_table`."""
        plain = NumberFormat()
        features = [column.name for column in self.columns if column.texts or column.numbers != plain]
        forms = self.target.formats or (plain,) * len(self.target.names)
        labels = self.target.labels or (None,) * len(self.target.names)
        targets = [
            name
            for name, form, label in zip(self.target.names, forms, labels, strict=True)
            if form != plain or (label is not None and label.values.dtype.kind == "O")
        ]
        return (*features, *targets)

    def encode(self, table: Any, doubts: list[str] | None = None) -> Any:
        """Encode the features of another table like those of the training table.

        Columns are found by name, in any order; further columns are ignored. Categories that were not
        seen in training become missing values.

        Parameters
        ----------
        table : DataFrame, SparseTable, sparse matrix, ndarray or nested list, shape (n_rows, n_columns)
            Without names, the columns must be those of the training table in its order.
        doubts : list of str, optional
            Gets a sentence for each column most of whose values are unknown; by default they are warnings.

        Returns
        -------
        ndarray of float64, CSR matrix, or DataFrame, shape (n_rows, n_encoded_columns)

        Raises
        ------
        UserError
            If columns are missing, or hold something else than in training.
        """
        from mpi_automl.data.encode import encode_frame, encode_sparse

        if self.sparse:
            names = [column.name for column in self.columns]
            return encode_sparse(self._sparse_table(table), names, self.generated)
        found: list[str] = []
        encoded = encode_frame(self._frame(table), self.columns, found if doubts is None else doubts)
        for doubt in found:
            warnings.warn(f"{doubt}.", UnknownValuesWarning, stacklevel=2)
        return encoded

    def encode_target(self, values: Any) -> NDArray[Any]:
        """Encode target values (Series, DataFrame, array or list) like those of the training table.

        Numbers are standardised (`TargetUnits`).

        Raises
        ------
        UserError
            If values are missing, or labels are not among the classes.
        """
        from mpi_automl.data.arrays import target_frame

        frame = target_frame(values, self.target.names)
        absent = [name for name in self.target.names if name not in set(frame.columns)]
        if absent:
            raise UserError(f"The table has no target column {listed(absent)}.")
        frame = frame[list(self.target.names)]
        if missing := int(frame.isna().any(axis=1).sum()):
            raise UserError(f"The target is missing in {missing} of {len(frame)} rows; leave these rows out.")
        return self.target.encode(frame)

    def decode(self, predictions: NDArray[Any]) -> NDArray[Any]:
        """Labels or values as they came, in the target's own dtype.

        Parameters
        ----------
        predictions : ndarray, shape (n_rows, n_outputs)
            Probabilities or standardised values.

        Returns
        -------
        ndarray, shape (n_rows,) or (n_rows, n_targets)
        """
        return self.target.decode(predictions)

    def restore(self, encoded: NDArray[Any]) -> NDArray[Any]:
        """Encoded targets or predictions with values in the units of the table; classes and labels as they are."""
        return self.target.restore(encoded)

    def to_json(self) -> str:
        """The schema as JSON."""
        mapping = {
            "version": _VERSION,
            "columns": [column.to_mapping() for column in self.columns],
            "source_columns": list(self.source_columns),
            "target": self.target.to_mapping(),
            "sparse": self.sparse,
            "generated": self.generated,
        }
        return json.dumps(mapping, ensure_ascii=True, allow_nan=True)

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """The schema that `to_json` wrote.

        Raises
        ------
        UserError
            If the text is not such a schema.
        """
        try:
            mapping = json.loads(text)
            if mapping["version"] != _VERSION:
                raise UserError(f"The schema has version {mapping['version']}; this release reads {_VERSION}.")
            return cls(
                tuple(Column.from_mapping(entry) for entry in mapping["columns"]),
                tuple(mapping["source_columns"]),
                Target.from_mapping(mapping["target"]),
                bool(mapping["sparse"]),
                bool(mapping["generated"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"The schema of the run cannot be read ({error}); its file is damaged.") from error

    def _frame(self, table: Any) -> Any:
        import pandas as pd

        from mpi_automl.data.arrays import as_pandas, as_table

        table = as_pandas(table)
        if not isinstance(table, (pd.DataFrame, SparseTable)):
            self._check_width(table)
        table = as_table(table, self.source_columns)
        if isinstance(table, SparseTable):
            table = pd.DataFrame(table.matrix.toarray(), columns=list(table.columns)).join(table.dense)
        return table

    def _sparse_table(self, table: Any) -> SparseTable:
        from scipy import sparse

        from mpi_automl.data.arrays import as_pandas, as_table

        if isinstance(table, SparseTable):
            return table
        table = as_pandas(table)
        if not hasattr(table, "columns"):
            self._check_width(table)
        table = as_table(table, self.source_columns)
        if isinstance(table, SparseTable):
            return table
        names = [column.name for column in self.columns if column.name in set(table.columns)]
        matrix = sparse.csr_matrix(table[names].to_numpy(dtype=float))
        return SparseTable(matrix, tuple(names), table[[]], generated=False)

    def _check_width(self, table: Any) -> None:
        width = table.shape[1] if len(getattr(table, "shape", ())) == 2 else len(table[0]) if len(table) else 0
        if width != len(self.source_columns):
            raise UserError(f"The table has {width} columns; the model was trained with {len(self.source_columns)}.")
