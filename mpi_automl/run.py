"""The whole job on one page.

Rank 0 coordinates the run and broadcasts new incumbents, while every rank runs its own seeded SMAC
loop and stores its predictions in one parallel HDF5 file; after a barrier the root rank builds the
greedy ensemble.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mpi_automl.job.conclusion import Conclusion, conclude, select
from mpi_automl.job.early_stopping import EarlyStopping
from mpi_automl.job.liveness import LivenessMonitor, build_alone, give_up_later, resume_advice
from mpi_automl.job.preparation import Preparation
from mpi_automl.job.search_loop import LoopAccount, SearchLoop
from mpi_automl.job.status import status_writer
from mpi_automl.parallel.exchange import open_exchange
from mpi_automl.parallel.node_data import share_on_nodes
from mpi_automl.parallel.rounds import open_pace
from mpi_automl.parallel.world import MissingRanksError
from mpi_automl.runs.refit import refit
from mpi_automl.search.proposer import Proposer
from mpi_automl.search.seeds import rank_seed
from mpi_automl.search.styles import rank_style
from mpi_automl.storage.kept_models import KeptModels
from mpi_automl.storage.store import create_store

if TYPE_CHECKING:
    from mpi_automl.data.task import Task
    from mpi_automl.job.plan import Plan
    from mpi_automl.job.session import JobSession
    from mpi_automl.storage.writer import Store

_PROPOSING_SHARE = 0.01
"""Of its trials' time, what a rank may spend on training the surrogate; without bound where trials are counted."""


def run(session: JobSession, load: Callable[[], Task]) -> Conclusion:
    """Collective. Search for the best ensemble until the time is up.

    Parameters
    ----------
    session : JobSession
        This rank's.
    load : callable
        Makes the task; called on rank 0 only.

    Returns
    -------
    Conclusion
        The same on every rank.

    Raises
    ------
    UserError
        On every rank, for a mistake the user can mend.
    """
    world, evaluator, observer = session.world, session.evaluator, session.observer
    with session:
        preparation = Preparation(session, load)
        node_file = share_on_nodes(world, preparation.evaluation_setup, session.settings.scratch)
        plan = world.on_root(preparation.plan)
        session.open_files(plan.log_of(world.rank), resume_advice(session.settings, plan.directory))
        evaluator.open(node_file.path, plan.models)
        store = create_store(
            plan.directory,
            plan.search.leg,
            plan.store.layout,
            preparation.metadata,
            world.comm,
            world.rank,
            plan.store.options,
        )
        observer.store_opened(store)
        try:
            account = search(plan, session, store)
        except MissingRanksError:
            build_alone(plan, session.settings, world, observer)
            raise
        accounts = world.gather(account)
        finished = preparation.finished_search(plan)
        selected = select(plan, session, finished, accounts)
        failures = refit(selected.to_refit, plan.models, world, evaluator, plan.limits, selected.time.refit_end)
        summary = world.on_root(lambda: conclude(plan, session, finished, accounts, selected, failures))
        return Conclusion(summary, selected.time)


def search(plan: Plan, session: JobSession, store: Store) -> LoopAccount:
    """Collective. Every rank's SMAC loop, and the barrier after it."""
    settings, world, evaluator, log = session.settings, session.world, session.evaluator, session.log
    observer, signals, watchdog = session.observer, session.signals, session.watchdog
    # In a repeatable job the star carries signs of life and the order to stop; trials are told in rounds.
    share = "none" if settings.deterministic else settings.share
    exchange = open_exchange(world, share, lambda: plan.search.promotions(world.size))
    pace = open_pace(world, settings, len(plan.search.configspace))
    liveness = LivenessMonitor(plan, world, exchange, watchdog, settings.heartbeat_timeout, observer, log)
    style = rank_style(settings.diversity, world.rank)
    proposer = Proposer(
        plan.search.configspace,
        seed=rank_seed(settings.seed, world.rank, plan.search.leg),
        initial=plan.search.initial_design(world.rank, world.size),
        again=() if plan.search.warm_start is None else plan.search.warm_start.vectors,
        cpu_share=None if settings.trials else _PROPOSING_SHARE,
        prepares=settings.trials is None,
        random_share=style.random_share,
        effort=style.effort,
    )
    for known in (plan.search.warm_start, plan.search.earlier):
        if known is not None:
            known.tell(proposer.tell)
    loop = SearchLoop(
        world,
        proposer,
        evaluator,
        store,
        exchange,
        KeptModels(plan.models, plan.store.models_bound),
        plan.limits,
        search_end=plan.time.search_end,
        budget=plan.search.budgets[0],
        early_stopping=EarlyStopping(settings.early_stopping, plan.search.incumbent),
        leg=plan.search.leg,
        seed=settings.seed,
        signals=signals,
        log=log,
        liveness=liveness,
        pace=pace,
        watchers=(observer.watching(plan, exchange), status_writer(plan, world, exchange)),
    )
    account = loop.run(plan.search.first_trials(world.rank))
    give_up_later(plan, world, watchdog)
    world.wait(liveness.patience)
    if lost := store.close():
        log.note(f"{lost} trials could not be written: {store.problem}")
    return account
