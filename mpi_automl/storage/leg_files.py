"""Reads the files of one leg, whichever layout it has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.storage import schema
from mpi_automl.storage.hdf5 import LOCKING_VARIABLE, h5py
from mpi_automl.storage.records import intact
from mpi_automl.trial import Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Room without content is not read: a rank's part is read by blocks, up to the first empty one.
_BLOCK = 512


@dataclass(frozen=True)
class LegInfo:
    """What the file of a leg says about it; see the attributes in the schema."""

    leg: int
    kind: str
    ranks: int
    predictions_per_rank: int
    created: str
    task_type: str
    metric: str
    extra_metrics: tuple[str, ...]
    space_digest: str
    table_digest: str
    mpi_automl_version: str


@dataclass(frozen=True)
class Slab:
    """One rank's part of one file."""

    path: Path
    row: int
    rank: int


@dataclass(frozen=True, eq=False)
class Rows:
    """Records as they are in a slab.

    Attributes
    ----------
    records : structured ndarray, shape (n,)
    vectors : ndarray of float64, shape (n, n_hyperparameters)
    whole : ndarray of bool, shape (n,)
        Whether the checksum fits; where it does not, the record was never written, is being written
        or was torn.
    """

    records: NDArray[Any]
    vectors: NDArray[np.float64]
    whole: NDArray[np.bool_]

    @property
    def finished(self) -> NDArray[np.bool_]:
        """Records of trials that have ended."""
        return np.asarray(self.whole & (self.records["status"] != Status.RUNNING))

    @property
    def running(self) -> NDArray[np.bool_]:
        """Records of trials that were begun and have no end."""
        return np.asarray(self.whole & (self.records["status"] == Status.RUNNING))

    @property
    def torn(self) -> NDArray[np.bool_]:
        """Records with content whose checksum does not fit."""
        return ~self.whole & written(self.records)


def written(records: NDArray[Any]) -> NDArray[np.bool_]:
    """Which records have any content."""
    return np.array([any(record.tobytes()) for record in records], dtype=bool)


def open_file(path: Path, mode: str = "r") -> Any:
    """Open a file of the store.

    Raises
    ------
    UserError
        If it cannot be read; the sentence says what to do.
    """
    try:
        return h5py.File(path, mode)
    except FileNotFoundError:
        raise UserError(f"The file {path} is missing; see mpi-automl verify.") from None
    except OSError as error:
        text = " ".join(str(error).split())
        if "unable to lock" in text:
            raise UserError(
                f"The file {path} cannot be locked; set {LOCKING_VARIABLE}=FALSE "
                f"(it is {os.environ.get(LOCKING_VARIABLE)!r}) and try again."
            ) from None
        raise UserError(f"The file {path} cannot be read ({text}); see mpi-automl verify.") from None


def info(file: Any) -> LegInfo:
    """What an open file says about its leg."""
    values = {name: _plain(value) for name, value in file.attrs.items()}
    if values.get("format") != schema.FORMAT or values.get("format_version", 0) > schema.VERSION:
        raise UserError(f"The file {file.filename} is not a store that this version can read; update mpi_automl.")
    names = str(values["extra_metrics"])
    values["extra_metrics"] = tuple(names.split(",")) if names else ()
    return LegInfo(**{name: values[name] for name in LegInfo.__dataclass_fields__})


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value.item() if hasattr(value, "item") else value


def slabs(directory: Path, leg: LegInfo) -> list[Slab]:
    """Where the records of a leg are: its ranks' parts, then its overflow files.

    The files of the ranks are read themselves, and not through the master: HDF5 shows a file that it
    cannot open, for want of file descriptors for example, as if nothing were in it.
    """
    found = [prediction_slab(directory, leg, rank) for rank in range(leg.ranks)]
    more = schema.overflow_files(directory, leg.leg)
    return found + [Slab(path, 0, rank) for rank, _, path in more]


def prediction_slab(directory: Path, leg: LegInfo, rank: int) -> Slab:
    """Where the predictions of a rank are, and its first records."""
    if leg.kind == "shared":
        return Slab(schema.main_file(directory, leg.leg), rank, rank)
    return Slab(schema.rank_file(directory, leg.leg, rank), 0, rank)


def read_rows(file: Any, row: int, *, to_the_end: bool = False) -> Rows:
    """Records and vectors of one rank's part of an open file.

    Ranks fill their part from the front, so reading ends at the first stretch without content unless
    `to_the_end` is set.
    """
    records, vectors = file[schema.RECORDS], file[schema.VECTORS]
    blocks = []
    for start in range(0, records.shape[1], _BLOCK):
        block = records[row, start : start + _BLOCK]
        if not to_the_end and not any(block.tobytes()):
            break
        blocks.append(block)
    found = np.concatenate(blocks) if blocks else np.empty(0, records.dtype)
    values = vectors[row, : len(found)]
    return Rows(found, values, intact(found, values))


def each_slab(directory: Path, leg: LegInfo, problems: list[str]) -> Iterator[tuple[Slab, Any]]:
    """Every part of a leg with its open file; a shared file is opened once.

    Parts in files that cannot be read are left out, with a sentence added to `problems`.
    """
    for path, group in groupby(slabs(directory, leg), key=lambda slab: slab.path):
        try:
            file = open_file(path)
        except UserError as error:
            problems.append(str(error))
            continue
        with file:
            for slab in group:
                yield slab, file


def lost_slots(records: NDArray[Any]) -> set[tuple[int, int]]:
    """Rank and number of the trials whose predictions gave way, from a leg's finished records."""
    gone = records[records["replaces"] != schema.NO_TRIAL]
    return set(zip(gone["rank"].tolist(), gone["replaces"].tolist(), strict=True))


def lost_slots_now(directory: Path, leg: LegInfo) -> set[tuple[int, int]]:
    """As `lost_slots`, from what is in the files at this moment."""
    lost: set[tuple[int, int]] = set()
    for slab, file in each_slab(directory, leg, []):
        rows = read_rows(file, slab.row)
        lost |= lost_slots(rows.records[rows.finished])
    return lost
