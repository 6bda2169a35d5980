"""Records of trials as bytes, and the checksums by which a reader knows a finished write."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.storage.schema import NO_SLOT, NO_TRIAL, REASON_BYTES
from mpi_automl.trial import Result, Status, Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def reason_bytes(reason: str) -> bytes:
    """A reason as UTF-8, cut to the room it has without splitting a character."""
    data = reason.replace("\0", " ").encode("utf-8", errors="replace")[:REASON_BYTES]
    return data.decode("utf-8", errors="ignore").encode("utf-8")


def checksum_of(*arrays: NDArray[Any]) -> int:
    """CRC-32 over the bytes of arrays, one after the other."""
    value = 0
    for array in arrays:
        value = zlib.crc32(np.ascontiguousarray(array).data.cast("B"), value)
    return value


def sealed(record: NDArray[Any], vector: NDArray[np.float64]) -> NDArray[Any]:
    """A record with its checksum, taken over its other bytes and its vector.

    Parameters
    ----------
    record : structured ndarray, shape ()
    vector : ndarray of float64, shape (n_hyperparameters,)
    """
    record = record.copy()
    record["checksum"] = _seal(record, vector)
    return record


def _seal(record: NDArray[Any], vector: NDArray[np.float64]) -> int:
    body = record.tobytes()[: -record.dtype["checksum"].itemsize]
    # A stretch of zeros has the checksum of zeros in no form: an empty record is never taken for a written one.
    return zlib.crc32(np.ascontiguousarray(vector, dtype="<f8").tobytes(), zlib.crc32(body)) or 1


def intact(records: NDArray[Any], vectors: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which records have a checksum that fits.

    Parameters
    ----------
    records : structured ndarray, shape (n,)
    vectors : ndarray of float64, shape (n, n_hyperparameters)

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    sums = records["checksum"]
    return np.array([bool(sums[i]) and _seal(records[i], vectors[i]) == sums[i] for i in range(len(records))], bool)


def running_record(trial: Trial, dtype: np.dtype[Any], start: float) -> NDArray[Any]:
    """The record of a trial whose evaluation begins."""
    record = np.zeros((), dtype)
    record["leg"], record["rank"], record["number"] = trial.key
    record["seed"], record["origin"], record["budget"] = trial.seed, trial.origin, trial.budget
    record["status"], record["cost"], record["start"], record["end"] = Status.RUNNING, np.nan, start, np.nan
    record["slot"], record["replaces"] = NO_SLOT, NO_TRIAL
    return record


def finished_record(
    result: Result,
    dtype: np.dtype[Any],
    score_names: Sequence[str],
    slot: int,
    replaces: int,
    predictions_checksum: int,
) -> NDArray[Any]:
    """The record of a finished trial, without its checksum.

    Parameters
    ----------
    result : Result
    dtype : dtype
    score_names : sequence of str
        Order of the further metrics; one that `result` lacks is NaN.
    slot : int
        Where its predictions are, or -1.
    replaces : int
        Number of the rank's trial whose predictions give way, or -1.
    predictions_checksum : int
    """
    record = running_record(result.trial, dtype, result.start)
    for name in (
        "ask_seconds",
        "fit_seconds",
        "predict_seconds",
        "store_seconds",
        "cpu_seconds",
        "memory_peak",
        "iterations",
    ):
        record[name] = getattr(result, name)
    record["status"], record["cost"], record["end"] = result.status, result.cost, result.end
    record["reason"] = reason_bytes(result.reason)
    record["slot"], record["replaces"], record["predictions_checksum"] = slot, replaces, predictions_checksum
    if score_names:
        record["scores"] = [result.scores.get(name, np.nan) for name in score_names]
    return record
