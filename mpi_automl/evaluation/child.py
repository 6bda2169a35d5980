"""In the child process of one trial: what it does from the fork to its end."""

from __future__ import annotations

import gc
import math
import os
import random
import resource
import signal
import socket
import sys
import time
import warnings
from dataclasses import dataclass
from itertools import islice
from multiprocessing.resource_tracker import _resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from mpi_automl.atomic_write import atomic_write
from mpi_automl.evaluation import linux
from mpi_automl.evaluation.evaluate import Assignment, Evaluation, evaluate, refit
from mpi_automl.evaluation.messages import Message, with_arrays
from mpi_automl.evaluation.model_files import file_of_test_predictions
from mpi_automl.evaluation.process_tree import remove_shared_memory
from mpi_automl.evaluation.trial_status import TimeLimitError, status_of_exception
from mpi_automl.space.predictions import predict
from mpi_automl.trial import Status

if TYPE_CHECKING:
    from mpi_automl.evaluation.setup import EvaluationSetup

_PLANNED_SHARE = 0.9
"""Share of the time limit that staged fitting may plan with, the rest being for predicting."""
_IMPORTED_BY_SERVER = (
    "sklearn",
    "scipy",
    "numpy",
    "pandas",
    "joblib",
    "skops",
    "lightgbm",
    "xgboost",
    "catboost",
    "mpi_automl",
)
"""Packages whose modules the server imports for later trials once one has needed them; others may have side effects."""


@dataclass(frozen=True)
class ChildEnvironment:
    """What the child needs to know of the server.

    Attributes
    ----------
    server : int
        Process id.
    results, output : int
        Descriptors to write messages to, and for standard output and error.
    foreign : tuple of int
        Descriptors of the server that a trial must not hold.
    scratch : Path
        Directory for whatever the trial wants to write.
    """

    server: int
    results: int
    output: int
    foreign: tuple[int, ...]
    scratch: Path


def run_in_child(job: Message, setup: EvaluationSetup, environment: ChildEnvironment) -> NoReturn:
    """Carry out one job in the forked child, report, and end the process."""
    exit_status = 1
    began = time.time()
    try:
        started = time.monotonic()
        channel = isolate_process(job, environment)
        known = len(sys.modules)
        if job.kind == "refit":
            _run_refit(job, setup, channel, started)
        else:
            _run_trial(job, setup, channel, started, known)
        if getattr(_resource_tracker, "_pid", None) is not None:
            remove_shared_memory([os.getpid()], began)
        exit_status = 0
    finally:
        os._exit(exit_status)


def isolate_process(job: Message, environment: ChildEnvironment) -> socket.socket:
    """Give this process its own session, signals, descriptors, limits and seeds; returns the channel to the server."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, _raise_time_limit)
    linux.die_with_parent(environment.server)
    os.setsid()
    linux.volunteer_for_oom_killer()
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(environment.output, 1)
    os.dup2(environment.output, 2)
    for descriptor in environment.foreign:
        os.close(descriptor)
    os.chdir(environment.scratch)
    linux.limit_private_memory(_mapped_memory_limit(job.facts["memory"]))
    random.seed(job.facts["seed"])
    np.random.seed(job.facts["seed"] % 2**32)  # noqa: NPY002  # for learners that use the global generator
    warnings.simplefilter("ignore")
    gc.enable()
    return socket.socket(fileno=environment.results)


def _mapped_memory_limit(memory: float) -> float:
    """MiB of maps, used or not: far beyond what threads and reserved regions of a decent learner need.

    It makes an absurd allocation fail at once; what a trial really takes is watched by the server.
    """
    return 4 * memory + 16 * 1024


def _raise_time_limit(signal_number: int, frame: Any) -> None:
    raise TimeLimitError


def _assignment(job: Message, setup: EvaluationSetup, started: float) -> Assignment:
    facts = job.facts
    (vector,) = job.arrays()
    assert vector is not None
    deadline = started + _PLANNED_SHARE * facts["seconds"] if setup.stop_at_deadline else math.inf
    return Assignment(vector, facts["seed"], facts["budget"], deadline, facts["iterations"], facts["prune_above"])


def _run_trial(job: Message, setup: EvaluationSetup, channel: socket.socket, started: float, known: int) -> None:
    def on_partial(outcome: Evaluation) -> None:
        _send(channel, to_message("partial", outcome))

    try:
        outcome = evaluate(setup, _assignment(job, setup, started), on_partial if setup.stop_at_deadline else None)
    except BaseException as error:
        _send_failure(channel, error)
        return
    final = to_message("done", outcome)
    final.facts["modules"] = _imported_since(known)
    _send(channel, final)
    model_path = job.facts["path"]
    if model_path and outcome.models and outcome.cost < job.facts["keep_model_below"]:
        save_models(outcome.models, Path(model_path))


def _imported_since(known: int) -> list[str]:
    """Modules that the trial had to import; the first ones are not looked at, which would copy their pages."""
    new = islice(reversed(sys.modules), len(sys.modules) - known)
    return [name for name in new if name.partition(".")[0] in _IMPORTED_BY_SERVER]


def _check_learning(note: str, seconds: float, job: Message, n_folds: int) -> None:
    # Rows that a run did not learn have no folds, and the models of its folds are no match for them.
    if note and n_folds and seconds < job.facts["fit_seconds"] / n_folds:
        raise TimeLimitError(f"{note}, when the models of its folds had learned more")


def _run_refit(job: Message, setup: EvaluationSetup, channel: socket.socket, started: float) -> None:
    try:
        pipeline, note = refit(setup, _assignment(job, setup, started))
        _check_learning(note, time.monotonic() - started, job, len(setup.resampling.folds))
        path, task = Path(job.facts["path"]), setup.task
        if task.X_test is not None:
            predictions = predict(pipeline, task.X_test, task.type, task.profile.n_outputs)
            with atomic_write(file_of_test_predictions(path)) as temporary, temporary.open("wb") as file:
                np.save(file, predictions)
        save_models([pipeline], path)
    except BaseException as error:
        _send_failure(channel, error)
        return
    _send(channel, Message("done", {"status": int(Status.SUCCESS), "reason": note, **_used()}))


def save_models(models: list[Any], path: Path) -> None:
    """Write fitted pipelines, as one list, by skops; the file is there in full or not at all.

    Parameters
    ----------
    models : list of estimator
    path : Path
    """
    import skops.io

    with atomic_write(path) as temporary, temporary.open("wb") as file:
        skops.io.dump(models, file)


def to_message(kind: str, outcome: Evaluation) -> Message:
    """The message to the server about a finished ("done") or unfinished ("partial") evaluation."""
    facts = {
        "status": int(outcome.status),
        "cost": outcome.cost,
        "scores": outcome.scores,
        "fit_seconds": outcome.fit_seconds,
        "predict_seconds": outcome.predict_seconds,
        "reason": outcome.reason,
        "iterations": outcome.iterations,
        **_used(),
    }
    return with_arrays(kind, facts, [outcome.predictions, outcome.test_predictions])


def _used() -> dict[str, float]:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu_seconds = math.fsum(usage.ru_utime + usage.ru_stime for usage in usages)
    return {"cpu_seconds": cpu_seconds, "memory": linux.memory_status(os.getpid()).anonymous}


def _send(channel: socket.socket, message: Message) -> None:
    for piece in message.encode():
        channel.sendall(piece)


def _send_failure(channel: socket.socket, error: BaseException) -> None:
    linux.lift_memory_limit()
    status, reason = status_of_exception(error)
    del error
    _send(channel, Message("failed", {"status": int(status), "reason": reason, **_used()}))
