"""Another ensemble from the trials of a run that is finished, killed or still going on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError
from mpi_automl.runs.final_model import describe_members, model_files, save_model, test_value
from mpi_automl.runs.run_facts import RunFacts
from mpi_automl.runs.selection import DUMMY, EnsembleRules, Survey, find_dummy, select_together, survey
from mpi_automl.runs.summary import RunSummary
from mpi_automl.settings import Settings
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.trial import Status

if TYPE_CHECKING:
    from mpi_automl.ensemble.build import Ensemble
    from mpi_automl.parallel.world import World


def rebuild_ensemble(
    world: World,
    path: Path | str,
    *,
    metric: str | None = None,
    final: str | None = None,
    plugins: Sequence[str] = (),
    **changes: Any,
) -> RunSummary:
    """Collective. Build an ensemble from what a run has stored so far, and make it the run's final model.

    Parameters
    ----------
    world : World
        Of one rank or more; when the candidates are many, all ranks score them.
    path : Path or str
        The run directory.
    metric : str, optional
        By default the run's own.
    final : {"auto", "folds", "refit"}, optional
        Which models to take where a member has both, see `model_files`; by default as the run's own option says.
    plugins : sequence of str
        Modules that register the components of the user's own that the run was made with.
    **changes
        Fields of `EnsembleRules` that are not to be the run's own; None leaves them.

    Raises
    ------
    UserError
        On every rank, if this is not a run directory, no trial of it came to an end, or no fitted model was kept.
    """
    path = Path(path)
    given = {name: value for name, value in changes.items() if value is not None}

    def look() -> Survey:
        directory = RunDirectory(path)
        reader = RunReader(path)
        files = model_files(directory, reader.keys)
        if not files:
            raise UserError(f"No fitted model was kept in {directory.models}; fit again with more --models-on-disk.")
        rules = replace(EnsembleRules.of(_settings(directory)), **given)
        return survey(reader, RunFacts.of_directory(path, metric, plugins), rules, files)

    ensemble = select_together(world, path, look)
    return world.on_root(lambda: take_over(path, ensemble, metric=metric, final=final, plugins=plugins))


def take_over(
    path: Path | str,
    ensemble: Ensemble,
    *,
    metric: str | None = None,
    final: str | None = None,
    plugins: Sequence[str] = (),
) -> RunSummary:
    """Make an ensemble the final model of a run; parameters as for `rebuild_ensemble`.

    Parameters
    ----------
    ensemble : Ensemble
        Of trials whose fitted models are in the run directory.
    """
    directory, reader = RunDirectory(path), RunReader(path)
    facts = RunFacts.of_directory(path, metric, plugins)
    files = model_files(directory, ensemble.weights, final or _settings(directory).final_models)
    save_model(directory, facts, ensemble, files)
    best = [key for key in reader.best(2) if key != find_dummy(reader)][:1]
    ends = reader.records["end"]
    outcome = RunSummary(
        directory=directory.path,
        metric=facts.metric.name,
        is_dummy=ensemble.method == DUMMY,
        members=describe_members(reader, facts, ensemble.weights, files),
        value=float(facts.metric.value_of(ensemble.cost)),
        test_value=test_value(reader, facts, ensemble.combination, files),
        single_best=next(iter(describe_members(reader, facts, dict.fromkeys(best, 1.0))), None),
        statuses=Counter(Status(status) for status in reader.records["status"]),
        ranks=(),
        seconds=float(ends.max() - reader.records["start"].min()) if len(ends) else 0.0,
    )
    directory.write_ensemble(outcome.to_mapping() | {"trajectory": list(ensemble.trajectory)})
    return outcome


def _settings(directory: RunDirectory) -> Settings:
    return Settings.from_mapping(directory.read_config())
