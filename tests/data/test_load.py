"""From files to tasks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mpi_automl.data.example import breast_cancer_task
from mpi_automl.data.load import load_task, make_task
from mpi_automl.errors import UserError
from mpi_automl.settings import Settings

N = 40
DIGEST = "a181aa2d0e96b2d421099a45ae5cf3fb"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    frame = pd.DataFrame(
        {
            "a": np.arange(N) * 0.5,
            "b": ["u", "v"] * (N // 2),
            "who": [f"p{i // 4}" for i in range(N)],
            "y": ["yes", "no", "no", "yes"] * (N // 4),
        }
    )
    frame.to_csv(tmp_path / "train.csv", index=False)
    frame[::2].to_csv(tmp_path / "test.csv", index=False)
    frame[::2].drop(columns="y").to_csv(tmp_path / "blind.csv", index=False)
    frame[5:15].to_parquet(tmp_path / "validation.parquet")
    return tmp_path


def settings(directory: Path, **options: object) -> Settings:
    files = {name: str(directory / str(options.pop(name))) for name in ("test", "validation") if name in options}
    return Settings(**{"table": str(directory / "train.csv"), "target": "y", **files, **options})


def test_test_table_with_and_without_answers(directory: Path) -> None:
    task = load_task(settings(directory, test="test.csv"))
    np.testing.assert_array_equal(task.X_test, task.X[::2])
    np.testing.assert_array_equal(task.y_test, task.y[::2])
    assert load_task(settings(directory, test="blind.csv")).y_test is None


def test_partly_missing_answers_are_said_and_not_scored(directory: Path) -> None:
    frame = pd.read_csv(directory / "test.csv")
    frame.loc[:2, "y"] = None
    frame.to_csv(directory / "test.csv", index=False)
    task = load_task(settings(directory, test="test.csv"))
    assert task.y_test is None and any("missing in 3 rows" in note for note in task.notes)


def test_validation_table_is_appended(directory: Path) -> None:
    task = load_task(settings(directory, validation="validation.parquet"))
    assert task.fixed_validation is not None
    np.testing.assert_array_equal(task.fixed_validation, np.arange(N, N + 10))
    np.testing.assert_array_equal(task.X[N:], task.X[5:15])
    np.testing.assert_array_equal(task.y[N:], task.y[5:15])


def test_groups_are_not_learned_from(directory: Path) -> None:
    task = load_task(settings(directory, groups="who"))
    assert "who" not in task.schema.column_names
    np.testing.assert_array_equal(task.groups, np.arange(N) // 4)


def test_overrides(directory: Path) -> None:
    task = load_task(settings(directory, categorical="a", text="who", drop="b"))
    assert {column.name: column.kind for column in task.schema.columns} == {"a": "categorical", "who": "text"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"target": "z"}, "--target: the table has no column 'z'; its columns are a, b, who, y"),
        ({"target": "whom"}, "did you mean 'who'"),
        ({"target": "y,y"}, "names a column twice"),
        ({"target": ()}, "Say --target COLUMN; the columns are a, b, who, y"),
        ({"drop": "c"}, "--drop: the table has no column 'c'"),
        ({"groups": "c"}, "--groups: the table has no column 'c'"),
        ({"drop": "a", "text": "a"}, "named by --text and by --drop"),
        ({"drop": "a,b,who"}, "No column is left to learn from"),
        ({"task": "regression"}, "must have numbers; row 1 has yes"),
        ({"table": None}, "No table is given"),
        ({"test": "nothing.csv"}, "There is no file"),
    ],
)
def test_mistakes_are_one_sentence(directory: Path, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load_task(settings(directory, **options))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,y\n", "has no rows"),
        ("", "is empty"),
        ("a,y\n,0\n,1\n,0\n", "No column is left"),
        ("a,y\n1,\n2,\n", "missing in all 2 rows"),
        ("a,y\n1,0\n2,0\n", "Target y is constant"),
    ],
)
def test_tables_without_anything_to_learn(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UserError, match=sentence):
        load_task(Settings(table=str(tmp_path / "t.csv"), target="y"))


def test_a_test_table_with_an_unknown_label_is_a_sentence(directory: Path) -> None:
    pd.read_csv(directory / "test.csv").assign(y="maybe").to_csv(directory / "test.csv", index=False)
    with pytest.raises(UserError, match="labels maybe, which are not in the training table"):
        load_task(settings(directory, test="test.csv"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"X": np.zeros((5, 2)), "y": np.arange(4) % 2}, "5 rows and the target 4"),
        ({"X": np.zeros(5), "y": np.arange(5) % 2}, "1 dimensions"),
        ({"X": [[1, 2], [3]], "y": [0, 1]}, "not rectangular"),
        ({"X": pd.DataFrame([[1, 2]], columns=["a", "a"]), "y": [1]}, "more than one column 'a'"),
        ({"X": np.eye(4), "y": [0, 1, 0, 1], "X_test": np.eye(3)}, "test table has 3 columns"),
        ({"X": np.eye(4), "y": [0, 1, 0, 1], "X_test": np.eye(4), "y_test": [1]}, "4 rows and its target 1"),
    ],
)
def test_arrays_that_do_not_fit(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        make_task(**arguments)


def test_the_built_in_example() -> None:
    task = breast_cancer_task()
    assert task.X.shape == (426, 30) and task.X_test.shape == (143, 30) and len(task.y_test) == 143
    assert list(task.schema.classes) == ["benign", "malignant"] and not task.notes


def test_the_digest_is_known() -> None:
    X = pd.DataFrame({"a": [1.5, np.nan, -0.0, 3], "b": ["u", "v", None, "u"]})
    assert make_task(X, [0, 1, 0, 1]).digest == DIGEST


def test_the_digest_tells_tables_apart() -> None:
    X, y = np.arange(12.0).reshape(6, 2), [0, 1, 0, 1, 0, 1]
    other = X.copy()
    other[5, 1] += 1e-9
    digests = {make_task(X, y).digest, make_task(other, y).digest, make_task(X, y[::-1]).digest}
    digests.add(make_task(pd.DataFrame(X, columns=["x0", "z"]), y).digest)
    assert len(digests) == 4
    assert make_task(-0.0 * X + X, y).digest == make_task(X, y).digest


def test_value_types_need_no_heavy_import() -> None:
    code = (
        "import sys, mpi_automl.data.task, mpi_automl.data.shared; "
        "assert not {'pandas', 'sklearn', 'scipy', 'numpy'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
