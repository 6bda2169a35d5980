"""The whole job on one page.

Rank 0 coordinates the run and broadcasts new incumbents, while every rank runs its own seeded SMAC
loop and stores its predictions in one parallel HDF5 file; after a barrier the root rank builds the
greedy ensemble.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mpi_automl.job.conclusion import choose, conclude
from mpi_automl.job.early_stopping import EarlyStopping
from mpi_automl.job.liveness import LivenessMonitor, build_alone, give_up_later, resume_advice
from mpi_automl.job.observer import Observer
from mpi_automl.job.preparation import Preparation
from mpi_automl.job.search_loop import LoopAccount, SearchLoop
from mpi_automl.job.signals import StopSignals
from mpi_automl.job.status import status_writer
from mpi_automl.machine.cores import threads_of
from mpi_automl.parallel.abort import abort_on_exception
from mpi_automl.parallel.exchange import open_exchange
from mpi_automl.parallel.node_data import share_on_nodes
from mpi_automl.parallel.rounds import open_pace
from mpi_automl.parallel.watchdog import Watchdog
from mpi_automl.parallel.world import MissingRanksError
from mpi_automl.runs.refit_members import refit
from mpi_automl.runs.summary import RunSummary
from mpi_automl.search.proposer import Proposer
from mpi_automl.search.seeds import rank_seed
from mpi_automl.search.styles import rank_style
from mpi_automl.storage.kept_models import KeptModels
from mpi_automl.storage.store import create_store

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
    from mpi_automl.evaluation.evaluator import Evaluator
    from mpi_automl.evaluation.interface import TrialEvaluator
    from mpi_automl.job.plan import Plan
    from mpi_automl.job.rank_log import RankLog
    from mpi_automl.parallel.world import World
    from mpi_automl.settings import Settings
    from mpi_automl.storage.writer import Store

_PROPOSING_SHARE = 0.01
"""Of its trials' time, what a rank may spend on training the surrogate; without bound where trials are counted."""


def run(
    settings: Settings,
    world: World,
    evaluator: Evaluator,
    log: RankLog,
    load: Callable[[], Task],
    observer: Observer,
) -> RunSummary:
    """Collective. Search for the best ensemble until the time is up.

    Parameters
    ----------
    settings : Settings
        The same on every rank.
    world : World
    evaluator : Evaluator
        This rank's, started before MPI was initialised.
    log : RankLog
        This rank's.
    load : callable
        Makes the task; called on rank 0 only.
    observer : Observer
        Told on rank 0 how the job goes.

    Returns
    -------
    RunSummary
        The same on every rank.

    Raises
    ------
    UserError
        On every rank, for a mistake the user can mend.
    """
    with abort_on_exception(world, log.note) as last_words, StopSignals() as signals, Watchdog() as watchdog:
        preparation = Preparation(settings, load, log, observer, threads_of(settings, world))
        node_file = share_on_nodes(world, preparation.evaluation_setup, settings.scratch)
        plan = world.on_root(lambda: preparation.plan(world))
        last_words.text = resume_advice(settings, plan.directory)
        log.open(plan.log_of(world.rank))
        watchdog.open(plan.log_of(world.rank), settings.heartbeat_timeout)
        evaluator.open(node_file.path, plan.models)
        store = create_store(
            plan.directory, plan.leg, plan.layout, preparation.metadata, world.comm, world.rank, plan.store_options
        )
        observer.store_opened(store)
        try:
            account = search(plan, settings, world, evaluator, store, signals, watchdog, log, observer)
        except MissingRanksError:
            build_alone(plan, settings, world, observer)
            raise
        accounts = world.gather(account)
        chosen = choose(plan, preparation, settings, world, accounts)
        failures = refit(chosen.to_fit, plan.models, world, evaluator, plan.limits, chosen.until)
        return world.on_root(
            lambda: conclude(plan, preparation.setup, settings, world, accounts, chosen, failures, observer)
        )


def search(
    plan: Plan,
    settings: Settings,
    world: World,
    evaluator: TrialEvaluator,
    store: Store,
    signals: StopSignals,
    watchdog: Watchdog,
    log: RankLog,
    observer: Observer,
) -> LoopAccount:
    """Collective. Every rank's SMAC loop, and the barrier after it."""
    # In a repeatable job the star carries signs of life and the order to stop; trials are told in rounds.
    share = "none" if settings.deterministic else settings.share
    exchange = open_exchange(world, share, lambda: plan.promotions(world.size))
    pace = open_pace(world, settings, len(plan.configspace))
    liveness = LivenessMonitor(plan, world, exchange, watchdog, settings.heartbeat_timeout, observer, log)
    style = rank_style(settings.diversity, world.rank)
    proposer = Proposer(
        plan.configspace,
        seed=rank_seed(settings.seed, world.rank, plan.leg),
        initial=plan.initial_design(world.rank, world.size),
        again=() if plan.warm_start is None else plan.warm_start.vectors,
        cpu_share=None if settings.trials else _PROPOSING_SHARE,
        prepares=settings.trials is None,
        random_share=style.random_share,
        effort=style.effort,
    )
    for known in (plan.warm_start, plan.earlier):
        if known is not None:
            known.tell(proposer.tell)
    loop = SearchLoop(
        world,
        proposer,
        evaluator,
        store,
        exchange,
        KeptModels(plan.models, plan.models_bound),
        plan.limits,
        budget=plan.budgets[0],
        early_stopping=EarlyStopping(settings.early_stopping, plan.incumbent),
        leg=plan.leg,
        seed=settings.seed,
        signals=signals,
        log=log,
        liveness=liveness,
        pace=pace,
        watchers=(observer.watching(plan, exchange), status_writer(plan, world, exchange)),
    )
    account = loop.run(plan.first_trials(world.rank))
    give_up_later(plan, world, watchdog)
    world.wait(liveness.patience)
    if lost := store.close():
        log.note(f"{lost} trials could not be written: {store.problem}")
    return account
