"""Every format gives the same table, and what cannot be read gives one sentence."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow
import pytest
from scipy import sparse
from sklearn.datasets import dump_svmlight_file

from mpi_automl.data.load import load_task
from mpi_automl.data.read import read_table
from mpi_automl.data.table import DEFAULT_TARGET, SparseTable
from mpi_automl.errors import UserError
from mpi_automl.settings import Settings
from mpi_automl.storage.table import READERS


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "size": rng.normal(size=60).round(3),
            "count": rng.integers(0, 9, 60),
            "colour": rng.choice(["red", "light blue", "it's"], 60),
            "flag": rng.choice([True, False], 60),
            "class": rng.choice(["yes", "no"], 60),
        }
    ).mask(rng.random((60, 5)) < [0.1, 0, 0.1, 0, 0])


def _zst(path: Path, text: bytes) -> None:
    with pyarrow.CompressedOutputStream(str(path), "zstd") as file:
        file.write(text)


WRITERS: dict[str, Callable[[Path, pd.DataFrame], object]] = {
    "t.csv": lambda path, frame: frame.to_csv(path, index=False),
    "index.csv": lambda path, frame: frame.to_csv(path),
    "semicolons.csv": lambda path, frame: frame.to_csv(path, index=False, sep=";", decimal=","),
    "bars.txt": lambda path, frame: frame.to_csv(path, index=False, sep="|"),
    "utf16.csv": lambda path, frame: frame.to_csv(path, index=False, encoding="utf-16"),
    "mark.csv": lambda path, frame: frame.to_csv(path, index=False, encoding="utf-8-sig"),
    "question.csv": lambda path, frame: frame.to_csv(path, index=False, na_rep="?"),
    "t.tsv": lambda path, frame: frame.to_csv(path, index=False, sep="\t"),
    "t.csv.gz": lambda path, frame: path.write_bytes(gzip.compress(frame.to_csv(index=False).encode())),
    "t.csv.bz2": lambda path, frame: path.write_bytes(bz2.compress(frame.to_csv(index=False).encode())),
    "t.csv.xz": lambda path, frame: path.write_bytes(lzma.compress(frame.to_csv(index=False).encode())),
    "t.csv.zst": lambda path, frame: _zst(path, frame.to_csv(index=False).encode()),
    "t.parquet": lambda path, frame: frame.to_parquet(path),
    "named_index.parquet": lambda path, frame: frame.set_index("size").to_parquet(path),
    "t.feather": lambda path, frame: frame.to_feather(path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_task(tmp_path: Path, frame: pd.DataFrame, name: str) -> None:
    frame.to_csv(tmp_path / "reference.csv", index=False)
    WRITERS[name](tmp_path / name, frame)
    reference, task = (
        load_task(Settings(table=str(tmp_path / file), target="class")) for file in ("reference.csv", name)
    )
    assert task.schema.column_names == ("size", "count", "colour", "flag")
    assert task.digest == reference.digest
    np.testing.assert_array_equal(task.X, reference.X)


def test_latin_1_is_read_where_it_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("größe,y\nübel,1\ngut,2\n".encode("latin-1"))
    assert read_table(tmp_path / "t.csv")["größe"].tolist() == ["übel", "gut"]


@pytest.mark.parametrize("name", ["t.csv", "t.arff"])
def test_signs_of_windows_are_what_they_are_in_unicode(tmp_path: Path, name: str) -> None:
    text = "x,y\n5 €,1\n“a”,2\n" if name == "t.csv" else "@relation t\n@attribute x string\n@data\n'5 €'\n'“a”'\n"
    (tmp_path / name).write_bytes(text.encode("cp1252"))
    assert read_table(tmp_path / name)["x"].tolist() == ["5 €", "“a”"]


def test_delimiters_in_quotes_do_not_mislead(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('"a;b;c;d",y\n"1;2",0\n"3;4",1\n')
    assert list(read_table(tmp_path / "t.csv").columns) == ["a;b;c;d", "y"]


def test_cells_beyond_the_header_are_an_error_not_a_loss(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,y\n1,2,3,4\n5,6,7,8\n")
    with pytest.raises(UserError, match=r"t\.csv cannot be read"):
        read_table(tmp_path / "t.csv")


def test_dense_arff(tmp_path: Path) -> None:
    (tmp_path / "t.arff").write_text(
        "% made by hand\n@RELATION r\n@ATTRIBUTE a NUMERIC\n@ATTRIBUTE 'b\\'s' {'x y', \"z\"}\n@attribute s string\n"
        "@attribute class {yes,no}\n@DATA\n1,'x y','it\\'s a, b',yes\n% between\n?,z,\"q\",no\n3.5,?,foo,no\n"
    )
    table = read_table(tmp_path / "t.arff")
    assert list(table.columns) == ["a", "b's", "s", "class"]
    np.testing.assert_array_equal(table["a"], [1, np.nan, 3.5])
    assert table["b's"].tolist()[:2] == ["x y", "z"] and pd.isna(table["b's"][2])
    assert table["s"].tolist() == ["it's a, b", "q", "foo"]


def test_dense_arff_without_quotes_takes_the_fast_way_to_the_same_table(tmp_path: Path) -> None:
    header = "@relation r\n@attribute a real\n@attribute b {x,y}\n@data\n"
    (tmp_path / "plain.arff").write_text(header + "1, x\n?, y\nnan,x\n")
    (tmp_path / "quoted.arff").write_text(header + "1, 'x'\n?, \"y\"\nnan,x\n")
    plain, quoted = read_table(tmp_path / "plain.arff"), read_table(tmp_path / "quoted.arff")
    np.testing.assert_array_equal(plain["a"], quoted["a"])
    assert plain["b"].tolist() == quoted["b"].tolist() == ["x", "y", "x"]


@pytest.mark.parametrize(
    "text",
    [
        "no header at all",
        "@relation r\n@data\n1,2\n",
        "@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n1,2,3\n",
        "@relation r\n@attribute a numeric\n@data\nabc\n",
        "@relation r\n@attribute a relational\n@data\n1\n",
        "@relation r\n@attribute a numeric\n@data\n{0 1}\n{7 1}\n",
        "@relation r\n@attribute a numeric\n@data\n{0 1}\n1\n",
    ],
)
def test_a_broken_arff_file_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.arff").write_text(text)
    with pytest.raises(UserError):
        read_table(tmp_path / "t.arff")


def test_sparse_arff_stays_sparse(tmp_path: Path) -> None:
    (tmp_path / "t.arff").write_text(
        "@relation r\n@attribute a numeric\n@attribute 'b c' real\n@attribute class {yes, no}\n@data\n"
        "{0 1.5, 2 no}\n{1 ?}\n{}\n{0 2,1 4, 2 'no'}\n"
    )
    table = read_table(tmp_path / "t.arff")
    assert isinstance(table, SparseTable) and table.columns == ("a", "b c")
    np.testing.assert_array_equal(table.matrix.toarray(), [[1.5, 0], [0, np.nan], [0, 0], [2, 4]])
    assert table.dense["class"].tolist() == ["no", "yes", "yes", "no"]
    task = load_task(Settings(table=str(tmp_path / "t.arff"), target="class"))
    assert task.profile.is_sparse and sparse.issparse(task.X)


def test_svmlight(tmp_path: Path) -> None:
    X = sparse.random(30, 12, 0.3, format="csr", random_state=0)
    y = np.arange(30) % 3
    dump_svmlight_file(X, y, str(tmp_path / "t.svm"), zero_based=False)
    task = load_task(Settings(table=str(tmp_path / "t.svm")))
    assert task.type.value == "multiclass" and task.schema.target_names == ("target",)
    assert task.schema.column_names == tuple(f"f{i}" for i in range(1, 13))
    np.testing.assert_allclose(task.X.toarray(), X.toarray())
    np.testing.assert_array_equal(task.schema.decode(np.eye(3)[task.y]), y)


def test_a_narrower_or_wider_svmlight_table_fits_the_schema(tmp_path: Path) -> None:
    (tmp_path / "train.svm").write_text("1 1:1 4:2\n0 2:1\n1 1:3\n0 4:1\n")
    (tmp_path / "narrow.svm").write_text("1 1:7\n0 2:5\n")
    (tmp_path / "wide.svm").write_text("1 1:7 9:1\n0 2:5\n")
    schema = load_task(Settings(table=str(tmp_path / "train.svm"))).schema
    for name in ("narrow.svm", "wide.svm"):
        np.testing.assert_array_equal(schema.encode(read_table(tmp_path / name)).toarray(), [[7, 0, 0], [0, 5, 0]])


def test_svmlight_with_several_labels_is_multilabel(tmp_path: Path) -> None:
    (tmp_path / "t.svm").write_text("1,3 1:0.5 4:2\n2 2:1\n1 1:3 # remark\n3,2 1:1 2:2\n 4:1\n")
    task = load_task(Settings(table=str(tmp_path / "t.svm")))
    assert task.type.value == "multilabel" and task.schema.target_names == ("label1", "label2", "label3")
    np.testing.assert_array_equal(task.y, [[1, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 0]])


def test_svmlight_query_ids_serve_as_groups(tmp_path: Path) -> None:
    (tmp_path / "t.svm").write_text("".join(f"{i % 2} qid:{i // 4} 1:{i + 1}\n" for i in range(20)))
    task = load_task(Settings(table=str(tmp_path / "t.svm"), groups="qid"))
    assert task.groups is not None
    np.testing.assert_array_equal(task.groups, np.arange(20) // 4)
    assert task.schema.column_names == ("f1",)


def test_npz(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(20, 3))
    np.savez(tmp_path / "t.npz", X=X, y=np.arange(20) % 2, columns=["a", "b", "c"])
    table = read_table(tmp_path / "t.npz")
    assert table.attrs[DEFAULT_TARGET] == ["y"]
    task = load_task(Settings(table=str(tmp_path / "t.npz")))
    assert task.schema.column_names == ("a", "b", "c")
    np.testing.assert_array_equal(task.X, X)


def test_npz_with_pickles_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", X=np.array([[{}]], dtype=object), y=[1])
    with pytest.raises(UserError, match="cannot be read"):
        read_table(tmp_path / "t.npz")


def test_sparse_npz_with_a_column_as_target(tmp_path: Path) -> None:
    matrix = sparse.random(40, 5, 0.6, format="csr", random_state=0)
    sparse.save_npz(tmp_path / "t.npz", matrix)
    task = load_task(Settings(table=str(tmp_path / "t.npz"), target="x3"))
    assert task.schema.column_names == ("x0", "x1", "x2", "x4")
    np.testing.assert_allclose(task.schema.restore(task.y), matrix[:, [3]].toarray().ravel())


def _csr_group(file: h5py.File, matrix: sparse.csr_matrix) -> None:
    for name in ("data", "indices", "indptr"):
        file[f"X/{name}"] = getattr(matrix, name)
    file["X"].attrs["shape"] = matrix.shape


def test_hdf5_layouts(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    y = np.array(["a", "b"] * 10, dtype=object)
    with h5py.File(tmp_path / "arrays.h5", "w") as file:
        file["X"], file["y"] = X, y
    with h5py.File(tmp_path / "columns.hdf5", "w") as file:
        file["group/x0"], file["group/x1"], file["group/y"] = X[:, 0], X[:, 1], y
    with h5py.File(tmp_path / "compound.h5", "w") as file:
        rows = [(*row, label) for row, label in zip(X, y, strict=True)]
        file["table"] = np.array(rows, dtype=[("x0", float), ("x1", float), ("y", "S1")])
    with h5py.File(tmp_path / "sparse.h5", "w") as file:
        _csr_group(file, sparse.csr_matrix(X))
        file["y"] = y
    for path in sorted(tmp_path.iterdir()):
        task = load_task(Settings(table=str(path), target="y"), readers=READERS)
        np.testing.assert_array_equal(task.X.toarray() if task.profile.is_sparse else task.X, X)
        assert task.profile.is_sparse == (path.name == "sparse.h5")
        assert list(task.schema.classes) == ["a", "b"]


def test_hdf5_with_a_broken_sparse_matrix_is_a_sentence(tmp_path: Path) -> None:
    matrix = sparse.csr_matrix(np.eye(4))
    matrix.indices = matrix.indices + 99
    with h5py.File(tmp_path / "t.h5", "w") as file:
        _csr_group(file, matrix)
        file["y"] = np.arange(4)
    with pytest.raises(UserError, match="cannot be read"):
        read_table(tmp_path / "t.h5", readers=READERS)


def test_hdf5_of_pandas_and_of_anything_else_is_a_sentence(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "pandas.h5", "w") as file:
        file["frame/axis0"] = [1, 2]
        file["frame/block0_values"] = [[1, 2]]
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["a"], file["b"] = np.arange(3), np.arange(4)
    for name, sentence in (("pandas.h5", "to_parquet"), ("other.h5", "no table that is understood")):
        with pytest.raises(UserError, match=sentence):
            read_table(tmp_path / name, readers=READERS)


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "training.csv").write_text("a,y\n1,2\n")
    with pytest.raises(UserError, match=r"There is no file .*trainig\.csv; did you mean .*training\.csv\?"):
        read_table(tmp_path / "trainig.csv")
    with pytest.raises(UserError, match="is a directory"):
        (tmp_path / "d.csv").mkdir()
        read_table(tmp_path / "d.csv")


def test_an_unknown_format_suggests_a_known_one(tmp_path: Path) -> None:
    (tmp_path / "t.parket").touch()
    with pytest.raises(UserError, match=r"\.parket is not known; did you mean \.parquet\?"):
        read_table(tmp_path / "t.parket")


def test_a_truncated_file_is_a_sentence(tmp_path: Path, frame: pd.DataFrame) -> None:
    for name in ("t.csv.gz", "t.csv.bz2", "t.csv.xz", "t.csv.zst", "t.parquet", "t.feather"):
        path = tmp_path / name
        WRITERS[name](path, frame)
        path.write_bytes(path.read_bytes()[:-40])
        with pytest.raises(UserError, match="cannot be read"):
            read_table(path)
