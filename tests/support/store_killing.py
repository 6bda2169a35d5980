"""Kills a writing job at some moment, and compares what it had committed with what a reader finds."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from launching import CHECKOUT, Launch

from mpi_automl.storage import schema
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.verify import check
from mpi_automl.trial import TrialKey

PROGRAMS = CHECKOUT / "tests" / "storage" / "programs"
WRITER = PROGRAMS / "write_trials.py"
sys.path.insert(0, str(PROGRAMS))

from write_trials import make_result, make_trial  # noqa: E402  # found by the line above

VICTIMS = ("one rank", "all ranks", "launcher")


def layouts() -> list[str]:
    """Layouts that the installed h5py can write."""
    return ["shared", "per-rank"] if h5py.get_config().mpi else ["per-rank"]


@dataclass(frozen=True)
class Aftermath:
    """What was left of a killed job.

    Attributes
    ----------
    announced : int
        Trials whose commit had returned when the job died.
    found : int
        Trials that a reader found.
    lost : tuple of TrialKey
        Announced and not found.
    problems : tuple of str
        Whatever else is not as it must be.
    """

    announced: int
    found: int
    lost: tuple[TrialKey, ...]
    problems: tuple[str, ...]


def ranks_of(launch: Launch) -> list[int]:
    """Process ids of the ranks."""
    return [pid for pid, words in launch.processes().items() if "write_trials" in words and "mpirun" not in words]


def wait_for(launch: Launch, place: Path, key: TrialKey, seconds: float = 60.0) -> None:
    """Wait until the job has announced a trial."""
    limit = time.monotonic() + seconds
    while key not in announced(place):
        if time.monotonic() > limit or launch.process.poll() is not None:
            raise AssertionError(f"trial {key} was not announced: {launch.output()}")
        time.sleep(0.01)


def kill(launch: Launch, victim: str, which: int) -> None:
    """Kill without warning."""
    pids = ranks_of(launch)
    if victim == "launcher":
        pids = [launch.process.pid]
    elif victim == "one rank":
        pids = pids[which % len(pids) :][:1]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def announced(place: Path) -> list[TrialKey]:
    """Trials whose commit had returned, from the complete lines of every rank's own file."""
    texts = [file.read_text() for file in place.glob("*")]
    lines = [line.split() for text in texts for line in text[: text.rfind("\n") + 1].splitlines()]
    return [TrialKey(*map(int, words[1:])) for words in lines if words[0] == "committed"]


def aftermath(directory: Path, keys: Sequence[TrialKey]) -> Aftermath:
    """Read what is left with plain serial h5py and compare it with what was written."""
    if not schema.legs(directory):
        return Aftermath(len(keys), 0, tuple(keys), ())
    reader = RunReader(directory)
    problems = [line for line in check(directory).lines() if line.startswith(("damaged", "The file"))]
    for key, vector, record in zip(reader.keys, reader.vectors, reader.records, strict=True):
        result = make_result(make_trial(*key))
        same = np.array_equal(vector, result.trial.vector, equal_nan=True)
        if not same or not np.array_equal(record["cost"], result.cost, equal_nan=True):
            problems.append(f"trial {key} is not as it was written")
    best = reader.best(10_000)
    if len(best) != reader.has_predictions.sum():
        problems.append("predictions that are kept cannot be read")
    for key, predictions in zip(best, reader.predictions(best), strict=True):
        if not np.array_equal(predictions, make_result(make_trial(*key)).predictions):
            problems.append(f"predictions of trial {key} are not as they were written")
    return Aftermath(len(keys), len(reader), tuple(set(keys) - set(reader.keys)), tuple(problems))
