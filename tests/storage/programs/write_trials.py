"""Writes trials into a store, on every rank: `write_trials.py DIRECTORY LEG TRIALS [options]`."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import NoReturn

import numpy as np

from mpi_automl.errors import JobError, UserError
from mpi_automl.parallel.world import World
from mpi_automl.storage.choice import StoreOptions
from mpi_automl.storage.sizes import StoreLayout
from mpi_automl.storage.store import create_store
from mpi_automl.storage.writer import LostStoreError
from mpi_automl.trial import Origin, Result, Status, Trial, TrialKey

N_HYPERPARAMETERS, N_VALIDATION, N_TEST, N_OUTPUTS = 7, 50, 11, 3


def make_trial(leg: int, rank: int, number: int) -> Trial:
    rng = np.random.default_rng([leg, rank, number])
    is_dummy = rank == 0 and number == 0
    vector = rng.random(N_HYPERPARAMETERS)
    vector[::3] = np.nan
    if is_dummy:
        vector[:] = np.nan
    origin = Origin.DUMMY if is_dummy else Origin.MODEL
    return Trial(TrialKey(leg, rank, number), vector, int(rng.integers(2**32)), origin)


def make_result(trial: Trial) -> Result:
    """The result of a trial, determined by its key: a test knows what must be in the store."""
    rng = np.random.default_rng([*trial.key, 1])
    if trial.key.number % 5 == 4:
        return Result(trial, Status.CRASHED, float("nan"), 10.0, 11.0, reason="ValueError: größer als erlaubt")
    predictions = rng.random((N_VALIDATION, N_OUTPUTS), dtype=np.float32)
    test_predictions = rng.random((N_TEST, N_OUTPUTS), dtype=np.float32)
    cost = 1.0 if trial.origin is Origin.DUMMY else float(rng.random())
    scores = {"f1": 1 - cost}
    times = {"ask_seconds": 0.25, "fit_seconds": 0.5, "predict_seconds": 0.125, "cpu_seconds": 0.75}
    return Result(
        trial, Status.SUCCESS, cost, 10.0, 11.5, predictions, test_predictions, scores, **times, memory_peak=12.5
    )


def make_layout(ranks: int, trials: int, keep: int) -> StoreLayout:
    return StoreLayout(ranks, trials, keep, N_VALIDATION, N_TEST, N_OUTPUTS, N_HYPERPARAMETERS, n_scores=1)


def make_metadata() -> dict[str, object]:
    rows = np.arange(N_VALIDATION) * 2
    return {
        "space": '{"name": "größe"}',
        "truth": rows % 3,
        "validation_rows": rows,
        "test_truth": np.arange(N_TEST) % 3,
        "task_type": "multiclass",
        "metric": "accuracy",
        "extra_metrics": ("f1",),
        "space_digest": "space",
        "table_digest": "table",
        "seed": 1,
        "hosts": ["a", "b"],
    }


def communicator():
    if "OMPI_COMM_WORLD_SIZE" not in os.environ and "PMI_SIZE" not in os.environ:
        return None, 0, 1
    from mpi4py import MPI

    return MPI.COMM_WORLD, MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size


def say(text: str, to: int = 1) -> None:
    """Write a line in one piece, by default to the standard output."""
    os.write(to, f"{text}\n".encode())


def give_up(comm, reason: str) -> NoReturn:
    """End all ranks."""
    say(reason)
    if comm is not None:
        time.sleep(0.5)  # launchers drop what they have not read when a job aborts
        comm.Abort(3)
    os._exit(3)


def announcements(directory: str | None, rank: int) -> int:
    """A file of the rank's own: launchers cut lines in pieces and mix those of several ranks."""
    if directory is None:
        return 1
    place = Path(directory)
    place.mkdir(exist_ok=True)
    return os.open(place / str(rank), os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("leg", type=int)
    parser.add_argument("trials", type=int)
    parser.add_argument("--layout", default="auto")
    parser.add_argument("--room", type=int, default=1000)
    parser.add_argument("--keep", type=int, default=20)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between trials")
    parser.add_argument("--flush", type=float, default=0.05)
    parser.add_argument("--strict", action="store_true", help="announce a trial only when it does not wait")
    parser.add_argument("--announce", help="directory for announcements; default: the standard output")
    parser.add_argument("--in-flight", action="store_true", help="begin one more trial at the end")
    arguments = parser.parse_args()
    comm, rank, ranks = communicator()
    layout = make_layout(ranks, arguments.room, arguments.keep)
    options = StoreOptions(arguments.layout, arguments.flush)
    metadata = make_metadata() if rank == 0 else None
    try:
        store = create_store(arguments.directory, arguments.leg, layout, metadata, World(comm, time.time()), options)
    except (JobError, UserError) as error:
        give_up(comm, f"not made: {error}")
    if rank == 0:
        say(f"layout: {'shared' if store.choice.shared else 'per-rank'} ({store.choice.reason})")
    announce = announcements(arguments.announce, rank)
    for number in range(arguments.trials):
        trial = make_trial(arguments.leg, rank, number)
        store.begin(trial)
        time.sleep(arguments.pause)
        store.write(make_result(trial))
        word = "waiting" if arguments.strict and store.uncommitted else "committed"
        say(f"{word} {arguments.leg} {rank} {number}", announce)
        store.flush_if_due()
    if arguments.in_flight:
        store.begin(make_trial(arguments.leg, rank, arguments.trials))
    try:
        say(f"closed, {store.close()} uncommitted")
    except LostStoreError as error:
        give_up(comm, f"lost: {error}")


if __name__ == "__main__":
    main()
