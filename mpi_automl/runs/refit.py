"""Refits: members of an ensemble are fitted on all rows, by the trial servers of all ranks, with limits."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.evaluation.limits import REFIT_FACTOR, TrialLimits
from mpi_automl.machine.cores_and_threads import threads_of
from mpi_automl.parallel.node_data import share_on_nodes
from mpi_automl.runs.final_model import (
    REFIT,
    describe_members,
    describe_single_best,
    model_files,
    refit_path,
    test_value,
)
from mpi_automl.trial import Status, Trial, TrialKey

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
    from mpi_automl.ensemble.model import EnsembleModel
    from mpi_automl.evaluation.evaluator import Evaluator
    from mpi_automl.evaluation.setup import EvaluationSetup
    from mpi_automl.parallel.world import World
    from mpi_automl.runs.run import Run
    from mpi_automl.settings import Settings

_POLL = 0.05
# For the trial server to say what came of those it was asked to cancel.
_LEAVING = 1.0


def refit(
    trials: Sequence[Trial],
    models: Path,
    world: World,
    evaluator: Evaluator,
    limits: TrialLimits,
    until: float,
) -> dict[TrialKey, str]:
    """Collective. Fit configurations on all rows, dealt over the ranks.

    Parameters
    ----------
    trials : sequence of Trial
        The most important first; the same on every rank.
    models : Path
        Directory of the files, see `refit_path`.
    world : World
    evaluator : Evaluator
        This rank's, opened on the rows, without any trial under way.
    limits : TrialLimits
        Of a trial; fitting on all rows may take `REFIT_FACTOR` times as long.
    until : float
        When to stop, in seconds since the epoch on rank 0's clock.

    Returns
    -------
    dict of TrialKey to str
        On rank 0, why a configuration has no model; elsewhere nothing.
    """
    own = _RankRefits(trials[world.rank :: world.size], models, evaluator, limits)
    while own.are_left and world.now() < until:
        own.submit(until - world.now())
        own.take_results()
    merged: dict[TrialKey, str] = {}
    for failures in world.gather(own.end()):
        merged.update(failures)
    return merged


class _RankRefits:
    """The refits of this rank: those that wait, those under way, and why some have failed."""

    def __init__(self, trials: Sequence[Trial], models: Path, evaluator: Evaluator, limits: TrialLimits) -> None:
        self._waiting = deque(trials)
        self._under_way: set[TrialKey] = set()
        self._failures: dict[TrialKey, str] = {}
        self._models, self._evaluator, self._limits = models, evaluator, limits

    @property
    def are_left(self) -> bool:
        return bool(self._waiting or self._under_way)

    def submit(self, time_left: float) -> None:
        """Start as many as the trial server takes."""
        seconds = min(REFIT_FACTOR * self._limits.seconds, time_left)
        while self._waiting and self._evaluator.can_submit:
            trial = self._waiting.popleft()
            self._under_way.add(trial.key)
            path = refit_path(self._models, trial.key)
            self._evaluator.refit(trial, path, seconds=seconds, memory=self._limits.memory)

    def take_results(self) -> None:
        for result in self._evaluator.poll(_POLL):
            self._under_way.discard(result.trial.key)
            if result.status is not Status.SUCCESS:
                self._failures[result.trial.key] = result.reason

    def end(self) -> dict[TrialKey, str]:
        """Cancel what is left; gives why configurations have no model."""
        self._evaluator.cancel()
        leaving = time.monotonic() + _LEAVING
        while self._under_way and time.monotonic() < leaving:
            self.take_results()
        unfinished = (*self._under_way, *(trial.key for trial in self._waiting))
        return self._failures | dict.fromkeys(unfinished, "there was no time left")


def refit_setup(
    trials: Sequence[Trial],
    models: Path,
    world: World,
    evaluator: Evaluator,
    make: Callable[[], EvaluationSetup],
    settings: Settings,
) -> dict[TrialKey, str]:
    """Collective. Open the trial servers on rows and fit configurations on all of them, as `refit` does.

    Parameters
    ----------
    trials, models, world, evaluator
        As for `refit`.
    make : callable
        Makes the setup with the rows; called on rank 0 only.
    settings : Settings
        With the limits: ``time`` of everything, ``trial_time`` and ``trial_memory`` of one configuration.
    """
    node_file = share_on_nodes(world, make, settings.scratch)
    evaluator.open(node_file.path)
    return refit(trials, models, world, evaluator, TrialLimits.of(settings), world.now() + settings.time)


def refit_run(
    world: World, evaluator: Evaluator, run: Run, load: Callable[[], Task], seconds: float
) -> dict[TrialKey, str]:
    """Collective. Fit the members on the rows of the run, and put them into the run's final model.

    A member that cannot be fitted in time keeps the models it has.

    Parameters
    ----------
    world : World
    evaluator : Evaluator
        This rank's, started before MPI was initialised.
    run : Run
        With a final model.
    load : callable
        Makes the task that the run learned; called on rank 0 only.
    seconds : float
        Time that fitting may take.

    Returns
    -------
    dict of TrialKey to str
        On every rank, why a member was not fitted.

    Raises
    ------
    UserError
        On every rank, if the run has no model or the table is not the run's.
    """
    settings, threads = run.settings, _threads(run.settings, world)
    trials = world.on_root(lambda: _member_trials(run, run.model))
    # A trial's limit may follow from the time of the run, which has nothing to do with the time of the refit.
    settings = replace(settings, time=seconds, trial_time=TrialLimits.of(settings).seconds)
    failures = refit_setup(
        trials, run.path / "models", world, evaluator, lambda: _setup_of_run(run, load(), threads), settings
    )
    return world.on_root(lambda: _replace_members(run, failures))


def refit_rows(
    world: World,
    evaluator: Evaluator,
    run: Run,
    model: EnsembleModel,
    rows: tuple[Any, Any],
    place: Path,
    settings: Settings,
) -> dict[TrialKey, str]:
    """Collective. Fit the members of a run's model on other rows, and write the model that they make.

    A member that cannot be fitted in time keeps the models it has.

    Parameters
    ----------
    world, evaluator, run
        As for `refit_run`.
    model : EnsembleModel
    rows : table and array
        Features and target as they were in the training table; rank 0's count.
    place : Path
        Directory of the new model, which all ranks see; made if need be.
    settings : Settings
        With the limits, as for `refit_setup`.

    Returns
    -------
    dict of TrialKey to str
        On every rank, why a member was not fitted.

    Raises
    ------
    UserError
        On every rank, if no member could be fitted or the rows do not fit the model.
    """
    threads = _threads(settings, world)
    trials = world.on_root(lambda: _member_trials(run, model))
    world.on_root(lambda: place.mkdir(parents=True, exist_ok=True))
    failures = refit_setup(
        trials, place, world, evaluator, lambda: _setup_of_rows(run, model, rows, settings, threads), settings
    )

    def write() -> dict[TrialKey, str]:
        fitted = {trial.key: refit_path(place, trial.key) for trial in trials if trial.key not in failures}
        _write_model(place, model, fitted, failures)
        for path in fitted.values():
            path.unlink()
        return failures

    return world.on_root(write)


def _threads(settings: Settings, world: World) -> int:
    """Collective. Threads of one fit, the same on every rank."""
    return world.on_root(lambda: threads_of(settings, world.cores_per_rank))


def _member_trials(run: Run, model: EnsembleModel) -> list[Trial]:
    return [run.reader.trial(key) for key in model.weights]


def _setup_of_run(run: Run, task: Task, threads: int) -> EvaluationSetup:
    from mpi_automl.evaluation.setup import make_setup, training_rows_first

    if task.digest != run.reader.legs[-1].table_digest:
        raise UserError(f"The table is not the one of {run.path}; name the run's training rows with --table.")
    setup = replace(make_setup(task, run.settings, threads), space=run.space)
    # The order of the rows, on which some learners depend, is then that of the job.
    return training_rows_first(setup)


def _setup_of_rows(
    run: Run, model: EnsembleModel, rows: tuple[Any, Any], settings: Settings, threads: int
) -> EvaluationSetup:
    """A setup without folds: nothing is validated."""
    from mpi_automl.data.prepare import Task
    from mpi_automl.data.resampling import Resampling
    from mpi_automl.evaluation.setup import EvaluationSetup

    schema = model.schema
    X, y = schema.encode(rows[0]), schema.encode_target(rows[1])
    profile = replace(run.space.profile, n_rows=X.shape[0])
    return EvaluationSetup(
        Task("rows", schema.task_type, X, y, profile, schema, digest=""),
        Resampling("none", (), np.empty(0, np.int64)),
        run.space,
        run.metric,
        threads=threads,
        staged_fitting=settings.staged_fitting,
        stop_at_deadline=not settings.deterministic,
    )


def _write_model(
    place: Path, model: EnsembleModel, fitted: dict[TrialKey, Path], failures: dict[TrialKey, str]
) -> None:
    """Write a model with the refits there are; other members keep the files they have."""
    from mpi_automl.ensemble.model import add_member, write_manifest

    if not fitted:
        raise UserError(f"No member could be fitted: {next(iter(failures.values()))}.")
    files = dict(model.files)
    for key in model.files:
        if key in fitted:
            files[key] = add_member(place, key, fitted[key], REFIT)
        elif place != model.directory:
            files[key] = model.write_member(key, place)
    write_manifest(place, model.schema, model.combination, files, model.metric, model.run)


def _replace_members(run: Run, failures: dict[TrialKey, str]) -> dict[TrialKey, str]:
    from mpi_automl.metrics.registry import get_metric

    model = run.model
    files = model_files(run.directory, model.weights, REFIT)
    _write_model(model.directory, model, {key: path for key, path in files.items() if key not in failures}, failures)
    if run.summary is not None:
        judged = copy(run)
        judged.metric = get_metric(model.metric, model.schema.task_type, model.schema.units)
        outcome = replace(
            run.summary,
            members=describe_members(judged, model.weights, files),
            test_value=test_value(judged, model.combination, files),
            single_best=describe_single_best(judged, files),
        )
        run.directory.write_ensemble(run.directory.read_ensemble() | outcome.to_mapping())
    return failures
