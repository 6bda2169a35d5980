"""The members of a finished run's ensemble, fitted anew on all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mpi_automl.errors import UserError
from mpi_automl.job.observer import Observer
from mpi_automl.job.plan import TrialLimits, trial_seconds
from mpi_automl.job.preparation import Preparation
from mpi_automl.job.rank_log import RankLog
from mpi_automl.machine.cores import threads_of
from mpi_automl.parallel.node_data import share_on_nodes
from mpi_automl.runs.final_model import REFIT, describe_members, member_file, model_files, test_value
from mpi_automl.runs.refit_members import refit
from mpi_automl.runs.run_facts import RunFacts
from mpi_automl.runs.summary import RunSummary
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.trial import Trial, TrialKey

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
    from mpi_automl.ensemble.model import EnsembleModel
    from mpi_automl.evaluation.evaluator import Evaluator
    from mpi_automl.parallel.world import World
    from mpi_automl.settings import Settings


def refit_run(
    world: World, evaluator: Evaluator, path: Path, settings: Settings, load: Callable[[], Task], seconds: float
) -> dict[TrialKey, str]:
    """Collective. Fit the members on all rows, dealt over the ranks, and put them into the run's final model.

    A member that cannot be fitted in time keeps the models it has.

    Parameters
    ----------
    world : World
    evaluator : Evaluator
        This rank's, started before MPI was initialised.
    path : Path
        The run directory.
    settings : Settings
        The run's own.
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
    threads = threads_of(settings, world)
    preparation = Preparation(replace(settings, resume=str(path)), load, RankLog(), Observer(), threads)
    directory = world.on_root(lambda: RunDirectory(path))
    trials = world.on_root(lambda: _members(directory))
    node_file = share_on_nodes(world, preparation.evaluation_setup, settings.scratch)
    evaluator.open(node_file.path)
    until = world.now() + seconds
    limits = TrialLimits(trial_seconds(settings), settings.trial_memory, until)
    failures = refit(trials, directory.models, world, evaluator, limits, until)
    return world.on_root(lambda: _take_in(directory, RunFacts.of_setup(preparation.setup), failures))


def _model(directory: RunDirectory) -> EnsembleModel:
    from mpi_automl.ensemble.model import EnsembleModel

    return EnsembleModel.load(directory.model)


def _members(directory: RunDirectory) -> list[Trial]:
    reader = RunReader(directory.path)
    return [reader.trial(key) for key in _model(directory).weights]


def _take_in(directory: RunDirectory, facts: RunFacts, failures: dict[TrialKey, str]) -> dict[TrialKey, str]:
    from mpi_automl.ensemble.model import write_manifest
    from mpi_automl.metrics.registry import get_metric

    model = _model(directory)
    fitted = {key: path for key, path in model_files(directory, model.weights, REFIT).items() if key not in failures}
    if not fitted:
        raise UserError(f"No member could be fitted: {next(iter(failures.values()))}.")
    files = model.files | {key: member_file(directory, key, path) for key, path in fitted.items()}
    write_manifest(directory.model, model.schema, model.combination, files, model.metric)
    if directory.ensemble.exists():
        _describe_anew(directory, replace(facts, metric=get_metric(model.metric, model.schema.task_type)), model)
    return failures


def _describe_anew(directory: RunDirectory, facts: RunFacts, model: EnsembleModel) -> None:
    reader, stored = RunReader(directory.path), directory.read_ensemble()
    files = model_files(directory, model.weights, REFIT)
    outcome = replace(
        RunSummary.from_mapping(stored, directory.path),
        members=describe_members(reader, facts, model.weights, files),
        test_value=test_value(reader, facts, model.combination, files),
    )
    directory.write_ensemble(stored | outcome.to_mapping())
