"""A rank's part of a store, as it writes it.

A trial is committed by its record: predictions are written first, then the record with checksums
over itself, the vector and the predictions. Every write goes to the operating system at once, so
that a process that is killed takes nothing with it that was committed. Records are written once and
never changed: a trial whose predictions give way is named by the record of the one that replaces it.
"""

from __future__ import annotations

import errno
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.errors import JobError
from mpi_automl.storage import schema
from mpi_automl.storage.create import FileContents, Header, finish, lay_out, unfinished
from mpi_automl.storage.hdf5 import RowWriter, access
from mpi_automl.storage.records import checksum_of, finished_record, running_record, sealed
from mpi_automl.storage.slots import SlotAssignment, Slots
from mpi_automl.trial import Origin, Result, Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.storage.choice import LayoutChoice
    from mpi_automl.storage.flusher import Flusher

_REFUSALS = (errno.EROFS, errno.EIO, errno.ESTALE)
"""A file system that is gone for writing. Others mean that it is full, or that it knows no flush to disk."""
# Seconds: without a pause, every trial that ends on a full disk would try all that waits in vain.
_RETRY_SECONDS = 2.0
# Beyond so much the oldest predictions are given up, and only their records wait.
_HELD_BYTES = 64 * 2**20
WRITE_ERRORS = (OSError, RuntimeError)
"""What h5py raises when a write fails, depending on the driver."""


class LostStoreError(JobError):
    """A rank's part of the store cannot be written any more."""


@dataclass(frozen=True)
class StorePlace:
    """Whose part of which leg of which run."""

    directory: Path
    leg: int
    rank: int


class _OpenSlab:
    """A rank's part of an open file."""

    def __init__(self, file: Any, row: int) -> None:
        self.file = file
        self._row = row
        self._writers = {name: RowWriter(file[name]) for name in schema.SLABS if name in file}

    def write(self, name: str, index: int, values: NDArray[Any]) -> None:
        self._writers[name].write(self._row, index, values)


class Store:
    """A rank's part of the store. Made by `create_store`.

    Parameters
    ----------
    place : StorePlace
    contents : FileContents
        The whole leg.
    head : Header
    choice : LayoutChoice
        The layout, and why.
    file : h5py.File
        Open for writing, laid out in full.
    flusher : Flusher
    """

    def __init__(
        self, place: StorePlace, contents: FileContents, head: Header, choice: LayoutChoice, file: Any, flusher: Flusher
    ) -> None:
        self.layout = contents.layout
        self.choice = choice
        self.problem = ""
        self._place = place
        self._contents = contents
        self._head = head
        self._files = {0: _OpenSlab(file, place.rank if choice.shared else 0)}
        self._flusher = flusher
        self._dtype = schema.record_dtype(self.layout.n_scores)
        self._slots = Slots(self.layout.predictions_per_rank)
        self._begun: set[int] = set()
        self._waiting: deque[Result] = deque()
        self._retry_at = 0.0

    @property
    def uncommitted(self) -> int:
        """Finished trials that could not be written yet, because the disk is full for example."""
        return len(self._waiting)

    def begin(self, trial: Trial) -> None:
        """Note that a trial is being evaluated; if the job dies, a reader finds it in flight. Independent.

        A note that cannot be written is left out: it is only needed when the job dies.
        """
        record = running_record(trial, self._dtype, time.time())
        try:
            self._write_record(trial, record)
        except WRITE_ERRORS as error:
            self.problem = one_line(error)

    def write(self, result: Result) -> float:
        """Commit a finished trial. Independent: touches the rank's own part only.

        When the file system refuses (full, read-only), the trial waits in memory and is tried
        again; `uncommitted` counts those and `problem` says why. Beyond 64 MiB the oldest wait
        without their predictions.

        Returns
        -------
        float
            Seconds spent.
        """
        started = time.perf_counter()
        self._waiting.append(result)
        self._shed()
        self._commit_waiting()
        return time.perf_counter() - started

    def flush_if_due(self) -> None:
        """Try again what could not be written, and start a flush to disk when its interval is over. Independent."""
        self._commit_waiting()
        try:
            self._flusher.flush_if_due()
        except OSError as error:
            self.problem = one_line(error)

    def close(self) -> int:
        """Collective. Flush and close.

        Returns
        -------
        int
            Trials that could not be committed; `problem` says why.

        Raises
        ------
        LostStoreError
            When the file system refuses writes: read-only, broken or stale. The files stay open then: HDF5 cannot close
            what it cannot write, and in a shared file would wait for the other ranks without end.
        """
        self._retry_at = 0.0
        self._commit_waiting()
        if self._waiting:
            self._waiting = deque(_without_predictions(result) for result in self._waiting)
            self._retry_at = 0.0
            self._commit_waiting()
        try:
            self._flusher.close()
        except OSError as error:
            if error.errno in _REFUSALS:
                raise LostStoreError(
                    f"The file system of {self._place.directory} refuses writes ({error.strerror}): "
                    f"{len(self._waiting)} finished trials of this rank could not be written."
                ) from error
            self.problem = one_line(error)
        for slab in reversed(self._files.values()):
            slab.file.close()
        return len(self._waiting)

    def _commit_waiting(self) -> None:
        if not self._waiting or time.monotonic() < self._retry_at:
            return
        try:
            while self._waiting:
                self._commit(self._waiting[0])
                self._waiting.popleft()
        except WRITE_ERRORS as error:
            self.problem = one_line(error)
            self._retry_at = time.monotonic() + _RETRY_SECONDS
        else:
            self.problem = ""

    def _commit(self, result: Result) -> None:
        started = time.perf_counter()
        key = result.trial.key
        is_dummy = result.trial.origin == Origin.DUMMY
        place = self._place_for(result, is_dummy=is_dummy)
        checksum = self._write_predictions(result, place.slot) if place else 0
        spent = result.store_seconds + time.perf_counter() - started
        slot, replaces = (place.slot, place.replaces) if place else (schema.NO_SLOT, schema.NO_TRIAL)
        timed = replace(result, store_seconds=spent)
        record = finished_record(timed, self._dtype, self._head.score_names, slot, replaces, checksum)
        self._write_record(result.trial, record)
        self._begun.discard(key.number)
        if place:
            self._slots.take(place, key.number, result.cost, is_dummy=is_dummy)

    def _place_for(self, result: Result, *, is_dummy: bool) -> SlotAssignment | None:
        if result.predictions is None or not np.isfinite(result.cost):
            return None
        if self.layout.n_test and result.test_predictions is None:
            return None
        return self._slots.place_for(result.cost, is_dummy=is_dummy)

    def _write_predictions(self, result: Result, slot: int) -> int:
        arrays = {schema.PREDICTIONS: result.predictions}
        if self.layout.n_test:
            arrays[schema.TEST_PREDICTIONS] = result.test_predictions
        written = []
        for name, values in arrays.items():
            array = np.ascontiguousarray(values, dtype=self.layout.dtype)
            self._files[0].write(name, slot, array)
            written.append(array)
        return checksum_of(*written)

    def _write_record(self, trial: Trial, record: NDArray[Any]) -> None:
        number = trial.key.number
        slab, index = self._home(number)
        vector = np.ascontiguousarray(trial.vector, dtype="<f8")
        if number not in self._begun:
            slab.write(schema.VECTORS, index, vector)
            self._begun.add(number)
        slab.write(schema.RECORDS, index, sealed(record, vector))

    def _home(self, number: int) -> tuple[_OpenSlab, int]:
        file, position = divmod(number, self.layout.trials_per_rank)
        if file not in self._files:
            self._files[file] = _OpenSlab(self._open_overflow(file), 0)
        return self._files[file], position

    def _open_overflow(self, index: int) -> Any:
        directory, leg, rank = self._place.directory, self._place.leg, self._place.rank
        path = schema.overflow_file(directory, leg, rank, index)
        contents = self._contents.overflow(rank, index)
        file = lay_out(unfinished(path), contents, self._head, with_shared=False, properties=access())
        finish(path)
        self._flusher.add(path)
        return file

    def _shed(self) -> None:
        held = 0
        for position in range(len(self._waiting) - 1, -1, -1):
            result = self._waiting[position]
            held += sum(a.nbytes for a in (result.predictions, result.test_predictions) if a is not None)
            if held > _HELD_BYTES:
                self._waiting[position] = _without_predictions(result)


def _without_predictions(result: Result) -> Result:
    return replace(result, predictions=None, test_predictions=None)


def one_line(error: BaseException) -> str:
    """An error's message without line breaks."""
    return " ".join(str(error).split()) or type(error).__name__
