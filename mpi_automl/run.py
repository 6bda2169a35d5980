"""The whole job on one page.

Rank 0 coordinates the run and broadcasts new incumbents, while every rank runs its own seeded SMAC
loop and stores its predictions in one parallel HDF5 file; after a barrier the root rank builds the
greedy ensemble.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mpi_automl.job.conclusion import Conclusion, conclude, select
from mpi_automl.job.failure import build_partial_result, limit_exit, resume_advice
from mpi_automl.job.known_trials import KnownTrials
from mpi_automl.job.liveness import LivenessMonitor
from mpi_automl.job.preparation import Preparation
from mpi_automl.job.running_trials import RunningTrials
from mpi_automl.job.search_end import SearchEnd
from mpi_automl.job.search_loop import SearchLoop
from mpi_automl.job.status import status_writer
from mpi_automl.job.trial_recorder import TrialRecorder
from mpi_automl.job.trial_scheduler import ScheduleOptions, TrialScheduler
from mpi_automl.job.trial_sharing import TrialSharing
from mpi_automl.parallel.exchange import open_exchange
from mpi_automl.parallel.node_data import share_on_nodes
from mpi_automl.parallel.rounds import open_synchronization
from mpi_automl.parallel.world import MissingRanksError
from mpi_automl.runs.refit import refit
from mpi_automl.search.proposer import Proposer
from mpi_automl.search.seeds import rank_seed
from mpi_automl.storage.kept_models import KeptModels
from mpi_automl.storage.store import create_store

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
    from mpi_automl.job.plan import Plan, SearchPlan
    from mpi_automl.job.rank_statistics import RankStatistics
    from mpi_automl.job.session import JobSession
    from mpi_automl.parallel.world import World
    from mpi_automl.settings import Settings
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
            plan.directory, plan.search.leg, plan.store.layout, preparation.metadata, world, plan.store.options
        )
        observer.store_opened(store)
        try:
            statistics = search(plan, session, store)
        except MissingRanksError:
            build_partial_result(plan, session.settings, world, observer)
            raise
        gathered = world.gather(statistics)
        finished = preparation.finished_search(plan)
        selected = select(plan, session, finished, gathered)
        failures = refit(selected.to_refit, plan.models, world, evaluator, plan.limits, selected.time.refit_end)
        summary = world.on_root(lambda: conclude(plan, session, finished, gathered, selected, failures))
        return Conclusion(summary, selected.time)


def search(plan: Plan, session: JobSession, store: Store) -> RankStatistics:
    """Collective. Every rank's SMAC loop, and the barrier after it."""
    settings, world, log = session.settings, session.world, session.log
    # In a repeatable job the star carries signs of life and the order to stop; trials are shared in rounds.
    share = "none" if settings.deterministic else settings.share
    exchange = open_exchange(world, share, lambda: plan.search.promotions(world.size))
    synchronization = open_synchronization(world, settings, len(plan.search.configspace))
    proposer = _make_proposer(plan.search, settings, world)
    end = SearchEnd(world.now, plan.time.search_end, session.signals)
    known = KnownTrials(proposer, world.rank, prunes=plan.prunes, dummy_cost=plan.search.dummy_cost)
    liveness = LivenessMonitor(plan, session, exchange, settings.heartbeat_timeout)
    options = ScheduleOptions(plan.search.leg, world.rank, settings.seed, plan.search.budgets[0], settings.trials)
    loop = SearchLoop(
        end,
        TrialScheduler(proposer, options, plan.search.first_trials(world.rank)),
        RunningTrials(session.evaluator, plan.limits, end),
        TrialRecorder(store, KeptModels(plan.models, plan.store.models_bound), log),
        TrialSharing(exchange, synchronization, known, end),
        liveness,
        (session.observer.progress_callback(plan, exchange), status_writer(plan, world, exchange)),
    )
    statistics = loop.run()
    limit_exit(plan, world, session.stack_dump)
    world.wait(liveness.patience)
    if lost := store.close():
        log.note(f"{lost} trials could not be written: {store.problem}")
    return statistics


def _make_proposer(plan: SearchPlan, settings: Settings, world: World) -> Proposer:
    """A rank's proposer, with the trials of earlier legs and of the runs of a warm start."""
    proposer = Proposer(
        plan.configspace,
        seed=rank_seed(settings.seed, world.rank, plan.leg),
        initial=plan.initial_design(world.rank, world.size),
        again=() if plan.warm_start is None else plan.warm_start.vectors,
        cpu_share=None if settings.trials else _PROPOSING_SHARE,
    )
    for known in (plan.warm_start, plan.earlier):
        if known is not None:
            known.tell(proposer.tell)
    return proposer
