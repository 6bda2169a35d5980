"""What is inferred about columns."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from mpi_automl.data.columns import infer_column
from mpi_automl.data.encode import encode_frame

N = 200
rng = np.random.default_rng(0)


def sentences(count: int) -> list[str]:
    words = ["quick", "brown", "fox", "jumps", "over", "lazy", "dog", "and", "sleeps"]
    return [" ".join(rng.choice(words, 6)) + f" {i}" for i in range(count)]


KINDS = {
    "floats": (rng.normal(size=N), "numerical"),
    "integers": (rng.integers(0, 4, N), "numerical"),
    "integers with missing": (pd.array([1, None, 3, 4] * (N // 4), dtype="Int64"), "numerical"),
    "numbers as strings": ([f"{x:.2f}" for x in rng.normal(size=N)], "numerical"),
    "decimals": ([Decimal(i) / 3 for i in range(N)], "numerical"),
    "huge whole numbers": ([2**70 + i * 2**60 for i in range(N)], "numerical"),
    "durations": (pd.to_timedelta(np.arange(N), unit="s"), "numerical"),
    "booleans": (rng.random(N) < 0.5, "boolean"),
    "booleans with missing": ([True, False, None, True] * (N // 4), "boolean"),
    "words for booleans": (["true", "FALSE"] * (N // 2), "boolean"),
    "few strings": (rng.choice(["a", "b", "c"], N), "categorical"),
    "categories of integers": (pd.Categorical(rng.integers(0, 9, N)), "categorical"),
    "cities": (rng.choice([f"New Town {i}" for i in range(30)], N), "categorical"),
    "free text": (sentences(N), "text"),
    "dates": (pd.date_range("2020-01-01", periods=N, freq="D"), "date"),
    "dates with zone": (pd.date_range("2020-01-01", periods=N, freq="D", tz="Europe/Berlin"), "date"),
    "date objects": ([datetime.date(2020, 1, 1 + i % 28) for i in range(N)], "date"),
    "periods": (pd.period_range("2020-01", periods=N, freq="M"), "date"),
    "dates as strings": ([f"2020-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(N)], "date"),
    "German dates": ([f"{1 + i % 28:02d}.{1 + i % 12:02d}.2020 12:{i % 60:02d}" for i in range(N)], "date"),
    "lists": ([[i % 3] for i in range(N)], "categorical"),
}


@pytest.mark.parametrize("name", KINDS)
def test_kind(name: str) -> None:
    values, kind = KINDS[name]
    found = infer_column("c", pd.Series(values))
    assert found.column is not None and found.column.kind == kind
    encoded = encode_frame(pd.DataFrame({"c": values}), [found.column])
    assert encoded.shape == (N, len(found.column.encoded_names))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([None] * N, "all its values are missing"),
        ([np.nan] * N, "all its values are missing"),
        ([7] * N, "one value only"),
        (["x"] * N, "one value only"),
        ([np.inf, np.nan] * (N // 2), "no finite number"),
        ([f"K{i:07d}" for i in range(N)], "looks like an id"),
        ([pd.Timestamp("2020-01-01"), None] * (N // 2), "all its dates are the same"),
    ],
)
def test_columns_without_use_are_left_out_with_the_reason(values: list[object], reason: str) -> None:
    found = infer_column("c", pd.Series(values))
    assert found.column is None and reason in found.note and "column c" in found.note


def test_one_value_beside_missing_ones_is_kept() -> None:
    assert infer_column("c", pd.Series([1.0, np.nan] * 50)).column is not None


@pytest.mark.parametrize(("name", "first"), [("customer_id", 9_000), ("x", 0), ("customerId", 5_000)])
def test_numbers_that_name_the_rows_are_kept_with_a_warning(name: str, first: int) -> None:
    step = 1 if name == "x" else 7
    found = infer_column(name, pd.Series(rng.permutation(first + step * np.arange(N))))
    assert found.column is not None and f"--drop {name}" in found.note


def test_repeated_or_sparse_numbers_are_no_ids() -> None:
    assert not infer_column("paid", pd.Series(np.arange(N) * 7)).note
    assert not infer_column("id", pd.Series(np.arange(N) % 50)).note


def test_overrides_settle_it() -> None:
    numbers = pd.Series([3, 1, 10] * 20)
    found = infer_column("c", numbers, "categorical").column
    assert found is not None and found.categories == ("1", "3", "10")
    assert infer_column("c", pd.Series(["a", "b"] * 20), "text").column.kind == "text"
    ids = pd.Series([f"K{i:07d}" for i in range(N)])
    assert infer_column("c", ids, "categorical").column is not None


def test_ordered_categories_keep_their_order() -> None:
    values = pd.Categorical(["low", "high", "mid"] * 9, categories=["low", "mid", "high", "never"], ordered=True)
    assert infer_column("c", pd.Series(values)).column.categories == ("low", "mid", "high")


def test_words_among_numbers_count_as_missing() -> None:
    values = [f"{i}.5" for i in range(N)]
    values[3] = values[50] = "not measured"
    found = infer_column("c", pd.Series(values))
    assert found.column is not None and found.column.missing == ("not measured",) and "not measured" in found.note
    encoded = encode_frame(pd.DataFrame({"c": values}), [found.column])
    assert np.flatnonzero(np.isnan(encoded[:, 0])).tolist() == [3, 50]


def test_many_words_among_numbers_make_categories() -> None:
    values = [str(i % 30) if i % 2 else f"w{i % 26}" for i in range(N)]
    assert infer_column("c", pd.Series(values)).column.kind == "categorical"


def test_date_parts_are_right() -> None:
    dates = pd.Series(pd.to_datetime(["1969-12-31 06:00", "2024-02-29 12:30", "0001-01-01", None], errors="coerce"))
    column = infer_column("d", dates).column
    assert column is not None
    encoded = encode_frame(pd.DataFrame({"d": dates}), [column])
    parts = dict(zip(column.parts, encoded.T, strict=True))
    assert parts["days"][0] == -0.75 and parts["year"][1] == 2024 and parts["weekday"][1] == 3
    assert parts["hour"][1] == 12 and parts["minute"][1] == 30
    assert np.isnan(encoded[3]).all()


def test_month_comes_first_unless_a_row_forbids_it() -> None:
    for text, month in (("01/02/2024", 1), ("25/02/2024", 2)):
        values = pd.Series([text, "03/04/2024", "05/06/2024"] * 10)
        column = infer_column("d", values).column
        assert column is not None and column.kind == "date"
        encoded = encode_frame(pd.DataFrame({"d": values}), [column])
        assert encoded[0, column.parts.index("month")] == month


def test_huge_and_infinite_numbers_are_tamed() -> None:
    values = pd.Series([1e300, -np.inf, 1.0, 2.0])
    column = infer_column("c", values).column
    assert column is not None
    np.testing.assert_array_equal(encode_frame(pd.DataFrame({"c": values}), [column])[:, 0], [1e38, np.nan, 1, 2])


def test_numbers_beside_lists_are_written_like_numbers_alone() -> None:
    column = infer_column("c", pd.Series([0, 1, "a"] * 5, dtype=object)).column
    assert column is not None and column.categories == ("0", "1", "a")
    encoded = encode_frame(pd.DataFrame({"c": [0.0, [], "a", None]}), [column])
    np.testing.assert_array_equal(encoded[:, 0], [0, np.nan, 2, np.nan])
