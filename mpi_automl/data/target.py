"""The target: which kind it is, codes for its labels, and the way back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mpi_automl.data.labels import Labels
from mpi_automl.data.numbers import NumberFormat, number_format
from mpi_automl.data.table import listed
from mpi_automl.data.task import TaskType, decide
from mpi_automl.data.units import TargetUnits
from mpi_automl.data.values import Storage, as_floats, as_strings, storage_of
from mpi_automl.errors import UserError

MOST_INTEGER_CLASSES = 20
"""Whole numbers with more different values than this are values, not classes."""
_CLASSES = "target {} has {} different whole numbers, taken as classes; --task regression takes them as values"


@dataclass(frozen=True, eq=False)
class Target:
    """How the target columns are encoded.

    Attributes
    ----------
    names : tuple of str
    type : TaskType
    labels : tuple of Labels
        Of the class column, or one for each label column; empty for regression.
    formats : tuple of NumberFormat
        How numbers are written where they come as strings, one for each column; empty if they have no marks.
    units : TargetUnits or None
        In which values are learned; None for classes and labels.
    """

    names: tuple[str, ...]
    type: TaskType
    labels: tuple[Labels, ...] = ()
    formats: tuple[NumberFormat, ...] = ()
    units: TargetUnits | None = None

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        if self.type in (TaskType.BINARY, TaskType.MULTICLASS):
            return len(self.labels[0].values)
        return len(self.names)

    def encode(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Codes (int64) or standardised values (float64), 1-D for a single column, of a frame without gaps."""
        if self.labels:
            pairs = zip(self.names, self.labels, strict=True)
            columns: list[NDArray[Any]] = [labels.encode(name, frame[name]) for name, labels in pairs]
        else:
            forms = self.formats or (NumberFormat(),) * len(self.names)
            columns = [_values(name, frame[name], form) for name, form in zip(self.names, forms, strict=True)]
        several = self.type in (TaskType.MULTILABEL, TaskType.MULTIOUTPUT)
        encoded = np.column_stack(columns) if several else columns[0]
        return encoded if self.units is None else self.units.standardise(encoded)

    def restore(self, encoded: NDArray[Any]) -> NDArray[Any]:
        """Values in the units of the table, float64, of encoded or predicted ones; anything else as it is."""
        return encoded if self.units is None else self.units.restore(encoded)

    def decode(self, predictions: NDArray[Any]) -> NDArray[Any]:
        """Labels or values as they came, from predictions of shape (n_rows, n_outputs)."""
        decided = decide(np.asarray(predictions), self.type)
        if not self.labels:
            return self.restore(decided.astype(np.float64))
        if self.type is not TaskType.MULTILABEL:
            labels: NDArray[Any] = self.labels[0].values[decided]
            return labels
        columns = [labels.values[codes] for labels, codes in zip(self.labels, decided.T, strict=True)]
        dtypes = {column.dtype for column in columns}
        return np.column_stack(columns if len(dtypes) == 1 else [column.astype(object) for column in columns])

    def to_mapping(self) -> dict[str, Any]:
        """The target as JSON can hold it."""
        labels = [labels.to_mapping() for labels in self.labels]
        formats = [[form.decimal, form.thousands, form.unit] for form in self.formats]
        units = None if self.units is None else asdict(self.units)
        return {
            "names": list(self.names),
            "type": self.type.value,
            "labels": labels,
            "formats": formats,
            "units": units,
        }

    @classmethod
    def from_mapping(cls, mapping: dict[str, Any]) -> Target:
        """The target that `to_mapping` described."""
        labels = tuple(Labels.from_mapping(entry) for entry in mapping["labels"])
        formats = tuple(NumberFormat(*entry) for entry in mapping.get("formats", ()))
        stored = mapping["units"]
        units = None if stored is None else TargetUnits(**{name: tuple(values) for name, values in stored.items()})
        return cls(tuple(mapping["names"]), TaskType(mapping["type"]), labels, formats, units)


def infer_target(frame: pd.DataFrame, task: str) -> tuple[Target, str]:
    """Decide what the target columns are.

    Parameters
    ----------
    frame : DataFrame
        The target columns, without missing values.
    task : str
        A task type, or ``auto``.

    Returns
    -------
    target : Target
    note : str
        A doubt a person should know of, or nothing.

    Raises
    ------
    UserError
        If a column is constant, or not what `task` says.
    """
    names = tuple(frame.columns)
    frame = _without_outer_blanks(frame)
    for name in names:
        if not len(frame) or _n_distinct(name, frame[name]) < 2:
            raise UserError(
                f"Target {name} is constant ({frame[name].iloc[0]!s} in every row): nothing can be learned."
            )
    guessed, note = _guess(frame)
    kind = TaskType(task) if task != "auto" else guessed
    target = _many(frame, kind) if len(names) > 1 else _single(frame, kind)
    if not kind.is_classification:
        target = replace(target, units=TargetUnits.of(target.encode(frame)))
    marked = [form for form in target.formats if form != NumberFormat()]
    if marked:
        note = f"target {listed(names)} is read as numbers: {_example(frame[names[0]], target.formats[0])}"
    return target, note if task == "auto" or marked else ""


def _example(column: pd.Series, form: NumberFormat) -> str:
    texts = as_strings(column).iloc[:1]
    return f"{texts.iloc[0]!r} is {form.parse(texts)[0]:.15g}"


def _without_outer_blanks(frame: pd.DataFrame) -> pd.DataFrame:
    """The same columns, with ``yes`` and ``yes `` as one label."""
    stripped = {}
    for name in frame:
        column = frame[name]
        if storage_of(column) in (Storage.STRINGS, Storage.CATEGORIES):
            plain = column.astype(object).map(lambda value: value.strip() if isinstance(value, str) else value)
            if not plain.equals(column.astype(object)):
                stripped[name] = plain
    return frame.assign(**stripped) if stripped else frame


def _n_distinct(name: str, column: pd.Series) -> int:
    try:
        return len(pd.unique(column.astype(object)))
    except TypeError:
        raise UserError(f"Target {name} has lists or the like in its rows; it must have one value in each.") from None


def _guess(frame: pd.DataFrame) -> tuple[TaskType, str]:
    columns = [frame[name] for name in frame]
    if len(columns) > 1:
        if all(_n_distinct(str(column.name), column) == 2 for column in columns):
            return TaskType.MULTILABEL, ""
        return TaskType.MULTIOUTPUT, ""
    (column,), name = columns, frame.columns[0]
    distinct = _n_distinct(name, column)
    if distinct == 2:
        return TaskType.BINARY, ""
    if storage_of(column) is Storage.NUMBERS:
        floats = as_floats(column)
        if distinct > MOST_INTEGER_CLASSES or not np.all(floats == np.floor(floats)) or distinct == len(column):
            return TaskType.REGRESSION, ""
        return TaskType.MULTICLASS, _CLASSES.format(name, distinct)
    if storage_of(column) is Storage.STRINGS and distinct > MOST_INTEGER_CLASSES and _format(column):
        return TaskType.REGRESSION, ""
    return TaskType.MULTICLASS, ""


def _single(frame: pd.DataFrame, kind: TaskType) -> Target:
    name = frame.columns[0]
    if kind is TaskType.REGRESSION:
        return Target((name,), kind, formats=_formats(frame))
    if kind in (TaskType.MULTILABEL, TaskType.MULTIOUTPUT):
        raise UserError(f"--task {kind.value} needs several target columns; --target names only {name}.")
    labels = Labels.of(name, frame[name])
    if kind is TaskType.BINARY and len(labels.values) != 2:
        raise UserError(f"--task binary needs two classes; target {name} has {len(labels.values)}.")
    if len(labels.values) == len(frame):
        raise UserError(f"Target {name} has a different label in each of {len(frame)} rows: nothing can be learned.")
    return Target((name,), TaskType.BINARY if len(labels.values) == 2 else TaskType.MULTICLASS, (labels,))


def _many(frame: pd.DataFrame, kind: TaskType) -> Target:
    names = tuple(frame.columns)
    if kind is TaskType.MULTIOUTPUT:
        return Target(names, kind, formats=_formats(frame))
    if kind is not TaskType.MULTILABEL:
        raise UserError(f"--task {kind.value} needs one target column; --target names {listed(names)}.")
    labels = tuple(Labels.of(name, frame[name]) for name in names)
    for name, known in zip(names, labels, strict=True):
        if len(known.values) != 2:
            raise UserError(f"--task multilabel needs two values in each target; {name} has {len(known.values)}.")
    return Target(names, kind, labels)


def _format(column: pd.Series) -> NumberFormat | None:
    """The format of a column of strings that all are numbers."""
    texts = as_strings(column)
    if not np.isnan(NumberFormat().parse(texts)).any():
        return NumberFormat()
    found = number_format(pd.Series(pd.unique(texts.dropna()), dtype=object))
    return found[0] if found is not None and not found[1] else None


def _formats(frame: pd.DataFrame) -> tuple[NumberFormat, ...]:
    """Formats of the columns of values, empty if all are plain."""
    forms = []
    for name in frame:
        strings = storage_of(frame[name]) in (Storage.STRINGS, Storage.CATEGORIES)
        form = (_format(frame[name]) if strings else None) or NumberFormat()
        _values(str(name), frame[name], form)
        forms.append(form)
    return tuple(forms) if any(form != NumberFormat() for form in forms) else ()


def _values(name: str, column: pd.Series, form: NumberFormat) -> NDArray[np.float64]:
    if storage_of(column) in (Storage.NUMBERS, Storage.BOOLEANS, Storage.DURATIONS):
        floats = as_floats(column, largest=np.inf)
    else:
        floats = form.parse(as_strings(column), largest=np.inf)
    odd = np.flatnonzero(~np.isfinite(floats))
    if len(odd):
        raise UserError(
            f"Target {name} must have numbers; row {odd[0] + 1} has {column.iloc[odd[0]]!s}. "
            "Check --target, or ask for classes with --task multiclass."
        )
    return floats
