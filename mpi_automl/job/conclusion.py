"""Rank 0's work after the barrier: the ensemble, the final model, the summary."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from mpi_automl.errors import UserError
from mpi_automl.job.exchange_audit import audit_exchange
from mpi_automl.job.repeatability import repeatability_notes
from mpi_automl.option_types import AUTO
from mpi_automl.runs.final_model import (
    FOLDS,
    describe_members,
    describe_single_best,
    kind_of,
    model_files,
    save_model,
    test_value,
)
from mpi_automl.runs.run import Run
from mpi_automl.runs.selection import (
    DUMMY,
    EnsembleRules,
    NothingFinishedError,
    SelectionProblem,
    find_candidates,
    select_ensemble,
    select_together,
)
from mpi_automl.runs.summary import RankShare, RunSummary
from mpi_automl.storage.run_directory import FINISHED, INTERRUPTED
from mpi_automl.trial import Status, Trial, TrialKey

if TYPE_CHECKING:
    from mpi_automl.ensemble.build import Ensemble
    from mpi_automl.job.plan import Plan
    from mpi_automl.job.rank_statistics import RankStatistics
    from mpi_automl.job.session import JobSession
    from mpi_automl.job.time_budget import TimeBudget
    from mpi_automl.parallel.world import World
    from mpi_automl.settings import Settings


class StoppedEarlyError(UserError):
    """A signal ended the search before any trial had ended: there is no result, and the run can be resumed."""

    def __init__(self, directory: Path | str) -> None:
        super().__init__(directory)

    def __str__(self) -> str:
        return f"The search was stopped before any trial had ended; resume it with --resume {self.args[0]}."


@dataclass(frozen=True, eq=False)
class SelectedEnsemble:
    """The ensemble as it was selected, before its members are refitted.

    Attributes
    ----------
    ensemble : Ensemble
    to_refit : tuple of Trial
        Members to fit on all rows, heaviest first: those of which no fitted model was kept, or all.
    time : TimeBudget
        The job's; shorter after a signal.
    """

    ensemble: Ensemble
    to_refit: tuple[Trial, ...]
    time: TimeBudget


@dataclass(frozen=True, eq=False)
class _FinalModel:
    """The ensemble as it was saved, and the files of all fitted models of the run."""

    ensemble: Ensemble
    files: Mapping[TrialKey, Path]


@dataclass(frozen=True)
class Conclusion:
    """What a job came to.

    Attributes
    ----------
    summary : RunSummary
    time : TimeBudget
        For what comes after the result, such as the report.
    """

    summary: RunSummary
    time: TimeBudget


def select(plan: Plan, session: JobSession, run: Run, statistics: list[RankStatistics]) -> SelectedEnsemble:
    """Collective. Select the ensemble from everybody's models; the dummy when no model beats it.

    Parameters
    ----------
    plan : Plan
    session : JobSession
    run : Run
        What the search has left on disk.
    statistics : list of RankStatistics
        On rank 0, one for each rank.

    Raises
    ------
    StoppedEarlyError
        When a signal ended the search before the dummy was evaluated.
    UserError
        When not even the dummy was evaluated in the time there was.
    """
    world, settings = session.world, session.settings

    def look() -> SelectionProblem:
        try:
            return find_candidates(run, EnsembleRules.of(settings))
        except NothingFinishedError:
            if not _was_stopped(statistics):
                raise
            run.directory.write_status({"state": INTERRUPTED})
            raise StoppedEarlyError(plan.directory) from None

    ensemble = select_together(world, run, look)
    return world.on_root(lambda: _with_members_to_refit(plan, run, ensemble, session, statistics))


def _with_members_to_refit(
    plan: Plan, run: Run, ensemble: Ensemble, session: JobSession, statistics: list[RankStatistics]
) -> SelectedEnsemble:
    settings = session.settings
    files = model_files(run.directory, ensemble.weights, settings.final_models)
    refits_all = plan.time.reserves_refits and not _postpones_refits(settings, statistics)
    time = plan.time
    if _was_stopped(statistics):
        time = time.after_signal(session.world.now(), settings.shutdown_time)
    seconds = time.refit_end - session.world.now()
    # A refit that ends before it has learned as much as the model of a fold is worth less than that.
    trials = {key: run.reader.trial(key) for key in ensemble.weights}
    wanted = [
        trial if key in files else replace(trial, fit_seconds=0.0)
        for key, trial in trials.items()
        if key not in files
        or (refits_all and kind_of(files[key]) == FOLDS and trial.fit_seconds / plan.n_folds < seconds)
    ]
    return SelectedEnsemble(ensemble, tuple(wanted), time)


def _was_stopped(statistics: list[RankStatistics]) -> bool:
    return any(one.was_stopped for one in statistics)


def _postpones_refits(settings: Settings, statistics: list[RankStatistics]) -> bool:
    # Whoever stops a job wants its result at once, and the fold models are there.
    return settings.final_models == AUTO and _was_stopped(statistics)


def conclude(
    plan: Plan,
    session: JobSession,
    run: Run,
    statistics: list[RankStatistics],
    selected: SelectedEnsemble,
    failures: dict[TrialKey, str],
) -> RunSummary:
    """Save the final model and sum up the job, on rank 0.

    Parameters
    ----------
    plan : Plan
    session : JobSession
    run : Run
        What the search has left on disk.
    statistics : list of RankStatistics
        One for each rank.
    selected : SelectedEnsemble
    failures : dict of TrialKey to str
        Members that were to be fitted on all rows and could not be. They keep the models of their folds; where
        there are none, the ensemble is selected again without them.

    Raises
    ------
    UserError
        When there is no fitted model at all.
    """
    final = _save_final_model(run, selected.ensemble, session.settings)
    summary = _sum_up(plan, session, run, statistics, final, failures)
    run.directory.write_ensemble(summary.to_mapping() | {"trajectory": list(final.ensemble.trajectory)})
    run.directory.write_status({"state": INTERRUPTED if summary.is_interrupted else FINISHED})
    session.observer.concluded(summary)
    return summary


def _save_final_model(run: Run, ensemble: Ensemble, settings: Settings) -> _FinalModel:
    """Save the ensemble, selected again where members have no fitted model."""
    files = model_files(run.directory, run.reader.keys, settings.final_models)
    if not files.keys() >= ensemble.weights.keys():
        ensemble = select_ensemble(run, EnsembleRules.of(settings), files)
    save_model(run, ensemble, files)
    return _FinalModel(ensemble, files)


def _sum_up(
    plan: Plan,
    session: JobSession,
    run: Run,
    statistics: list[RankStatistics],
    final: _FinalModel,
    failures: dict[TrialKey, str],
) -> RunSummary:
    settings, leg = session.settings, plan.search.leg
    ensemble, files = final.ensemble, final.files
    was_postponed = plan.time.reserves_refits and _postpones_refits(settings, statistics)
    sharing = audit_exchange(run, leg, statistics, settings.share)
    return RunSummary(
        directory=plan.directory,
        metric=run.metric.name,
        is_dummy=ensemble.method == DUMMY,
        members=describe_members(run, ensemble.weights, files),
        value=run.metric.value_of(ensemble.cost),
        test_value=test_value(run, ensemble.combination, files),
        single_best=describe_single_best(run, files),
        statuses=Counter(Status(status) for status in run.reader.records["status"]),
        ranks=tuple(_rank_share(one, session.world) for one in statistics),
        seconds=session.world.now() - plan.time.started,
        sharing=sharing.agreement,
        is_interrupted=plan.time.leaves_total or _was_stopped(statistics),
        notes=(
            *([sharing.problem] if sharing.problem else []),
            *_failure_notes(failures, files),
            *(_postponed_notes(ensemble, files) if was_postponed else ()),
            *repeatability_notes(settings, statistics, run.reader, leg, len(failures)),
        ),
    )


def _rank_share(one: RankStatistics, world: World) -> RankShare:
    latencies = one.latencies or (math.nan,)
    return RankShare(
        rank=one.rank,
        host=world.locations[one.rank].host,
        trials=sum(one.statuses.values()),
        utilisation=min(1.0, one.busy_seconds / max(one.search_seconds, 1e-9)),
        received=one.received,
        latency=median(latencies),
        latency_max=max(latencies),
    )


def _postponed_notes(ensemble: Ensemble, files: Mapping[TrialKey, Path]) -> list[str]:
    if all(kind_of(files[key]) != FOLDS for key in ensemble.weights):
        return []
    return [
        "Members keep the models of their folds, as the job was stopped; the next leg, or mpi-automl refit, fits them "
        "on all rows."
    ]


def _failure_notes(failures: Mapping[TrialKey, str], files: Mapping[TrialKey, Path]) -> list[str]:
    fates = {True: "keeps the models of its folds", False: "was left out"}
    return [
        f"Member {key} {fates[key in files]}, as it could not be fitted on all rows: {reason}."
        for key, reason in failures.items()
    ]
