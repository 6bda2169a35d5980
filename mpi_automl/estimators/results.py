"""What the estimators tell of a run: read from its directory when asked."""

from __future__ import annotations

import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.errors import UserError
from mpi_automl.estimators.agreement import Prepared
from mpi_automl.estimators.fitted_model import check_origin
from mpi_automl.estimators.servers import trial_server
from mpi_automl.machine.cores_and_threads import threads_before_mpi
from mpi_automl.metrics.registry import get_metric
from mpi_automl.space.registry import import_plugins
from mpi_automl.trial import Origin, Trial, TrialKey

if TYPE_CHECKING:
    import pandas as pd

    from mpi_automl.ensemble.model import EnsembleModel
    from mpi_automl.estimators.jobs import Data
    from mpi_automl.evaluation.evaluator import Evaluator
    from mpi_automl.parallel.world import World
    from mpi_automl.runs.run import Run
    from mpi_automl.settings import Settings
    from mpi_automl.space.space import SearchSpace


def score(model: EnsembleModel, X: Any, y: Any) -> float:
    """Score of a model on raw rows by the metric it was chosen by."""
    schema = model.schema
    metric = get_metric(model.metric, schema.task_type, schema.units)
    return metric.score(schema.encode_target(y), model.predictions(schema.encode(X)), schema.task_type)


def weighted_estimators(model: EnsembleModel) -> list[tuple[float, list[Any]]]:
    """Weight and fitted pipelines of each member, heaviest first; values are in the units of the table."""
    from mpi_automl.ensemble.sklearn_export import in_units_of_table

    return [
        (weight, [in_units_of_table(pipeline, model.schema.units) for pipeline in model.pipelines(key)])
        for key, weight in model.weights.items()
    ]


def members(run: Run, model: EnsembleModel) -> dict[str, dict[str, Any]]:
    """Members of a model, heaviest first."""
    return {
        str(key): {
            "ensemble_weight": weight,
            "cost": run.reader.cost(key),
            "pipeline": run.space.describe(run.reader.vector(key)),
            "configuration": run.space.configuration(run.reader.vector(key)),
            "estimators": estimators,
        }
        for key, (weight, estimators) in zip(model.weights, weighted_estimators(model), strict=True)
    }


def statistics(run: Run) -> str:
    """A few lines about a run."""
    statuses = run.reader.trials()["status"]
    best = run.metric.value_of(run.reader.records["cost"][run.ranking[:1]])
    lines = [
        f"Metric: {run.metric.name}",
        f"Best validation value: {best[0]:.6g}" if len(best) else "No trial has succeeded.",
        f"Trials: {len(statuses)}",
        *(f"  {status}: {count}" for status, count in statuses.value_counts().sort_index().items()),
    ]
    return "\n".join(lines)


def cv_results(run: Run) -> dict[str, NDArray[Any]]:
    """Trials in the form of scikit-learn's searches."""
    table = run.reader.trials()
    values = run.metric.value_of(table["cost"].to_numpy())
    configurations = [run.space.configuration(vector) for vector in run.reader.vectors]
    ranks = table["cost"].where(run.is_full).rank(method="min", na_option="bottom")
    columns: dict[str, NDArray[Any]] = {
        "mean_test_score": values if run.metric.greater_is_better else -values,
        "rank_test_scores": ranks.to_numpy(dtype=int),
        "mean_fit_time": table["fit_seconds"].to_numpy(),
        "params": np.array(configurations, dtype=object),
        "status": table["status"].to_numpy(dtype=object),
        "budgets": table["budget"].to_numpy(),
        "model_ids": table["key"].to_numpy(dtype=object),
    }
    for name, scores in run.reader.scores().items():
        columns[f"metric_{name}"] = np.ma.masked_invalid(scores)
    for name in sorted({name for configuration in configurations for name in configuration}):
        known = [configuration.get(name) for configuration in configurations]
        columns[f"param_{name}"] = np.ma.MaskedArray(known, mask=[value is None for value in known], dtype=object)
    return columns


def performance_over_time(run: Run) -> pd.DataFrame:
    """When each incumbent was found, and its score."""
    import pandas as pd

    records = run.reader.records[run.incumbents()]
    ended = pd.to_datetime(records["end"].astype(float), unit="s", utc=True)
    values = run.metric.value_of(records["cost"])
    return pd.DataFrame({"Timestamp": ended, "single_best_optimization_score": values})


def load_model(world: World, directory: Path, trusted: Sequence[str]) -> EnsembleModel:
    """Collective. A final model, which one rank reads for all unless it is large."""
    from mpi_automl.ensemble.model import EnsembleModel

    def load() -> EnsembleModel:
        import_plugins(trusted)
        return EnsembleModel.load(directory, trusted=trusted)

    def load_small() -> EnsembleModel | None:
        model = load()
        return model if model.is_in_memory else None

    return world.on_root(load_small) or world.together(load)


def load_on_ranks(comm: Any, directory: Path, trusted: Sequence[str]) -> EnsembleModel:
    """Collective. `load_model` on the ranks of a communicator; by default all under a launcher, else this process."""
    from mpi_automl.job.session import start_ranks

    with start_ranks(comm=comm, started=time.time()) as ranks:
        return load_model(ranks.world, directory, trusted)


def refit(
    fitted: Callable[[], tuple[Run, EnsembleModel]],
    prepare: Callable[[], tuple[Settings, tuple[Any, Any]]],
    comm: Any,
) -> EnsembleModel:
    """Collective. Fit the members on all rows, within the settings' limits; gives the new model.

    Parameters
    ----------
    fitted : callable
        Gives the run and its model, once all ranks are known to have them.
    prepare : callable
        Makes the settings and the rows, of which rank 0's are used; what it raises on one rank ends all.
    comm : mpi4py.MPI.Intracomm or None
    """
    from mpi_automl.job.session import start_ranks
    from mpi_automl.runs.refit import refit_rows

    with ExitStack() as stack:

        def start() -> tuple[Settings, tuple[Any, Any], Evaluator]:
            settings, rows = prepare()
            return settings, rows, stack.enter_context(trial_server(settings))

        prepared = Prepared(start, comm)
        with start_ranks(comm=comm, started=time.time(), check=prepared.check) as ranks:
            world = ranks.world
            settings, rows, evaluator = prepared.value
            settings = world.on_root(lambda: settings)
            run, model = fitted()
            world.on_root(lambda: check_origin(model, run))
            # Ranks need a place that all of them see.
            place = world.on_root(lambda: _new_directory(None if world.size == 1 else run.path))
            try:
                failures = refit_rows(world, evaluator, run, model, rows, place, settings)
                refitted = load_model(world, place, model.trusted)
            finally:
                if world.is_root:
                    shutil.rmtree(place, ignore_errors=True)
    for key, reason in failures.items():
        warnings.warn(f"Member {key} keeps the models of its folds: {reason}.", stacklevel=2)
    return refitted


def _new_directory(parent: Path | None) -> Path:
    try:
        return Path(mkdtemp(prefix="model-refit-", dir=parent))
    except OSError as error:
        raise UserError(f"{parent or 'The temporary directory'} takes no new model ({error.strerror}).") from None


def space_of(data: Data, settings: Settings) -> SearchSpace:
    """The search space for a table."""
    from mpi_automl.space.space import build_space

    import_plugins(settings.plugins)
    profile = data.task(settings).profile
    return build_space(profile, include=settings.include, exclude=settings.exclude, seed=settings.seed)


def fit_pipeline(data: Data, settings: Settings, config: Any) -> Any:
    """Fit a configuration on all rows, within the settings' limits."""
    from mpi_automl.ensemble.saved_pipelines import load_pipelines
    from mpi_automl.ensemble.sklearn_export import in_units_of_table
    from mpi_automl.evaluation.setup import make_setup
    from mpi_automl.parallel.world import World
    from mpi_automl.runs.final_model import refit_path
    from mpi_automl.runs.refit import refit_setup

    import_plugins(settings.plugins)
    setup = make_setup(data.task(settings), settings, threads_before_mpi(settings))
    trial = Trial(TrialKey(0, 0, 0), config.get_array(), settings.seed, Origin.DEFAULT)
    with trial_server(settings) as evaluator, TemporaryDirectory(prefix="mpi_automl_") as place:
        failures = refit_setup([trial], Path(place), World(None, time.time()), evaluator, lambda: setup, settings)
        if failures:
            raise UserError(f"The configuration could not be fitted: {failures[trial.key]}.")
        pipeline = load_pipelines(refit_path(Path(place), trial.key), settings.plugins)[0]
    return in_units_of_table(pipeline, setup.task.schema.units)
