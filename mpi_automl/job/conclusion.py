"""Rank 0's work after the barrier: the ensemble, the final model, the outcome."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from mpi_automl.errors import UserError
from mpi_automl.job.exchange_audit import audit_exchange
from mpi_automl.job.repeatability import repeatability_notes
from mpi_automl.runs.final_model import FOLDS, describe_members, kind_of, model_files, save_model, test_value
from mpi_automl.runs.run_facts import RunFacts
from mpi_automl.runs.selection import (
    DUMMY,
    EnsembleRules,
    NothingFinishedError,
    Survey,
    find_dummy,
    select_ensemble,
    select_together,
    survey,
)
from mpi_automl.runs.summary import RankShare, RunSummary
from mpi_automl.settings import AUTO
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import FINISHED, INTERRUPTED, RunDirectory
from mpi_automl.trial import Status, Trial, TrialKey

if TYPE_CHECKING:
    from mpi_automl.ensemble.build import Ensemble
    from mpi_automl.evaluation.setup import EvaluationSetup
    from mpi_automl.job.observer import Observer
    from mpi_automl.job.plan import Plan
    from mpi_automl.job.preparation import Preparation
    from mpi_automl.job.rank_statistics import RankStatistics
    from mpi_automl.parallel.world import World
    from mpi_automl.settings import Settings


class StoppedEarlyError(UserError):
    """A signal ended the search before any trial had ended: there is no result, and the run can go on."""

    def __init__(self, directory: Path | str) -> None:
        super().__init__(directory)

    def __str__(self) -> str:
        return f"The search was stopped before any trial had ended; go on with --resume {self.args[0]}."


@dataclass(frozen=True, eq=False)
class Chosen:
    """The ensemble as it was chosen.

    Attributes
    ----------
    ensemble : Ensemble
    to_fit : tuple of Trial
        Members to fit on all rows, heaviest first: those of which no fitted model was kept, or all.
    until : float
        When fitting must end, in seconds since the epoch on rank 0's clock.
    """

    ensemble: Ensemble
    to_fit: tuple[Trial, ...]
    until: float


def choose(
    plan: Plan, preparation: Preparation, settings: Settings, world: World, accounts: list[RankStatistics]
) -> Chosen:
    """Collective. Select the ensemble from everybody's models; the dummy when no model beats it.

    Parameters
    ----------
    plan : Plan
    preparation : Preparation
        With its setup on rank 0.
    settings : Settings
    world : World
    accounts : list of RankStatistics
        On rank 0, one for each rank.

    Raises
    ------
    StoppedEarlyError
        When a signal ended the search before the dummy was evaluated.
    UserError
        When not even the dummy was evaluated in the time there was.
    """

    def look() -> Survey:
        facts, rules = RunFacts.of_setup(preparation.setup), EnsembleRules.of(settings)
        try:
            return survey(RunReader(plan.directory), facts, rules)
        except NothingFinishedError:
            if not _was_stopped(accounts):
                raise
            RunDirectory(plan.directory).write_status({"state": INTERRUPTED})
            raise StoppedEarlyError(plan.directory) from None

    ensemble = select_together(world, plan.directory, look)
    return world.on_root(lambda: _with_members_to_fit(plan, ensemble, settings, world.now(), accounts))


def _with_members_to_fit(
    plan: Plan, ensemble: Ensemble, settings: Settings, now: float, accounts: list[RankStatistics]
) -> Chosen:
    files = model_files(RunDirectory(plan.directory), ensemble.weights, settings.final_models)
    was_stopped = _was_stopped(accounts)
    anew = plan.refits and not _puts_off_refits(settings, accounts)
    wanted = [key for key in ensemble.weights if key not in files or (anew and kind_of(files[key]) == FOLDS)]
    reader = RunReader(plan.directory)
    until = min(plan.refit_end, now + settings.shutdown_time / 2) if was_stopped else plan.refit_end
    return Chosen(ensemble, tuple(reader.trial(key) for key in wanted), until)


def _was_stopped(accounts: list[RankStatistics]) -> bool:
    return any(account.was_stopped for account in accounts)


def _puts_off_refits(settings: Settings, accounts: list[RankStatistics]) -> bool:
    # Whoever stops a job wants its result now, and the fold models are there.
    return settings.final_models == AUTO and _was_stopped(accounts)


def conclude(
    plan: Plan,
    setup: EvaluationSetup,
    settings: Settings,
    world: World,
    accounts: list[RankStatistics],
    chosen: Chosen,
    failures: dict[TrialKey, str],
    observer: Observer,
) -> RunSummary:
    """Save the final model and sum up the job.

    Parameters
    ----------
    plan : Plan
    setup : EvaluationSetup
    settings : Settings
    world : World
    accounts : list of RankStatistics
        One for each rank.
    chosen : Chosen
    failures : dict of TrialKey to str
        Members that were to be fitted on all rows and could not be. They keep the models of their folds; where
        there are none, the ensemble is selected again without them.
    observer : Observer

    Raises
    ------
    UserError
        When there is no fitted model at all.
    """
    directory, reader, facts = RunDirectory(plan.directory), RunReader(plan.directory), RunFacts.of_setup(setup)
    ensemble = chosen.ensemble
    files = model_files(directory, reader.keys, settings.final_models)
    if not files.keys() >= ensemble.weights.keys():
        ensemble = select_ensemble(reader, facts, EnsembleRules.of(settings), files)
    save_model(directory, facts, ensemble, files)
    best = [key for key in reader.best(2) if key != find_dummy(reader)][:1]
    sharing = audit_exchange(reader, plan.leg, accounts, settings.share)
    outcome = RunSummary(
        directory=plan.directory,
        metric=facts.metric.name,
        is_dummy=ensemble.method == DUMMY,
        members=describe_members(reader, facts, ensemble.weights, files),
        value=facts.metric.value_of(ensemble.cost),
        test_value=test_value(reader, facts, ensemble.combination, files),
        single_best=next(iter(describe_members(reader, facts, dict.fromkeys(best, 1.0))), None),
        statuses=Counter(Status(status) for status in reader.records["status"]),
        ranks=tuple(_rank_share(account, world) for account in accounts),
        seconds=world.now() - plan.started,
        sharing=sharing.agreement,
        is_interrupted=plan.leaves_time or any(account.was_stopped for account in accounts),
        notes=(
            *([sharing.problem] if sharing.problem else []),
            *_failure_notes(failures, files),
            *(_put_off_notes(ensemble, files) if plan.refits and _puts_off_refits(settings, accounts) else ()),
            *repeatability_notes(settings, accounts, reader, plan.leg, len(failures)),
        ),
    )
    directory.write_ensemble(outcome.to_mapping() | {"trajectory": list(ensemble.trajectory)})
    directory.write_status({"state": INTERRUPTED if outcome.is_interrupted else FINISHED})
    observer.concluded(outcome)
    return outcome


def _rank_share(account: RankStatistics, world: World) -> RankShare:
    latencies = account.latencies or (math.nan,)
    return RankShare(
        rank=account.rank,
        host=world.places[account.rank].host,
        trials=sum(account.statuses.values()),
        utilisation=min(1.0, account.busy_seconds / max(account.search_seconds, 1e-9)),
        received=account.received,
        latency=median(latencies),
        latency_most=max(latencies),
    )


def _put_off_notes(ensemble: Ensemble, files: Mapping[TrialKey, Path]) -> list[str]:
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
