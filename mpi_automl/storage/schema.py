"""The schema of a store: names of files, datasets and attributes, and the record of a trial.

Everything that a file of a store can contain is named here and nowhere else.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = "mpi_automl store"
VERSION = 1

STORE_DIRECTORY = "store"

RECORDS = "records"
VECTORS = "vectors"
PREDICTIONS = "predictions"
TEST_PREDICTIONS = "test_predictions"
TRUTH = "truth"
TEST_TRUTH = "test_truth"
VALIDATION_ROWS = "validation_rows"
SPACE = "space"
METADATA = "metadata"

SLABS = (RECORDS, VECTORS, PREDICTIONS, TEST_PREDICTIONS)
"""Datasets whose first dimension is the rank: each rank writes into its own part only."""
SHARED = (TRUTH, TEST_TRUTH, VALIDATION_ROWS, SPACE, METADATA)
"""Datasets that belong to the whole leg, written once by the root rank."""

REASON_BYTES = 200
NO_SLOT = -1
NO_TRIAL = -1

IDENTITY = ("task_type", "metric", "space_digest", "table_digest")
"""Texts of the metadata that are also attributes of every file."""

_MAIN = re.compile(r"leg-(\d+)\.h5")
_RANK = re.compile(r"leg-(\d+)\.rank-(\d+)\.h5")
_MORE = re.compile(r"leg-(\d+)\.rank-(\d+)\.more-(\d+)\.h5")
UNFINISHED_SUFFIX = ".part"
"""Ending of a file that is still being laid out; without it, a file is complete."""


def record_dtype(n_scores: int) -> np.dtype[Any]:
    """Type of a record, packed and little-endian, so that its bytes are the same on every machine.

    Parameters
    ----------
    n_scores : int
        Number of further metrics; with 0 there is no field ``scores``.
    """
    # fmt: off
    fields: list[Any] = [
        ("leg", "<i4"), ("rank", "<i4"), ("number", "<i8"), ("seed", "<i8"),
        ("origin", "u1"), ("status", "u1"), ("budget", "<f8"), ("cost", "<f8"),
        ("start", "<f8"), ("end", "<f8"),
        ("ask_seconds", "<f8"), ("fit_seconds", "<f8"), ("predict_seconds", "<f8"), ("store_seconds", "<f8"),
        ("cpu_seconds", "<f8"), ("memory_peak", "<f8"), ("iterations", "<i4"),
        ("reason", f"S{REASON_BYTES}"),
        ("slot", "<i4"), ("replaces", "<i8"), ("predictions_checksum", "<u4"),
    ]
    # fmt: on
    if n_scores:
        fields.append(("scores", "<f8", (n_scores,)))
    fields.append(("checksum", "<u4"))
    return np.dtype(fields)


def store_directory(directory: Path | str) -> Path:
    """Where the files of a run's store are."""
    return Path(directory) / STORE_DIRECTORY


def main_file(directory: Path | str, leg: int) -> Path:
    """File that shows the whole leg: shared by all ranks, or the master of virtual datasets."""
    return store_directory(directory) / f"leg-{leg:04d}.h5"


def rank_file(directory: Path | str, leg: int, rank: int) -> Path:
    """File of one rank, in the layout with one file per rank."""
    return store_directory(directory) / f"leg-{leg:04d}.rank-{rank:04d}.h5"


def overflow_file(directory: Path | str, leg: int, rank: int, index: int) -> Path:
    """File with the records of a rank whose room in the files above is used up; `index` counts from 1."""
    return store_directory(directory) / f"leg-{leg:04d}.rank-{rank:04d}.more-{index:02d}.h5"


def legs(directory: Path | str) -> list[int]:
    """Numbers of the legs whose files were laid out in full, in order."""
    names = (_MAIN.fullmatch(path.name) for path in store_directory(directory).glob("leg-*.h5"))
    return sorted(int(match[1]) for match in names if match)


def overflow_files(directory: Path | str, leg: int) -> list[tuple[int, int, Path]]:
    """Rank, index and path of every overflow file of a leg, in order."""
    found = []
    for path in store_directory(directory).glob("leg-*.rank-*.more-*.h5"):
        match = _MORE.fullmatch(path.name)
        if match and int(match[1]) == leg:
            found.append((int(match[2]), int(match[3]), path))
    return sorted(found)


def rank_files(directory: Path | str) -> dict[int, list[int]]:
    """Ranks with a file of their own, for each leg that has such files."""
    found: dict[int, list[int]] = {}
    for path in store_directory(directory).glob("leg-*.rank-*.h5"):
        if match := _RANK.fullmatch(path.name):
            found.setdefault(int(match[1]), []).append(int(match[2]))
    return {leg: sorted(ranks) for leg, ranks in sorted(found.items())}
