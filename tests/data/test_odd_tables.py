"""Right answers on tables as people have them: marks in numbers, row indices, other dtypes, names with commas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mpi_automl.data.load import load_task, make_task
from mpi_automl.data.read import read_table
from mpi_automl.data.schema import Schema
from mpi_automl.data.task import TaskType
from mpi_automl.errors import LeftOutWarning, UnknownValuesWarning, UserError
from mpi_automl.settings import Settings

N = 120
rng = np.random.default_rng(0)
y = np.arange(N) % 2


def schema_of(X: object, target: object = y) -> Schema:
    return Schema.from_json(make_task(X, target).schema.to_json())


def plants() -> pd.DataFrame:
    codes = [f"00{i}" if i < 9 else "00X" for i in rng.integers(0, 10, N)]
    flags = rng.choice(["TRUE", "FALSE", "UNKNOWN"], N)
    sizes = [f"{i}.50" if i < 8 else "1E5" for i in rng.integers(0, 9, N)]
    return pd.DataFrame({"plant": codes, "flag": flags, "size": sizes, "x": rng.normal(size=N), "y": y})


def train_file(directory: Path, frame: pd.DataFrame) -> Path:
    path = directory / "train.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("kind", ["test", "validation", "predict"])
def test_a_later_file_is_read_as_the_training_file(tmp_path: Path, kind: str) -> None:
    frame = plants()
    frame["size"] = np.where(frame["size"] == "1E5", "big", frame["size"])
    train = train_file(tmp_path, frame)
    plain = frame[(frame["plant"] != "00X") & (frame["flag"] != "UNKNOWN") & (frame["size"] != "big")]
    plain.to_csv(tmp_path / "new.csv", index=False)
    settings = Settings(
        table=str(train), target="y", **({} if kind == "predict" else {kind: str(tmp_path / "new.csv")})
    )
    task = load_task(settings)
    if kind == "predict":
        found = task.schema.encode(read_table(tmp_path / "new.csv", texts=task.schema.text_columns))
    else:
        found = task.X_test if kind == "test" else task.X[task.fixed_validation]
    np.testing.assert_array_equal(found, task.X[plain.index])


@pytest.mark.parametrize("n_rows", [1, 20])
def test_a_frame_that_pandas_has_read_by_itself_means_the_same(tmp_path: Path, n_rows: int) -> None:
    frame = plants()
    task = load_task(Settings(table=str(train_file(tmp_path, frame)), target="y"))
    plain = frame[(frame["plant"] != "00X") & (frame["flag"] != "UNKNOWN") & (frame["size"] != "1E5")][:n_rows]
    plain.to_csv(tmp_path / "new.csv", index=False)
    np.testing.assert_array_equal(task.schema.encode(pd.read_csv(tmp_path / "new.csv")), task.X[plain.index])


def test_numbers_named_as_categories_are_found_as_strings() -> None:
    zips = rng.integers(1000, 1005, N)
    task = make_task(pd.DataFrame({"zip": zips}), y, settings=Settings(categorical="zip"))
    for other in (zips.astype(float), [f"{code}.0" for code in zips], [f"0{code}" for code in zips]):
        np.testing.assert_array_equal(task.schema.encode(pd.DataFrame({"zip": other})), task.X)


def test_decimal_commas_may_begin_late(tmp_path: Path) -> None:
    values = [str(i) for i in range(60)] + [f"{i},5" for i in range(60)]
    lines = ["a;b;y", *(f"{v};{i % 7};{i % 2}" for i, v in enumerate(values))]
    (tmp_path / "train.csv").write_text("\n".join(lines))
    (tmp_path / "one.csv").write_text("a;b\n1,5;3\n")
    task = load_task(Settings(table=str(tmp_path / "train.csv"), target="y"))
    assert task.X[60:62, 0].tolist() == [0.5, 1.5]
    one = read_table(tmp_path / "one.csv", texts=task.schema.text_columns)
    assert task.schema.encode(one).tolist() == [[1.5, 3.0]]


def test_mostly_unknown_values_are_a_warning_with_examples(tmp_path: Path) -> None:
    schema = schema_of(pd.DataFrame({"colour": ["red", "green"] * 60}))
    with pytest.warns(UnknownValuesWarning, match=r"2 of 3 values of column colour are unknown .*such as Red, rot"):
        schema.encode(pd.DataFrame({"colour": ["Red", "rot", "red"]}))
    frame = plants()
    frame.assign(flag="perhaps").to_csv(tmp_path / "test.csv", index=False)
    task = load_task(Settings(table=str(train_file(tmp_path, frame)), target="y", test=str(tmp_path / "test.csv")))
    assert any("Test table: 120 of 120 values of column flag are unknown" in note for note in task.notes)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index"])
def test_the_index_of_shuffled_rows_is_left_out(tmp_path: Path, name: str, suffix: str) -> None:
    X = rng.normal(size=N)
    frame = pd.DataFrame({"x": X, "y": y}).sample(frac=1, random_state=0).sort_values("y")
    clean = frame.reset_index(drop=True)
    for file, table in (("train", frame), ("test", clean)):
        table = table.reset_index(names=name or "Unnamed: 0")
        if suffix == "parquet":
            table.to_parquet(tmp_path / f"{file}.parquet")
        else:
            table.rename(columns={"Unnamed: 0": name}).to_csv(tmp_path / f"{file}.csv", index=False)
    task = load_task(
        Settings(table=str(tmp_path / f"train.{suffix}"), test=str(tmp_path / f"test.{suffix}"), target="y")
    )
    assert task.schema.column_names == ("x",) and task.schema.source_columns[1:] == ("x",)
    assert any("is the index of the rows" in note for note in task.notes)
    np.testing.assert_array_equal(task.X_test[:, 0], clean["x"])
    np.testing.assert_array_equal(task.schema.encode(frame[["x"]]), frame[["x"]])


def test_a_column_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y,b,y\n" + "\n".join(f"{i},{i % 2},{i * i},{i % 2}" for i in range(40)))
    with pytest.raises(UserError, match="more than one column 'y'"):
        load_task(Settings(table=str(tmp_path / "t.csv"), target="y"))


@pytest.mark.parametrize("dtype", ["object", "category"])
def test_blanks_around_labels_make_no_class(dtype: str) -> None:
    task = make_task(rng.normal(size=(N, 2)), pd.Series(["yes", "yes ", " no", "no"] * 30, dtype=dtype))
    assert task.schema.classes is not None and task.schema.classes.tolist() == ["no", "yes"]
    assert task.schema.encode_target(pd.Series(["yes ", "no"])).tolist() == [1, 0]


VALUES = np.round(rng.normal(size=N) * 5_000, 2)
MARKED = {
    "thousands": [f"{v:,.2f}" for v in VALUES],
    "currency": [f"-${-v:,.2f}" if v < 0 else f"${v:,.2f}" for v in VALUES],
    "percent": [f"{v:.2f} %" for v in VALUES],
    "parentheses": [f"({-v:,.2f})" if v < 0 else f"{v:,.2f}" for v in VALUES],
    "German": [f"{v:,.2f} EUR".translate(str.maketrans(",.", ".,")) for v in VALUES],
    "French": [f"{v:,.2f} €".translate(str.maketrans(",.", "\u202f,")) for v in VALUES],
    "Swiss": [f"CHF {v:,.2f}".replace(",", "’") for v in VALUES],
}


@pytest.mark.parametrize("name", MARKED)
def test_numbers_with_marks_are_numbers(name: str) -> None:
    frame = pd.DataFrame({"a": MARKED[name], "b": VALUES})
    task = make_task(frame, y)
    np.testing.assert_allclose(task.X[:, 0], VALUES, rtol=1e-14)
    assert any("column a is read as numbers" in note.lower() for note in task.notes)
    schema = Schema.from_json(task.schema.to_json())
    for i in range(5):
        np.testing.assert_array_equal(schema.encode(frame[i : i + 1]), task.X[i : i + 1])
    target = make_task(frame[["b"]], frame["a"])
    assert target.type is TaskType.REGRESSION
    np.testing.assert_allclose(target.schema.restore(target.y), VALUES, rtol=1e-14)
    np.testing.assert_array_equal(Schema.from_json(target.schema.to_json()).encode_target(frame["a"][:1]), target.y[:1])


def test_a_column_that_is_lost_although_it_varies_is_a_warning() -> None:
    X = pd.DataFrame({"part": [f"{i}/{i * 7919 % 997}" for i in range(N)], "same": 1.0, "x": rng.normal(size=N)})
    with pytest.warns(LeftOutWarning, match="Column part is left out") as caught:
        task = make_task(X, y)
    assert task.schema.column_names == ("x",)
    assert len(caught) == 1


def test_marks_that_do_not_agree_are_no_numbers() -> None:
    for values in (
        [f"${i},000" if i % 2 else f"{i},000 €" for i in range(1, N)],
        [f"{i}.000,5" if i % 2 else f"{i},000.5" for i in range(1, N)],
        [f"K{i:07d}" for i in range(N)],
    ):
        X = pd.DataFrame({"a": values, "b": 1.5 * np.arange(len(values)) % 7})
        task = make_task(X, y[: len(values)])
        assert task.schema.column_names == ("b",)
        assert any("--categorical a or --text a" in note for note in task.notes)


MOMENTS = pd.Series(pd.date_range("2020-01-01 00:15", periods=N, freq="31h"))


@pytest.mark.parametrize(
    "form",
    [
        "%d-%b-%Y",
        "%d/%m/%y",
        "%m/%d/%y",
        "%d %B %Y",
        "%b %d, %Y",
        "%d-%b-%y",
        "%m/%d/%Y %I:%M %p",
        "%d/%m/%Y %I:%M:%S%p",
    ],
)
def test_dates_in_every_dress(form: str) -> None:
    texts = MOMENTS.dt.strftime(form)
    task = make_task(pd.DataFrame({"d": texts}), y)
    expected = MOMENTS if "%I" in form else MOMENTS.dt.normalize()
    days = (expected - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    np.testing.assert_allclose(task.X[:, 0], days)
    assert any(form in note for note in task.notes)
    # A row from which the order of day and month cannot be told is read as the column.
    schema = Schema.from_json(task.schema.to_json())
    np.testing.assert_array_equal(schema.encode(pd.DataFrame({"d": texts[:1]})), task.X[:1])


def test_empty_strings_in_a_frame_are_missing_as_they_are_in_a_file(tmp_path: Path) -> None:
    empty = rng.random(N) < 0.3
    numbers = pd.Series(rng.normal(size=N)).astype(object).where(~empty, "")
    words = pd.Series(rng.choice(["u", "v", "w"], N)).where(~empty, "")
    days = MOMENTS.dt.strftime("%d.%m.%Y").where(~empty, "")
    frame = pd.DataFrame({"number": numbers, "word": words, "day": days, "y": y})
    task = make_task(frame.drop(columns="y"), y)
    assert [column.kind for column in task.schema.columns] == ["numerical", "categorical", "date"]
    assert np.isnan(task.X[empty]).all() and not np.isnan(task.X[~empty]).any()
    path = train_file(tmp_path, frame)
    np.testing.assert_allclose(load_task(Settings(table=str(path), target="y")).X, task.X)


@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1e39, 1e300])
@pytest.mark.parametrize("dress", [np.asarray, lambda values: [repr(float(v)) for v in values]])
def test_huge_and_tiny_numbers_keep_their_differences(scale: float, dress: Callable[[np.ndarray], object]) -> None:
    values = rng.normal(size=N)
    frame = pd.DataFrame({"a": dress(scale * values)})
    task = make_task(frame, y)
    assert 0.5 <= np.abs(task.X).max() <= 100.0
    assert np.corrcoef(task.X[:, 0], values)[0, 1] > 1 - 1e-12
    schema = Schema.from_json(task.schema.to_json())
    np.testing.assert_array_equal(schema.encode(frame[:3]), task.X[:3])
    assert np.isnan(schema.encode(pd.DataFrame({"a": [np.inf]})))


@pytest.mark.parametrize("form", ["%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%B-%Y"])
def test_months_are_dates(form: str) -> None:
    texts = MOMENTS.dt.strftime(form)
    task = make_task(pd.DataFrame({"d": texts}), y)
    months = MOMENTS.dt.to_period("M").dt.to_timestamp()
    np.testing.assert_allclose(task.X[:, 0], (months - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1))
    schema = Schema.from_json(task.schema.to_json())
    np.testing.assert_array_equal(schema.encode(pd.DataFrame({"d": texts[:1]})), task.X[:1])


@pytest.mark.parametrize("form", ["%Y%m%d", "%a %b %d %H:%M:%S %Y", "%A, %d %B %Y", "%a, %d.%m.%Y"])
@pytest.mark.parametrize("dtype", [object, float])
def test_dates_without_marks_and_with_weekdays(form: str, dtype: type) -> None:
    texts = MOMENTS.dt.strftime(form).astype(dtype if form == "%Y%m%d" else object)
    task = make_task(pd.DataFrame({"d": texts}), y)
    expected = MOMENTS if "%H" in form else MOMENTS.dt.normalize()
    np.testing.assert_allclose(task.X[:, 0], (expected - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1))
    np.testing.assert_array_equal(task.schema.encode(pd.DataFrame({"d": texts[:1]})), task.X[:1])


@pytest.mark.parametrize("form", ["{0}Q{1}", "Q{1} {0}"])
def test_quarters_are_dates(form: str) -> None:
    texts = [form.format(2010 + i // 4, i % 4 + 1) for i in range(N // 2)] * 2
    task = make_task(pd.DataFrame({"d": texts}), y)
    expected = pd.date_range("2010-01-01", periods=N // 2, freq="QS") - pd.Timestamp("1970-01-01")
    np.testing.assert_array_equal(task.X[: N // 2, 0], expected / pd.Timedelta(days=1))
    np.testing.assert_array_equal(task.schema.encode(pd.DataFrame({"d": texts[:1]})), task.X[:1])


def test_times_in_words_are_no_free_text() -> None:
    X = pd.DataFrame({"t": [f"{i % 28 + 1:02d}. Mai {1900 + i}" for i in range(N)], "x": rng.normal(size=N)})
    with pytest.warns(LeftOutWarning, match="Column t is left out"):
        assert make_task(X, y).schema.column_names == ("x",)


def test_one_and_true_are_two_names() -> None:
    cells = pd.Series([1, True, "two", 2.5] * 30, dtype=object)
    assert make_task(pd.DataFrame({"a": cells}), y).profile.cardinalities == (4,)


def test_numbers_that_look_like_years_and_months_are_none() -> None:
    assert (
        make_task(pd.DataFrame({"d": ["2041-77", "2020-01", "1999-03"] * 40}), y).schema.columns[0].kind
        == "categorical"
    )


NAMES = ["response, heart", "a,b,c", 'say "x"', "trailing ", "plain", "a"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("response, heart", ("response, heart",)),
        ("response,heart", ("response, heart",)),
        ("plain,response, heart,a", ("plain", "response, heart", "a")),
        ('"a,b,c",plain', ("a,b,c", "plain")),
        ('"say ""x"""', ('say "x"',)),
        ("trailing", ("trailing ",)),
        ('"trailing ",plain', ("trailing ", "plain")),
    ],
)
def test_names_with_commas_and_blanks(tmp_path: Path, given: str, expected: tuple[str, ...]) -> None:
    frame = pd.DataFrame({name: rng.normal(size=N) for name in NAMES}).assign(y=y)
    frame.to_parquet(tmp_path / "t.parquet")
    task = load_task(Settings(table=str(tmp_path / "t.parquet"), target="y", drop=given))
    assert task.schema.column_names == tuple(name for name in NAMES if name not in expected)
    task = load_task(Settings(table=str(tmp_path / "t.parquet"), target=given, task="auto"))
    assert task.schema.target_names == expected


def test_the_remedy_in_a_note_works_for_any_name(tmp_path: Path) -> None:
    import shlex

    frame = pd.DataFrame({"key, of row": [f"K{i:07d}" for i in range(N)], "x": rng.normal(size=N), "y": y})
    path = train_file(tmp_path, frame)
    (note,) = load_task(Settings(table=str(path), target="y")).notes
    words = shlex.split(note.partition("keep it with ")[2].partition(" or ")[0])
    assert words[0] == "--categorical"
    assert "key, of row" in load_task(Settings(table=str(path), target="y", categorical=words[1])).schema.column_names


@pytest.mark.parametrize("fill", [np.nan, 1.0])
def test_sparse_frames_of_any_fill_value(fill: float) -> None:
    dense = np.where(rng.random((N, 3)) < 0.3, rng.normal(size=(N, 3)), fill)
    frame = pd.DataFrame({f"c{i}": pd.arrays.SparseArray(dense[:, i], fill_value=fill) for i in range(3)})
    task = make_task(frame, y)
    np.testing.assert_array_equal(task.X, dense)
    np.testing.assert_array_equal(task.schema.encode(frame), dense)


def test_columns_of_lists_from_arrow() -> None:
    lists = pd.Series([[i % 3] for i in range(N)], dtype=pd.ArrowDtype(pa.list_(pa.int64())))
    task = make_task(pd.DataFrame({"a": lists}), y)
    assert task.profile.cardinalities == (3,)


@pytest.mark.parametrize("values", [y, y + 0.5, rng.normal(size=N), y == 1])
def test_targets_that_were_cut_from_an_array_of_objects(values: np.ndarray) -> None:
    cells = pd.DataFrame({"x": rng.normal(size=N), "name": "a", "y": values}).to_numpy()
    task = make_task(cells[:, :-1], cells[:, -1])
    plain = make_task(cells[:, :-1], values)
    np.testing.assert_array_equal(task.y, plain.y)
    if task.schema.classes is not None:
        assert task.schema.classes.dtype == values.dtype


def test_frames_of_other_libraries_keep_their_names() -> None:
    frame = pd.DataFrame({"x": rng.normal(size=N), "c": ["u", "v", "w"] * 40, "t": MOMENTS.astype("datetime64[us]")})
    other = pa.table({name: pa.array(frame[name]) for name in frame})
    task = make_task(other, pa.chunked_array([pa.array(y)]))
    reference = make_task(frame, y)
    assert task.schema.source_columns == ("x", "c", "t")
    np.testing.assert_array_equal(task.X, reference.X)
    np.testing.assert_array_equal(reference.schema.encode(other.select(["t", "c", "x"])), task.X)


def test_a_date_beside_a_column_with_the_name_of_its_part() -> None:
    dates = pd.date_range("2019-01-01", periods=N, freq="30D")
    task = make_task(pd.DataFrame({"d": dates, "d.year": rng.normal(size=N)}), y)
    assert len(set(task.schema.column_names)) == len(task.schema.column_names)
    assert "d (date).year" in task.schema.column_names
    assert Schema.from_json(task.schema.to_json()).column_names == task.schema.column_names


def test_texts_without_blanks_are_texts() -> None:
    words = ["今天", "天气", "很好", "我们", "公园", "喜欢", "音乐", "电影", "吃饭", "朋友"]
    texts = ["".join(rng.choice(words, 8)) + str(i) for i in range(N)]
    assert make_task(pd.DataFrame({"t": texts}), y).schema.columns[0].kind == "text"


def test_categories_of_strings_stay_strings_in_a_later_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"plant": pd.Categorical(["001", "002", "010"] * 40)})
    schema = schema_of(frame)
    frame.to_csv(tmp_path / "new.csv", index=False)
    expected = schema.encode(frame)
    np.testing.assert_array_equal(schema.encode(pd.read_csv(tmp_path / "new.csv")), expected)
    np.testing.assert_array_equal(schema.encode(read_table(tmp_path / "new.csv", texts=schema.text_columns)), expected)
