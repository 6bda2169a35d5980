"""A table means the same in pieces, in another dtype, order of columns or format: its arrays are equal bit for bit."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpi_automl.data.load import load_task
from mpi_automl.data.read import read_table
from mpi_automl.data.schema import Schema
from mpi_automl.errors import UserError
from mpi_automl.settings import Settings

N = 24
WORDS = ["001", "002", "1.50", "1E5", "+1", "00X", "TRUE", "FALSE", "UNKNOWN", "red", "light blue", "ü, ö", "a b "]
NUMBERS = ["1,234.50", "-12", "0.5", "7,000", "(1,200)", "$5", "3 %", "1.5", "2", "-0"]

columns = st.one_of(
    st.lists(st.floats(allow_nan=True, width=64), min_size=N, max_size=N),
    st.lists(st.integers(-(2**53), 2**53), min_size=N, max_size=N),
    st.lists(st.one_of(st.booleans()), min_size=N, max_size=N),
    st.lists(st.one_of(st.none(), st.sampled_from(WORDS)), min_size=N, max_size=N),
    st.lists(st.sampled_from(NUMBERS), min_size=N, max_size=N),
    st.lists(st.dates().map(lambda day: day.strftime("%d/%m/%Y")), min_size=N, max_size=N),
    st.lists(st.dates(min_value=pd.Timestamp("1700-01-01").date()).map(str), min_size=N, max_size=N),
)


def _write(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.reset_index(drop=True).to_feather(path)
    return path


def _other_dtype(column: pd.Series) -> pd.Series:
    """The same values as strings, categories or wider numbers."""
    if column.dtype.kind == "b":
        return column.astype("boolean")
    if column.dtype.kind in "iu":
        return column.astype("Int64")
    return column.astype("Float64") if column.dtype.kind == "f" else column.astype("category")


def _equal(found: object, expected: object) -> None:
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    else:
        assert np.array_equal(np.asarray(found), np.asarray(expected), equal_nan=True)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather"])
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(cells=st.lists(columns, min_size=1, max_size=4), size=st.integers(1, N), order=st.randoms(use_true_random=False))
def test_a_table_encodes_to_the_same_arrays(suffix: str, cells: list[list[object]], size: int, order) -> None:
    frame = pd.DataFrame({f"c{i}": values for i, values in enumerate(cells)})
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        train = _write(frame.assign(y=np.arange(N) % 2), place / f"train{suffix}")
        try:
            task = load_task(Settings(table=str(train), target="y"))
        except UserError:
            return
        schema = Schema.from_json(task.schema.to_json())
        names = list(frame.columns)
        order.shuffle(names)
        for other in (".csv", ".parquet", ".feather"):
            pieces = [
                schema.encode(
                    read_table(
                        _write(frame[names][start : start + size], place / f"{start}{other}"), texts=schema.text_columns
                    )
                )
                for start in range(0, N, size)
            ]
            joined = pd.concat(pieces, ignore_index=True) if hasattr(pieces[0], "columns") else np.concatenate(pieces)
            _equal(joined, task.X)
        _equal(schema.encode(frame.apply(_other_dtype)), task.X)
