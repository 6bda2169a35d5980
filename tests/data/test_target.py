"""Kinds of targets, and labels that come back as they came."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from mpi_automl.data.load import make_task
from mpi_automl.data.prepare import Task
from mpi_automl.data.schema import Schema
from mpi_automl.data.task import TaskType
from mpi_automl.errors import UserError
from mpi_automl.settings import Settings

N = 60
X = np.random.default_rng(0).normal(size=(N, 3))
cycle = np.arange(N)

LABELS = {
    "strings": np.array(["b", "a", "c"], dtype=object)[cycle % 3],
    "integers": np.array([7, -2, 30])[cycle % 3],
    "small integers": np.array([7, -2, 30], dtype=np.int8)[cycle % 3],
    "floats": np.array([0.5, 1.5])[cycle % 2],
    "booleans": cycle % 2 == 0,
    "dates": np.array(["2020-01-01", "2021-06-07"], dtype="datetime64[ns]")[cycle % 2],
    "mixed": np.array([1, "one", 2.5], dtype=object)[cycle % 3],
    "nullable integers": pd.Series(pd.array([5, 6] * (N // 2), dtype="Int64")),
    "categories": pd.Series(["u", "v"] * (N // 2), dtype="category"),
    "numbered categories": pd.Series([3, 4] * (N // 2), dtype="category"),
    "strings of pandas": pd.Series(["u", "v"] * (N // 2), dtype="string"),
    "list": ["u", "v"] * (N // 2),
}


def one_hot(task: Task) -> np.ndarray:
    return np.eye(task.profile.n_outputs, dtype=np.float32)[task.y]


@pytest.mark.parametrize("name", LABELS)
def test_labels_come_back_as_they_came(name: str) -> None:
    labels = LABELS[name]
    task = make_task(X, labels)
    schema = Schema.from_json(task.schema.to_json())
    decoded = schema.decode(one_hot(task))
    assert decoded.tolist() == list(np.asarray(labels).tolist())
    assert [type(value) for value in decoded.tolist()] == [type(value) for value in np.asarray(labels).tolist()]
    if isinstance(labels, np.ndarray):
        assert decoded.dtype == labels.dtype
    np.testing.assert_array_equal(schema.encode_target(labels), task.y)
    json.loads(task.schema.to_json())


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (cycle % 2, TaskType.BINARY),
        (np.where(cycle % 2, 3.7, 9.1), TaskType.BINARY),
        (cycle % 5, TaskType.MULTICLASS),
        ((cycle % 5).astype(float), TaskType.MULTICLASS),
        (cycle % 30, TaskType.REGRESSION),
        (cycle % 5 + 0.25, TaskType.REGRESSION),
        ([f"{i}.5" for i in range(N)], TaskType.REGRESSION),
        ([f"c{i % 25}" for i in range(N)], TaskType.MULTICLASS),
        (np.column_stack([cycle % 2, cycle % 3 == 0]), TaskType.MULTILABEL),
        (np.column_stack([cycle % 2, cycle * 0.1]), TaskType.MULTIOUTPUT),
        (pd.DataFrame({"u": ["yes", "no"] * (N // 2), "v": cycle % 3 == 0}), TaskType.MULTILABEL),
    ],
)
def test_kind_of_target(y: object, kind: TaskType) -> None:
    task = make_task(X, y)
    assert task.type is kind and task.schema.task_type is kind
    assert task.y.dtype == (np.int64 if kind.is_classification else np.float64)


def test_whole_numbers_as_classes_are_said() -> None:
    assert any("--task regression" in note for note in make_task(X, cycle % 5).notes)
    assert make_task(X, cycle % 5, settings=Settings(task="regression")).type is TaskType.REGRESSION


def test_two_classes_are_binary_also_when_multiclass_was_asked_for() -> None:
    task = make_task(X, cycle % 2, settings=Settings(task="multiclass"))
    assert task.type is TaskType.BINARY and task.profile.n_outputs == 2


def test_many_whole_numbers_are_classes_when_asked_for() -> None:
    assert make_task(X, cycle % 30, settings=Settings(task="multiclass")).profile.n_outputs == 30


def test_multilabel_round_trip() -> None:
    y = pd.DataFrame({"u": ["yes", "no"] * (N // 2), "v": ["no", "no", "yes"] * (N // 3)})
    task = make_task(X, y)
    assert task.schema.classes is None and task.schema.target_names == ("u", "v")
    np.testing.assert_array_equal(task.schema.decode(task.y.astype(np.float32)), y.to_numpy(object))
    np.testing.assert_array_equal(task.schema.encode_target(y[["v", "u"]]), task.y)


def test_multioutput_round_trip() -> None:
    y = np.column_stack([cycle * 0.1, cycle * 3 % 47])
    task = make_task(X, y)
    np.testing.assert_array_equal(task.schema.decode(task.y.astype(np.float32)), y.astype(np.float32))


def test_regression_gives_one_value_for_each_row() -> None:
    task = make_task(X, cycle * 0.5)
    decoded = task.schema.decode(task.y.reshape(-1, 1))
    assert decoded.shape == (N,) and decoded.dtype == np.float64


def test_a_label_that_was_not_in_training_is_named() -> None:
    task = make_task(X, cycle % 3)
    with pytest.raises(UserError, match=r"labels 9, which are not in the training table \(0, 1, 2\)"):
        task.schema.encode_target([0, 1, 9])


def test_labels_are_recognised_in_another_dtype() -> None:
    task = make_task(X, cycle % 3)
    np.testing.assert_array_equal(task.schema.encode_target(["2", "0"]), [2, 0])
    np.testing.assert_array_equal(task.schema.encode_target([2.0, 0.0]), [2, 0])


@pytest.mark.parametrize(
    ("y", "task", "sentence"),
    [
        (np.ones(N), "auto", "Target target is constant"),
        (np.column_stack([cycle % 2, np.ones(N)]), "auto", "Target target1 is constant"),
        (["x", "y", "z"] * (N // 3), "regression", "must have numbers; row 1 has x"),
        (["1.5", "abc"] * (N // 2), "regression", "must have numbers; row 2 has abc"),
        (np.where(cycle == 4, np.inf, cycle), "regression", "must have numbers; row 5 has inf"),
        (cycle % 3, "binary", "needs two classes; target target has 3"),
        (cycle % 2, "multilabel", "needs several target columns"),
        (np.column_stack([cycle % 2, cycle % 3]), "binary", "needs one target column"),
        (np.column_stack([cycle % 2, cycle % 3]), "multilabel", "target1 has 3"),
        ([f"r{i}" for i in range(N)], "auto", "a different label in each of 60 rows"),
        (pd.Series([[1], [2]] * (N // 2)), "auto", "has lists"),
        (np.zeros((N, 2, 2)), "auto", "shape"),
    ],
)
def test_unfit_targets_are_one_sentence(y: object, task: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        make_task(X, y, settings=Settings(task=task))
    assert "\n" not in str(caught.value)


def test_missing_targets_are_counted_and_can_be_left_out() -> None:
    y = np.where(cycle < 7, np.nan, cycle % 2)
    with pytest.raises(UserError, match="missing in 7 of 60 rows; --drop-missing-targets"):
        make_task(X, y)
    task = make_task(X, y, settings=Settings(drop_missing_targets=True))
    np.testing.assert_array_equal(task.X, X[7:])
    assert any("7 of 60 rows are left out" in note for note in task.notes)
    with pytest.raises(UserError, match="missing in all 60 rows"):
        make_task(X, np.full(N, np.nan), settings=Settings(drop_missing_targets=True))
