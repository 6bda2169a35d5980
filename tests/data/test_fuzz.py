"""Whatever a file or a table holds, the outcome is a task or one clear sentence."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpi_automl.data.load import load_task, make_task
from mpi_automl.data.prepare import Task
from mpi_automl.data.read import read_table
from mpi_automl.data.resampling import make_resampling
from mpi_automl.data.schema import Schema
from mpi_automl.data.task import ColumnKind, TaskType
from mpi_automl.errors import UserError
from mpi_automl.settings import Settings
from mpi_automl.storage.table import READERS

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".csv.bz2", ".csv.xz", ".csv.zst", ".parquet", ".feather", ".arff", ".svm",
            ".svm.gz", ".npz", ".h5")  # fmt: skip

quick = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])

numbers = st.one_of(st.integers(), st.floats(), st.booleans(), st.none())
cells = st.one_of(
    numbers,
    st.text(max_size=12),
    st.sampled_from(["a", "b", "?", "NA", "2024-02-30", "2024-01-02", "1,5", "inf", "True", "", " ", "\x00", "\ud800"]),
    st.dates().map(pd.Timestamp),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.binary(max_size=3),
    st.lists(st.integers(), max_size=2),
)


def columns_of(n_rows: int) -> st.SearchStrategy[list[object]]:
    one_kind = st.one_of(
        st.lists(st.floats(), min_size=n_rows, max_size=n_rows),
        st.lists(st.integers(-5, 5), min_size=n_rows, max_size=n_rows),
        st.lists(st.integers(), min_size=n_rows, max_size=n_rows),
        st.lists(st.sampled_from(["x", "y", "z"]), min_size=n_rows, max_size=n_rows),
        st.lists(st.text(max_size=30), min_size=n_rows, max_size=n_rows),
        st.lists(st.datetimes(), min_size=n_rows, max_size=n_rows),
        st.lists(st.one_of(st.booleans(), st.none()), min_size=n_rows, max_size=n_rows),
    )
    return st.one_of(one_kind, st.lists(cells, min_size=n_rows, max_size=n_rows))


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    n_rows = draw(st.integers(1, 30))
    columns = draw(st.lists(columns_of(n_rows), min_size=1, max_size=4))
    names = draw(st.lists(st.text(max_size=4), min_size=len(columns), max_size=len(columns), unique=True))
    return pd.DataFrame({name: _series(column) for name, column in zip(names, columns, strict=True)})


def _series(column: list[object]) -> pd.Series:
    try:
        return pd.Series(column)
    except (OverflowError, ValueError, TypeError):
        return pd.Series(column, dtype=object)


def check_task(task: Task) -> None:
    profile = task.profile
    matrix = task.X.toarray() if hasattr(task.X, "toarray") else task.X
    assert matrix.shape == (profile.n_rows, profile.n_columns) and len(task.y) == profile.n_rows
    for position, (kind, cardinality) in enumerate(zip(profile.kinds, profile.cardinalities, strict=True)):
        column = matrix.iloc[:, position] if isinstance(matrix, pd.DataFrame) else matrix[:, position]
        if kind is ColumnKind.TEXT:
            assert all(isinstance(text, str) for text in column)
            continue
        values = np.asarray(column, dtype=np.float64)
        assert not np.isinf(values).any()
        if kind is ColumnKind.CATEGORICAL:
            known = values[~np.isnan(values)]
            assert np.all((known >= 0) & (known < cardinality) & (known == np.floor(known)))
    assert not np.isnan(task.y.astype(np.float64)).any()
    if task.type in (TaskType.BINARY, TaskType.MULTICLASS):
        assert set(np.unique(task.y)) == set(range(profile.n_outputs))


@quick
@given(st.sampled_from(SUFFIXES), st.binary(max_size=300))
def test_random_bytes_are_a_table_or_a_sentence(suffix: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"table{suffix}"
        path.write_bytes(content)
        try:
            assert len(read_table(path, readers=READERS)) > 0
        except UserError as error:
            assert str(path) in str(error) or "column" in str(error)


@quick
@given(st.sampled_from((".csv", ".tsv", ".arff", ".svm")), st.data())
def test_nearly_right_texts_are_a_task_or_a_sentence(suffix: str, data: st.DataObject) -> None:
    starts = {
        ".csv": "a,b,y\n1,x,0\n2,y,1\n3,x,1\n",
        ".tsv": "a\tb\ty\n1\tx\t0\n2\ty\t1\n",
        ".arff": "@relation r\n@attribute a numeric\n@attribute b {x,'y z'}\n@attribute y {0,1}\n@data\n"
        "1,x,0\n2,'y z',1\n",
        ".svm": "1 1:0.5 3:2\n0 2:1\n1 1:1 # c\n",
    }
    text = starts[suffix]
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 4))
        text = (
            text[:place]
            + data.draw(st.text(alphabet="\"'\\,;:{}@?%\n\t 01axy.-é\x00", max_size=5))
            + text[place + cut :]
        )
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"table{suffix}"
        path.write_text(text, encoding="utf-8", newline="")
        target = () if suffix == ".svm" else ("y",)
        try:
            check_task(load_task(Settings(table=str(path), target=target)))
        except UserError as error:
            assert str(error)


@pytest.mark.slow
@settings(quick, max_examples=120)
@given(frames(), columns_of(30), st.sampled_from(["auto", "multiclass", "regression", "binary"]))
def test_any_frame_is_a_task_or_a_sentence(frame: pd.DataFrame, target: list[object], kind: str) -> None:
    y = _series(target[: len(frame)])
    chosen = Settings(task=kind, drop_missing_targets=True)
    try:
        task = make_task(frame, y, settings=chosen)
    except UserError as error:
        assert str(error)
        return
    check_task(task)
    schema = Schema.from_json(task.schema.to_json())
    again = schema.encode(frame.loc[y.notna(), list(frame.columns)[::-1]])
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(task.X))
    try:
        resampling = make_resampling(task, chosen)
    except UserError:
        return
    for fold in resampling.folds:
        assert not np.intersect1d(fold.train, fold.validation).size
        if task.type.is_classification:
            assert set(np.unique(task.y[fold.train])) == set(np.unique(task.y))


@pytest.mark.slow
@settings(quick, max_examples=60)
@given(frames(), st.data())
def test_a_schema_takes_any_other_table_or_says_why_not(frame: pd.DataFrame, data: st.DataObject) -> None:
    try:
        task = make_task(frame, np.arange(len(frame)) % 2)
    except UserError:
        return
    other = pd.DataFrame({name: _series(data.draw(columns_of(5))) for name in frame.columns})
    try:
        encoded = task.schema.encode(other)
    except UserError as error:
        assert "must have" in str(error) or "dates" in str(error)
        return
    assert encoded.shape == (5, task.profile.n_columns)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_file_is_a_sentence(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table{suffix}"
    path.touch()
    with pytest.raises(UserError):
        read_table(path, readers=READERS)
