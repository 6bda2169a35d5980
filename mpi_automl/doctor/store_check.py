"""Whether a store works in a directory: a few bytes, written by all ranks and read back."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.parallel.world import World
from mpi_automl.runs.run import Run
from mpi_automl.storage.sizes import StoreLayout
from mpi_automl.storage.store import create_store
from mpi_automl.trial import Origin, Trial, TrialKey

_METADATA = {"space": "{}", "truth": np.zeros(1), "validation_rows": np.zeros(1, np.int64)}


@dataclass(frozen=True)
class StoreTrial:
    """What came of writing and reading.

    Attributes
    ----------
    problem : str
        Empty when everything was read back.
    layout : str
    seconds : float
        For laying out, writing, closing and reading.
    """

    problem: str
    layout: str = ""
    seconds: float = 0.0


def try_store(world: World, directory: Path) -> StoreTrial:
    """Collective. Write one record per rank in a new directory inside `directory`, read them, and remove it."""
    try:
        place = world.on_root(lambda: _make_place(directory))
    except UserError as error:
        return StoreTrial(str(error))
    try:
        return _written_and_read(world, place)
    except UserError as error:
        return StoreTrial(str(error))
    finally:
        if world.is_root:
            shutil.rmtree(place, ignore_errors=True)


def _make_place(directory: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="mpi_automl_doctor_", dir=directory))
    except OSError as error:
        raise UserError(f"Nothing can be written in {directory} ({error.strerror}).") from None


def _written_and_read(world: World, place: Path) -> StoreTrial:
    started = time.monotonic()
    layout = StoreLayout(
        ranks=world.size,
        trials_per_rank=1,
        predictions_per_rank=1,
        n_validation=1,
        n_test=0,
        n_outputs=1,
        n_hyperparameters=1,
    )
    metadata = _METADATA if world.is_root else None
    store = create_store(place, 0, layout, metadata, world)
    store.begin(Trial(TrialKey(0, world.rank, 0), np.zeros(1), 0, Origin.RANDOM))
    problem = store.problem
    store.close()
    world.wait()

    def read() -> StoreTrial:
        found = len(Run(place).reader.in_flight().keys)
        missing = "" if found == world.size else f"only {found} of {world.size} ranks' records were read back"
        kind = "one shared file" if store.choice.shared else "one file per rank"
        return StoreTrial(problem or missing, f"{kind} ({store.choice.reason})", time.monotonic() - started)

    return world.on_root(read)
