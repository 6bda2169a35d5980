"""Encoding tables that are not quite like the training table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from mpi_automl.data.load import make_task
from mpi_automl.data.prepare import Task
from mpi_automl.data.schema import Schema
from mpi_automl.data.task import ColumnKind
from mpi_automl.errors import UnknownValuesWarning, UserError

N = 90
rng = np.random.default_rng(0)


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": np.linspace(0, 1, N),
            "category": ["red", "green", "blue"] * (N // 3),
            "size": pd.Categorical([1, 2, 10] * (N // 3)),
            "flag": [True, False, True] * (N // 3),
            "text": [f"some words about row {i}" for i in range(N)],
            "day": pd.date_range("2020-01-01", periods=N).strftime("%d.%m.%Y"),
            "constant": 1,
        }
    )


@pytest.fixture(scope="module")
def task() -> Task:
    return make_task(table(), np.arange(N) % 2)


@pytest.fixture
def schema(task: Task) -> Schema:
    return Schema.from_json(task.schema.to_json())


def test_the_encoded_table(task: Task) -> None:
    assert isinstance(task.X, pd.DataFrame)
    assert task.schema.column_names[:5] == ("number", "category", "size", "flag", "text")
    assert task.profile.positions(ColumnKind.CATEGORICAL) == (1, 2, 3)
    assert task.profile.positions(ColumnKind.TEXT) == (4,)
    assert task.profile.cardinalities[:5] == (0, 3, 3, 2, 0)
    assert task.X["category"].tolist()[:3] == [2.0, 1.0, 0.0]
    assert task.X["size"].tolist()[:3] == [0.0, 1.0, 2.0]
    assert any("constant" in note for note in task.notes)


def test_json_loses_nothing(task: Task, schema: Schema) -> None:
    assert schema.columns == task.schema.columns
    assert schema.source_columns == task.schema.source_columns
    assert schema.to_json() == task.schema.to_json()
    pd.testing.assert_frame_equal(schema.encode(table()), task.X)


def test_columns_go_by_name(task: Task, schema: Schema) -> None:
    other = table().iloc[:, ::-1].assign(more=5).drop(columns="constant")
    pd.testing.assert_frame_equal(schema.encode(other), task.X)


def test_missing_columns_are_named(schema: Schema) -> None:
    with pytest.raises(UserError, match="no column number, which the model was trained with"):
        schema.encode(table().drop(columns="number"))
    with pytest.raises(UserError, match="no 2 columns category, flag"):
        schema.encode(table().drop(columns=["flag", "category"]))


def test_new_categories_are_missing_values(schema: Schema) -> None:
    other = table().assign(category="violet", size="11", flag="perhaps")
    with pytest.warns(UnknownValuesWarning, match="column flag"):
        encoded = schema.encode(other)
    assert encoded[["category", "size", "flag"]].isna().all(axis=None)


def test_other_dtypes_are_understood(task: Task, schema: Schema) -> None:
    other = table()
    other["number"] = other["number"].map(repr)
    other["category"] = other["category"].astype("category")
    other["size"] = other["size"].astype(float)
    other["flag"] = other["flag"].astype(int)
    other["day"] = pd.to_datetime(other["day"], format="%d.%m.%Y")
    pd.testing.assert_frame_equal(schema.encode(other), task.X)
    other["flag"] = other["flag"].map({1: "yes", 0: "no"})
    pd.testing.assert_frame_equal(schema.encode(other), task.X)


def test_missing_values_are_fine_everywhere(schema: Schema) -> None:
    encoded = schema.encode(table().assign(**dict.fromkeys(table().columns)))
    assert encoded.drop(columns="text").isna().all(axis=None)
    assert (encoded["text"] == "").all()


def test_words_where_numbers_or_dates_must_be(schema: Schema) -> None:
    with pytest.raises(UserError, match="Column number must have numbers as in the training table; row 1 has 'abc'"):
        schema.encode(table().assign(number="abc"))
    with pytest.raises(UserError, match="Column day must have dates as in the training table; row 1 has 'soon'"):
        schema.encode(table().assign(day="soon"))
    with pytest.raises(UserError, match="Column number has dates"):
        schema.encode(table().assign(number=pd.Timestamp("2020-01-01")))


def test_arrays_go_by_position() -> None:
    X = np.c_[rng.normal(size=(N, 2)), np.ones(N)]
    task = make_task(X, np.arange(N) % 2)
    np.testing.assert_array_equal(task.schema.encode(X), X[:, :2])
    np.testing.assert_array_equal(task.schema.encode(X.tolist()), X[:, :2])
    with pytest.raises(UserError, match="2 columns; the model was trained with 3"):
        task.schema.encode(X[:, :2])
    assert task.X.flags.c_contiguous and task.X.dtype == np.float64


def test_a_sparse_model_takes_sparse_and_dense_tables() -> None:
    X = sparse.random(N, 6, 0.3, format="csr", random_state=0)
    task = make_task(X, np.arange(N) % 2)
    for other in (X, X.tocsc(), X.toarray(), pd.DataFrame(X.toarray(), columns=[f"x{i}" for i in range(6)])):
        encoded = task.schema.encode(other)
        assert sparse.issparse(encoded) and encoded.format == "csr" and encoded.has_sorted_indices
        np.testing.assert_array_equal(encoded.toarray(), X.toarray())


def test_a_dense_model_takes_a_sparse_table() -> None:
    X = rng.integers(0, 3, (N, 4)).astype(float)
    task = make_task(X, np.arange(N) % 2)
    np.testing.assert_array_equal(task.schema.encode(sparse.csr_matrix(X)), X)


def test_frames_of_sparse_columns() -> None:
    X = sparse.random(N, 5, 0.3, format="csr", random_state=0)
    wholly = pd.DataFrame.sparse.from_spmatrix(X, columns=list("abcde"))
    partly = wholly.assign(f=rng.normal(size=N))
    assert make_task(wholly, np.arange(N) % 2).profile.is_sparse
    task = make_task(partly, np.arange(N) % 2)
    np.testing.assert_array_equal(task.X[:, :5], X.toarray())


def test_a_damaged_schema_is_a_sentence(schema: Schema) -> None:
    for text in ("", "[]", "{}", schema.to_json()[:-20], schema.to_json().replace('"version": 1', '"version": 9')):
        with pytest.raises(UserError, match="schema"):
            Schema.from_json(text)
