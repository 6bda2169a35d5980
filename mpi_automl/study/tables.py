"""Which tables a study is about: files found, OpenML sets named, contents hashed."""

from __future__ import annotations

import glob
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from mpi_automl.data.compression import split_compression
from mpi_automl.data.openml import OPENML, suite_sources
from mpi_automl.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from mpi_automl.data.table import SparseTable
    from mpi_automl.study.definition import Study, Tables

_PIECE = 2**20


@dataclass(frozen=True)
class StudyTable:
    """One table.

    Attributes
    ----------
    name : str
        Unique in the study.
    source : str
        An absolute path, or ``openml:...``.
    digest : str
        Hash of its content, hexadecimal.
    options : mapping of str to Any
        Options of ``fit`` about the table.
    """

    name: str
    source: str
    digest: str
    options: Mapping[str, Any]


def find_tables(study: Study) -> tuple[StudyTable, ...]:
    """All tables of a study, in the order of its file.

    Raises
    ------
    UserError
        If a file is not there, a pattern fits none, or a data set is not to be had.
    """
    found = [
        StudyTable(entry.name or _name(source), source, digest_of(source), entry.options)
        for entry in study.tables
        for source in _sources(entry, study.path)
    ]
    for name, count in Counter(table.name for table in found).items():
        if count > 1:
            raise UserError(f'{study.path}: {count} tables are called {name}; give each a name = "..." of its own.')
    return tuple(found)


def _sources(entry: Tables, path: Path) -> Iterator[str]:
    sources = list(_files(entry, path))
    sources += [f"{OPENML}{name.removeprefix(OPENML)}" for name in entry.openml]
    if entry.suite:
        sources += suite_sources(entry.suite)
    if entry.name and len(sources) > 1:
        raise UserError(f"{path}: name = {entry.name!r} is for one table, and its entry has {len(sources)}.")
    yield from sources


def _files(entry: Tables, path: Path) -> Iterator[str]:
    for pattern in entry.files:
        place = str(path.parent.resolve() / Path(pattern).expanduser())
        matches = sorted(glob.glob(place, recursive=True)) if glob.has_magic(pattern) else [place]  # noqa: PTH207
        if not matches:
            raise UserError(f"{path}: no file fits files = {pattern!r}; the pattern is relative to the study's file.")
        for match in matches:
            if not Path(match).is_file():
                raise UserError(f"{path}: there is no file {match}; paths are relative to the study's file.")
            yield match


def _name(source: str) -> str:
    if source.startswith(OPENML):
        return source.replace(":", "-")
    return PurePath(split_compression(PurePath(source).name)[0]).stem


def digest_of_mapping(values: Mapping[str, Any]) -> str:
    """Hash of what JSON can hold, 16 hexadecimal digits; the order of keys does not matter."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def digest_of(source: str) -> str:
    """Hash of a table's content: of a file's bytes, or of the rows of an OpenML data set.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    if source.startswith(OPENML):
        _add_frame(digest, read(source))
        return digest.hexdigest()
    try:
        with Path(source).open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise UserError(f"{source} cannot be read: {error.strerror}.") from None
    return digest.hexdigest()


def read(source: str) -> pd.DataFrame | SparseTable:
    """A table, as it is.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    from mpi_automl.data.read import read_table
    from mpi_automl.storage.table import READERS

    return read_table(source, readers=READERS)


def _add_frame(digest: Any, table: Any) -> None:
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        digest.update(repr(table.columns).encode())
        for part in (table.matrix.data, table.matrix.indices, table.matrix.indptr):
            digest.update(part.tobytes())
        table = table.dense
    digest.update(repr([str(name) for name in table.columns]).encode())
    digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
