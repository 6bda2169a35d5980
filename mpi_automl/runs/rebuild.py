"""Another ensemble from the trials of a run that is finished, killed or still going on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError
from mpi_automl.runs.final_model import describe_members, describe_single_best, model_files, save_model, test_value
from mpi_automl.runs.selection import DUMMY, EnsembleRules, SelectionProblem, find_candidates, select_together
from mpi_automl.runs.summary import RunSummary
from mpi_automl.trial import Status

if TYPE_CHECKING:
    from mpi_automl.ensemble.build import Ensemble
    from mpi_automl.parallel.world import World
    from mpi_automl.runs.run import Run


def rebuild_ensemble(
    world: World,
    run: Run,
    *,
    final: str | None = None,
    **changes: Any,
) -> RunSummary:
    """Collective. Build an ensemble from what a run has stored so far, and make it the run's final model.

    Parameters
    ----------
    world : World
        Of one rank or more; when the candidates are many, all ranks score them.
    run : Run
        Its metric, which need not be the run's own, is what the ensemble is built for.
    final : {"auto", "folds", "refit"}, optional
        Which models to take where a member has both, see `model_files`; by default as the run's own option says.
    **changes
        Fields of `EnsembleRules` that are not to be the run's own; None leaves them.

    Raises
    ------
    UserError
        On every rank, if this is not a run directory, no trial of it came to an end, or no fitted model was kept.
    """
    given = {name: value for name, value in changes.items() if value is not None}

    def look() -> SelectionProblem:
        files = model_files(run.directory, run.reader.keys)
        if not files:
            models = run.directory.models
            raise UserError(f"No fitted model was kept in {models}; fit again with more --models-on-disk.")
        return find_candidates(run, replace(EnsembleRules.of(run.settings), **given), files)

    ensemble = select_together(world, run, look)
    return world.on_root(lambda: take_over(run, ensemble, final=final))


def take_over(run: Run, ensemble: Ensemble, *, final: str | None = None) -> RunSummary:
    """Make an ensemble the final model of a run; parameters as for `rebuild_ensemble`.

    Parameters
    ----------
    ensemble : Ensemble
        Of trials whose fitted models are in the run directory.
    """
    files = model_files(run.directory, ensemble.weights, final or run.settings.final_models)
    save_model(run, ensemble, files)
    records = run.reader.records
    outcome = RunSummary(
        directory=run.path,
        metric=run.metric.name,
        is_dummy=ensemble.method == DUMMY,
        members=describe_members(run, ensemble.weights, files),
        value=float(run.metric.value_of(ensemble.cost)),
        test_value=test_value(run, ensemble.combination, files),
        single_best=describe_single_best(run, files),
        statuses=Counter(Status(status) for status in records["status"]),
        ranks=(),
        seconds=float(records["end"].max() - records["start"].min()) if len(records) else 0.0,
    )
    run.directory.write_ensemble(outcome.to_mapping() | {"trajectory": list(ensemble.trajectory)})
    return outcome
