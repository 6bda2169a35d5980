"""What the estimators tell of a run: read from its directory when asked."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.ensemble.model import EnsembleModel, MemberFile, add_member, write_manifest
from mpi_automl.metrics.registry import get_metric
from mpi_automl.runs.run_facts import RunFacts
from mpi_automl.storage.reader import RunReader
from mpi_automl.trial import TrialKey

if TYPE_CHECKING:
    import pandas as pd

    from mpi_automl.estimators.jobs import Data
    from mpi_automl.parallel.world import World
    from mpi_automl.settings import Settings
    from mpi_automl.space.space import SearchSpace


def score(model: EnsembleModel, X: Any, y: Any) -> float:
    """Score of a model on raw rows by the metric it was chosen by."""
    schema = model.schema
    metric = get_metric(model.metric, schema.task_type)
    return metric.score(schema.encode_target(y), model.predictions(schema.encode(X)), schema.task_type)


def members(directory: str, model: EnsembleModel) -> dict[str, dict[str, Any]]:
    """Members of a model, heaviest first."""
    reader, facts = RunReader(directory), RunFacts.of_directory(directory, plugins=model.trusted)
    return {
        str(key): {
            "ensemble_weight": weight,
            "cost": reader.cost(key),
            "pipeline": facts.space.describe(reader.vector(key)),
            "configuration": facts.space.configuration(reader.vector(key)),
            "estimators": model.pipelines(key),
        }
        for key, weight in model.weights.items()
    }


def statistics(directory: str, plugins: Sequence[str] = ()) -> str:
    """A few lines about a run."""
    reader, facts = RunReader(directory), RunFacts.of_directory(directory, plugins=plugins)
    table = reader.trials()
    best = facts.metric.value_of(float(_whole_costs(table).min()))
    counts = table["status"].value_counts().sort_index()
    lines = [
        f"Metric: {facts.metric.name}",
        f"Best validation value: {best:.6g}",
        f"Trials: {len(table)}",
        *(f"  {status}: {count}" for status, count in counts.items()),
    ]
    return "\n".join(lines)


def cv_results(directory: str, plugins: Sequence[str] = ()) -> dict[str, NDArray[Any]]:
    """Trials in the form of scikit-learn's searches."""
    reader, facts = RunReader(directory), RunFacts.of_directory(directory, plugins=plugins)
    table = reader.trials()
    values = facts.metric.value_of(table["cost"].to_numpy())
    configurations = [facts.space.configuration(vector) for vector in reader.vectors]
    columns: dict[str, NDArray[Any]] = {
        "mean_test_score": values if facts.metric.greater_is_better else -values,
        "rank_test_scores": _whole_costs(table).rank(method="min", na_option="bottom").to_numpy(dtype=int),
        "mean_fit_time": table["fit_seconds"].to_numpy(),
        "params": np.array(configurations, dtype=object),
        "status": table["status"].to_numpy(dtype=object),
        "budgets": table["budget"].to_numpy(),
        "model_ids": table["key"].to_numpy(dtype=object),
    }
    for name, scores in reader.scores().items():
        columns[f"metric_{name}"] = np.ma.masked_invalid(scores)
    for name in sorted({name for configuration in configurations for name in configuration}):
        known = [configuration.get(name) for configuration in configurations]
        columns[f"param_{name}"] = np.ma.MaskedArray(known, mask=[value is None for value in known], dtype=object)
    return columns


def performance_over_time(directory: str, plugins: Sequence[str] = ()) -> pd.DataFrame:
    """Best score so far after each trial."""
    import pandas as pd

    reader, facts = RunReader(directory), RunFacts.of_directory(directory, plugins=plugins)
    table = reader.trials()
    table = table[_whole_costs(table).notna()].sort_values("end")
    values = facts.metric.value_of(table["cost"].cummin().to_numpy())
    ended = pd.to_datetime(table["end"].to_numpy(), unit="s", utc=True)
    return pd.DataFrame({"Timestamp": ended, "single_best_optimization_score": values})


def _whole_costs(table: pd.DataFrame) -> pd.Series[float]:
    """Costs of the trials that were evaluated to the end; NaN for the others."""
    return table["cost"].where(table["status"] == "success")


def refit(world: World, directory: str, model: EnsembleModel, X: Any, y: Any, place: Path) -> None:
    """Collective. Fit the members anew on all rows, dealt over the ranks, and write the model to a place all see."""
    reader, facts = RunReader(directory), RunFacts.of_directory(directory, plugins=model.trusted)
    encoded, codes = model.schema.encode(X), model.schema.encode_target(y)
    files = {}
    for key in list(model.weights)[world.rank :: world.size]:
        try:
            pipelines = [_fitted(facts.space, reader.vector(key), reader.trial(key).seed, encoded, codes)]
            kind = "refit"
        except Exception as error:  # whatever a learner raises, its fold models are still good
            warnings.warn(f"Member {key} keeps the models of its folds: {error!r}", stacklevel=2)
            pipelines, kind = model.pipelines(key), model.files[key].kind
        files[key] = _put(place, key, pipelines, kind)
    gathered = world.gather(files)
    if world.is_root:
        merged = {key: file for part in gathered for key, file in part.items()}
        write_manifest(place, model.schema, model.combination, merged, model.metric)
    world.wait()


def _put(place: Path, key: TrialKey, pipelines: list[Any], kind: str) -> MemberFile:
    import skops.io

    place.mkdir(parents=True, exist_ok=True)
    source = place / f"{key}.fitted"
    skops.io.dump(pipelines, source)
    file = add_member(place, key, source, kind)
    source.unlink()
    return file


def world_of(comm: Any) -> World:
    """Collective. The ranks of a communicator; by default all that a launcher started, or this process alone."""
    from mpi_automl.machine.launcher import detect_launch
    from mpi_automl.parallel.world import World, open_world

    started = time.time()
    return World(comm, started) if comm is not None else open_world(started, detect_launch())


def space_of(data: Data, settings: Settings) -> SearchSpace:
    """The search space for a table."""
    from mpi_automl.space.registry import import_plugins
    from mpi_automl.space.space import build_space

    import_plugins(settings.plugins)
    profile = data.task(settings).profile
    return build_space(profile, include=settings.include, exclude=settings.exclude, seed=settings.seed)


def fit_pipeline(data: Data, settings: Settings, config: Any) -> Any:
    """Fit a configuration on all rows."""
    task = data.task(settings)
    return _fitted(space_of(data, settings), config.get_array(), settings.seed, task.X, task.y)


def _fitted(space: SearchSpace, vector: NDArray[np.float64], seed: int, X: Any, y: Any) -> Any:
    from mpi_automl.evaluation import staged_fitting

    candidate = space.build(vector, seed)
    staged_fitting.fit(candidate, X, y, deadline=float("inf"))
    return candidate.pipeline
