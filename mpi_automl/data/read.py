"""Reading tables from files, whatever their format."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from mpi_automl.data.compression import SUFFIXES, split_compression
from mpi_automl.data.table import unique_names
from mpi_automl.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from mpi_automl.data.table import SparseTable

Reader = Callable[[Path], Union["pd.DataFrame", "SparseTable"]]

_FORMATS = {
    ".csv": "delimited:read_delimited",
    ".tsv": "delimited:read_delimited",
    ".tab": "delimited:read_delimited",
    ".txt": "delimited:read_delimited",
    ".data": "delimited:read_delimited",
    ".parquet": "columnar:read_parquet",
    ".pq": "columnar:read_parquet",
    ".feather": "columnar:read_feather",
    ".arrow": "columnar:read_feather",
    ".arff": "arff:read_arff",
    ".svm": "svmlight:read_svmlight",
    ".svmlight": "svmlight:read_svmlight",
    ".libsvm": "svmlight:read_svmlight",
    ".npz": "npz:read_npz",
}
_ELSEWHERE = (".h5", ".hdf5", ".he5")


def read_table(
    source: str | Path, *, readers: Mapping[str, Reader] | None = None, texts: Collection[str] = ()
) -> pd.DataFrame | SparseTable:
    """Read a table.

    Parameters
    ----------
    source : str or Path
        A file whose name tells its format: .csv, .tsv, .txt, .data, .arff and .svm (also compressed: .gz,
        .bz2, .xz, .zst), .parquet, .feather, .npz; or ``openml:ID`` or ``openml:NAME`` (see `openml`).
    readers : mapping of str to callable, optional
        Readers of further formats by suffix, which go before those above. This room does not import h5py:
        pass `storage.table.READERS` to read HDF5.
    texts : collection of str
        Columns that were strings in the training table (`Schema.text_columns`, `text_columns`): in delimited
        text, which has no types, their cells stay as they are written, although this file has only digits.

    Returns
    -------
    DataFrame or SparseTable
        With strings as column names. A file that tells which columns are the target says so in
        ``attrs[DEFAULT_TARGET]`` or `SparseTable.target`.

    Raises
    ------
    UserError
        If there is no such file, its format is unknown, or it cannot be read.
    """
    text = str(source)
    if text.startswith("openml:"):
        from mpi_automl.data.openml import read_openml

        return read_openml(text)
    path = Path(source)
    reader = _reader(path, readers or {}, texts)
    _require_file(path)
    try:
        table = reader(path)
    except UserError:
        raise
    except MemoryError:
        raise UserError(f"{path} does not fit into memory.") from None
    except Exception as error:
        # Parsers of damaged files raise nearly anything; to the user all of it is one fact.
        raise UserError(f"{path} cannot be read as {path.suffix or 'a table'}: {_sentence(error)}") from error
    return _checked(table, path)


def _reader(path: Path, extra: Mapping[str, Reader], texts: Collection[str]) -> Reader:
    suffix = Path(split_compression(path.name)[0]).suffix.lower()
    if suffix in extra:
        return extra[suffix]
    if suffix not in _FORMATS:
        known = [*_FORMATS, *_ELSEWHERE]
        near = get_close_matches(suffix, known, n=1)
        hint = (
            f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}, and {', '.join(SUFFIXES)} of text."
        )
        raise UserError(f"{path}: the format {suffix or 'of a file without suffix'} is not known; {hint}")
    module, name = _FORMATS[suffix].split(":")
    reader: Callable[..., Any] = getattr(import_module(f"mpi_automl.data.{module}"), name)
    return partial(reader, texts=texts) if module == "delimited" else reader


def _require_file(path: Path) -> None:
    try:
        if path.is_file():
            return
        if path.is_dir():
            raise UserError(f"{path} is a directory; name a file with a table.")
        near = get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    except OSError:
        near = []
    hint = f"; did you mean {path.with_name(near[0])}?" if near else "."
    raise UserError(f"There is no file {path}{hint}")


def _checked(table: Any, path: Path) -> Any:
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        attrs = table.attrs
        table = table.set_axis(unique_names(list(table.columns)), axis=1).reset_index(drop=True)
        table.attrs = attrs
    if not len(table):
        raise UserError(f"{path} has no rows.")
    return table


def _sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{lines[0][:200] if lines else type(error).__name__}"
