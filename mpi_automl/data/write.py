"""Writing tables to files that `mpi_automl.data.read` reads."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.data.compression import SUFFIXES, split_compression
from mpi_automl.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

Writer = Callable[["pd.DataFrame", Path], None]

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_ELSEWHERE = (".h5", ".hdf5")


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path, index=False)


def _write_feather(table: pd.DataFrame, path: Path) -> None:
    table.to_feather(path)


def _write_npz(table: pd.DataFrame, path: Path) -> None:
    """Arrays `X` and `columns`; values of different types become text."""
    import numpy as np

    values = table.to_numpy()
    with path.open("wb") as file:
        np.savez(file, X=values.astype(str) if values.dtype == object else values, columns=np.array(table.columns, str))


def _write_arff(table: pd.DataFrame, path: Path) -> None:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    numeric = [is_numeric_dtype(kind) and not is_bool_dtype(kind) for kind in table.dtypes]
    lines = ["@relation predictions", ""]
    for name, is_number, (_, column) in zip(table.columns, numeric, table.items(), strict=True):
        values = ",".join(_quoted(value) for value in sorted(set(column.dropna().astype(str))))
        lines.append(f"@attribute {_quoted(name)} {'numeric' if is_number else '{' + values + '}'}")
    lines += ["", "@data"]
    for row in table.itertuples(index=False):
        cells = zip(row, numeric, strict=True)
        lines.append(",".join("?" if v != v else repr(v) if number else _quoted(v) for v, number in cells))  # noqa: PLR0124
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quoted(value: Any) -> str:
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


_WRITERS: dict[str, Writer] = {
    ".parquet": _write_parquet,
    ".pq": _write_parquet,
    ".feather": _write_feather,
    ".arrow": _write_feather,
    ".arff": _write_arff,
    ".npz": _write_npz,
}


def formats() -> tuple[str, ...]:
    """Endings of files that can be written."""
    return (*_DELIMITERS, *(f"{ending}{more}" for ending in _DELIMITERS for more in SUFFIXES), *_WRITERS, *_ELSEWHERE)


def check_format(out: str) -> None:
    """See that a file's ending names a format.

    Raises
    ------
    UserError
        If it does not.
    """
    if not out.lower().endswith(formats()):
        raise UserError(f"--out is {out!r}; its ending must be one of {', '.join(formats())}.")


def write_table(table: pd.DataFrame, out: str | None, *, writers: Mapping[str, Writer]) -> None:
    """Write a table in the format of a file's ending, without its index.

    Parameters
    ----------
    table : DataFrame
    out : str or None
        None writes CSV in UTF-8 to the standard output.
    writers : mapping of str to callable
        By ending, for formats that this room does not write: `mpi_automl.storage.table.WRITERS`.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    if out is None:
        # As in a file, whatever the terminal's encoding is: what is piped is read again.
        sys.stdout.flush()
        sys.stdout.buffer.write(table.to_csv(index=False).encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()
        return
    try:
        _write(table, Path(out), {**_WRITERS, **writers})
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror or error}.") from None


def _write(table: pd.DataFrame, path: Path, writers: Mapping[str, Writer]) -> None:
    ending = Path(path.name.lower()).suffix
    if ending in writers:
        writers[ending](table, path)
        return
    name, compression = split_compression(path.name)
    text = io.StringIO()
    table.to_csv(text, index=False, sep=_DELIMITERS.get(Path(name.lower()).suffix, ","))
    path.write_bytes(_compressed(text.getvalue().encode(), compression))


def _compressed(data: bytes, suffix: str) -> bytes:
    if suffix == ".zst":
        import pyarrow

        return bytes(pyarrow.compress(data, codec="zstd", asbytes=True))
    functions: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    return functions[suffix](data) if suffix else data
