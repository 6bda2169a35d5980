"""Rebuilds the master of a leg from the files of its ranks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mpi_automl.storage import schema
from mpi_automl.storage.create import FileContents, Header, finish, unfinished, write_master
from mpi_automl.storage.leg_files import open_file, read_rows
from mpi_automl.storage.sizes import StoreLayout


def without_master(directory: Path) -> list[int]:
    """Legs with trials in the files of their ranks and no master.

    A leg whose ranks never wrote anything was cut off while it was laid out; it is not counted.
    """
    known = schema.legs(directory)
    return [
        leg
        for leg, ranks in schema.rank_files(directory).items()
        if leg not in known and any(_has_trials(schema.rank_file(directory, leg, rank)) for rank in ranks)
    ]


def _has_trials(path: Path) -> bool:
    with open_file(path) as file:
        return len(read_rows(file, 0).records) > 0


def make_master(directory: Path, leg: int) -> None:
    """Write the master of a leg; the datasets of the whole leg are copied from rank 0's file."""
    ranks = schema.rank_files(directory)[leg]
    sources = [schema.rank_file(directory, leg, rank) for rank in range(max(ranks) + 1)]
    with open_file(sources[0]) as file:
        shared = {name: file[name][()] for name in schema.SHARED if name in file}
        layout = layout_of(file, len(sources))
        head = Header({name: file.attrs[name] for name in file.attrs}, {}, ())
    path = schema.main_file(directory, leg)
    write_master(unfinished(path), FileContents.whole("master", leg, layout), head, shared, sources)
    finish(path)


def layout_of(file: Any, ranks: int) -> StoreLayout:
    """Sizes of the leg that an open file is a part of."""
    records, vectors, predictions = file[schema.RECORDS], file[schema.VECTORS], file[schema.PREDICTIONS]
    scores = records.dtype["scores"].shape[0] if "scores" in records.dtype.names else 0
    return StoreLayout(
        ranks,
        records.shape[1],
        int(file.attrs["predictions_per_rank"]),
        predictions.shape[2],
        file[schema.TEST_PREDICTIONS].shape[2] if schema.TEST_PREDICTIONS in file else 0,
        predictions.shape[3],
        vectors.shape[2],
        scores,
        predictions.dtype.name,
    )
