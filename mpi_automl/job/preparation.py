"""Rank 0's work before the search: the task, the space, the run directory, the plan."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import NothingLeftError, UserError
from mpi_automl.job.early_stopping import earlier_incumbent
from mpi_automl.job.node_budget import MemoryBudget, overload_warnings
from mpi_automl.job.observer import Observer
from mpi_automl.job.plan import Plan, TrialLimits, refit_seconds, report_seconds, reserve, trial_seconds
from mpi_automl.job.resume import EarlierLegs, check_same_run, read_earlier_legs
from mpi_automl.job.warm_start import WarmStart, read_warm_start
from mpi_automl.runs.final_model import REFIT
from mpi_automl.search.halving import rung_budgets
from mpi_automl.settings import AUTO
from mpi_automl.storage.choice import StoreOptions
from mpi_automl.storage.disk import check_room, deal_out, used
from mpi_automl.storage.kept_models import ModelsBound
from mpi_automl.storage.layout import StoreLayout, trials_for
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import FINISHED, RunDirectory

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
    from mpi_automl.evaluation.setup import EvaluationSetup
    from mpi_automl.job.rank_log import RankLog
    from mpi_automl.parallel.world import World
    from mpi_automl.settings import Settings
    from mpi_automl.space.space import SearchSpace
    from mpi_automl.trial import TrialUpdate

_SHORTEST_SEARCH = 2.0
_SHORTEST_LEG = 10.0
_VERSIONS = ("numpy", "scikit-learn", "ConfigSpace", "smac", "mpi4py", "h5py", "pandas")


class Preparation:
    """What rank 0 prepares; made on every rank, used on rank 0.

    Parameters
    ----------
    settings : Settings
    load : callable
        Makes the task.
    log : RankLog
    observer : Observer
    threads : int
        Threads of one evaluation.

    Attributes
    ----------
    setup : EvaluationSetup
        On rank 0, after `evaluation_setup`; after `plan` without the features, which lie in the node's memory.
    metadata : dict of str to Any, or None
        On rank 0, after `plan`: what the prediction store holds besides the trials.
    """

    setup: EvaluationSetup
    metadata: dict[str, Any] | None = None

    def __init__(
        self, settings: Settings, load: Callable[[], Task], log: RankLog, observer: Observer, threads: int
    ) -> None:
        self._settings = settings
        self._threads = threads
        self._load = load
        self._log = log
        self._observer = observer

    def evaluation_setup(self) -> EvaluationSetup:
        """Load the task and decide how trials are evaluated.

        Raises
        ------
        UserError
            For anything wrong with the table, the options or the output directory.
        """
        from mpi_automl.data.resampling import make_resampling
        from mpi_automl.ensemble.build import selection_metric
        from mpi_automl.evaluation.setup import EvaluationSetup, training_rows_first
        from mpi_automl.metrics.registry import get_metric
        from mpi_automl.space.registry import import_plugins
        from mpi_automl.space.space import build_space

        settings = self._settings
        if not self._goes_on:
            RunDirectory.check_free(self._path)
        import_plugins(settings.plugins)
        task = self._load()
        for note in task.notes:
            self._observer.note(note)
        metric = get_metric(settings.metric, task.type)
        selection_metric(metric, settings.ensemble_metric, task.type)  # an unknown one is refused before the search
        further = tuple(get_metric(name, task.type) for name in settings.extra_metrics)
        space = build_space(task.profile, include=settings.include, exclude=settings.exclude, seed=settings.seed)
        self._tell_left_out(space)
        resampling = make_resampling(task, settings)
        self.setup = EvaluationSetup(
            task,
            resampling,
            space,
            metric,
            further,
            self._threads,
            settings.staged_fitting,
            settings.fidelity,
            grows_by_clock=not settings.deterministic,
        )
        if self._goes_on:
            check_same_run(self._path, self.setup)
        return training_rows_first(self.setup)

    def _tell_left_out(self, space: SearchSpace) -> None:
        for step, component, reason in space.left_out:
            self._log.note(f"{step}:{component} is not in the space: {reason}")
        if space.left_out:
            self._observer.note(
                f"{len(space.left_out)} components are not in the space for this table; "
                "rank 0's log and mpi-automl space tell which and why."
            )

    def plan(self, world: World) -> Plan:
        """Make the run directory and decide what the job does.

        Raises
        ------
        UserError
            When the directory is in use, or the time does not suffice to train anything.
        """
        from mpi_automl.evaluation.setup import without_tables

        settings, setup = self._settings, self.setup
        earlier = read_earlier_legs(self._path) if self._goes_on else None
        deadline = world.started + self._leg_time(earlier)
        limits, final_seconds = self._limits(world, deadline)
        directory = self._directory(earlier)
        warm_start = self._warm_start(world, earlier)
        taken = 0.0 if settings.disk_limit is None else used(directory.path)
        disk = deal_out(self._layout(world, limits), settings.disk_limit, taken)
        if warning := check_room(directory.path, disk.layout):
            self._observer.note(warning)
        plan = Plan(
            directory=directory.path,
            leg=directory.next_leg,
            configspace=setup.space.configspace,
            layout=disk.layout,
            models_bound=ModelsBound.of(settings.models_on_disk, disk.models_per_rank),
            store_options=StoreOptions.of(settings),
            initial=settings.initial_design,
            limits=limits,
            seed=settings.seed,
            started=world.started,
            deadline=deadline,
            title=_title(setup),
            metric=setup.metric,
            earlier=earlier,
            budgets=(1.0,) if settings.fidelity == "none" else rung_budgets(settings.eta, settings.min_budget),
            eta=settings.eta,
            incumbent=self._earlier_incumbent(earlier),
            warm_start=warm_start,
            leaves_time=self._leaves_time(earlier, deadline - world.started),
            refits=final_seconds is not None,
            final_seconds=final_seconds or 0.0,
        )
        budget = MemoryBudget.of(world, limits.memory)
        self._log.note(budget.describe())
        for warning in overload_warnings(world, self._threads, budget):
            self._observer.note(warning)
        self.metadata = _metadata(setup, settings.seed, world)
        self._observer.started(plan, world)
        self.setup = without_tables(setup)
        return plan

    def _limits(self, world: World, deadline: float) -> tuple[TrialLimits, float | None]:
        """Limits of the trials, and seconds to keep for fitting members anew; None if they are not.

        Raises
        ------
        UserError
            When the time does not suffice to train anything.
        """
        settings = self._settings
        kept = reserve(settings.time, world.load(self._threads)) + report_seconds(settings)
        search_end, final_seconds = deadline - kept, None
        if self._refits:
            final_seconds = refit_seconds(settings, deadline - world.started, world.size)
            if settings.final_models == AUTO and search_end - final_seconds - time.time() < _SHORTEST_SEARCH:
                final_seconds = None
        search_end -= final_seconds or 0.0
        if search_end - time.time() < _SHORTEST_SEARCH:
            spent = time.time() - world.started
            needed = settings.time + _SHORTEST_SEARCH - (search_end - time.time())
            if deadline - world.started < settings.time:
                raise self._total_is_used_up()
            raise UserError(
                f"--time {settings.time:g} s is too short to train anything: starting took {spent:.0f} s "
                f"and the end needs some seconds too; give at least {max(10.0, 1.5 * needed):.0f} s."
            )
        return TrialLimits(trial_seconds(settings), settings.trial_memory, search_end, settings.trials), final_seconds

    @property
    def _refits(self) -> bool:
        """Whether members are fitted anew on all rows, if time allows."""
        if self._settings.final_models == AUTO:
            return self.setup.resampling.leaves_rows_unlearned
        return self._settings.final_models == REFIT

    def _directory(self, earlier: EarlierLegs | None) -> RunDirectory:
        """Make the run directory, or take over the one that the run goes on in."""
        if not self._goes_on:
            directory = RunDirectory.create(self._path, self._settings)
            directory.write_schema(self.setup.task.schema.to_json())
            directory.write_space(self.setup.space.to_json())
            return directory
        directory = RunDirectory(self._path)
        if note := directory.lock.acquire():
            self._observer.note(note)
        if earlier is not None:
            self._observer.note(
                f"Going on with {directory.path}: {len(earlier.keys)} finished trials of earlier legs are "
                f"known, {earlier.lost} were lost under way, and {len(earlier.quarantined)} configurations are "
                "quarantined, because jobs died with them twice."
            )
        return directory

    def _earlier_incumbent(self, earlier: EarlierLegs | None) -> TrialUpdate | None:
        if earlier is None:
            return None
        return earlier_incumbent(RunReader(self._path), self.setup, self._settings.early_stopping)

    def _warm_start(self, world: World, earlier: EarlierLegs | None) -> WarmStart | None:
        """What other runs found; a leg that goes on with trials of its own run does not begin with theirs."""
        if not self._settings.warm_start or earlier is not None:
            return None
        found = read_warm_start(self._settings.warm_start, self.setup, world.size)
        for note in found.notes:
            self._observer.note(note)
        return found

    def _leg_time(self, earlier: EarlierLegs | None) -> float:
        """Seconds of this leg, from what is left of the run's total."""
        settings = self._settings
        if settings.time_total is None:
            return settings.time
        left = settings.time_total - (0.0 if earlier is None else earlier.seconds_used)
        if left < _SHORTEST_LEG:
            raise self._total_is_used_up()
        return min(settings.time, left)

    def _total_is_used_up(self) -> UserError:
        """The error to raise when no other leg fits in; a run that has a result is finished then."""
        sentence = f"The {self._settings.time_total:g} s of --time-total are used up; nothing is left to do."
        directory = RunDirectory(self._path)
        if not directory.ensemble.exists():
            return UserError(f"{sentence[:-1]}, though no leg came to a result: give more --time-total.")
        directory.lock.acquire()
        directory.write_status({"state": FINISHED})
        return NothingLeftError(sentence)

    def _leaves_time(self, earlier: EarlierLegs | None, seconds: float) -> bool:
        """Whether the run's total will not be used up by this leg."""
        if self._settings.time_total is None:
            return False
        used = seconds + (0.0 if earlier is None else earlier.seconds_used)
        return used + _SHORTEST_LEG < self._settings.time_total

    @property
    def _goes_on(self) -> bool:
        """Whether this is a new leg of a run that has been begun."""
        return self._settings.resume is not None and (self._path / "config.toml").exists()

    @property
    def _path(self) -> Path:
        if self._settings.resume not in (None, "auto"):
            return Path(str(self._settings.resume))
        if self._settings.out is None:
            return Path(time.strftime("mpi_automl_%Y%m%d_%H%M%S"))
        return Path(self._settings.out)

    def _layout(self, world: World, limits: TrialLimits) -> StoreLayout:
        setup = self.setup
        return StoreLayout(
            ranks=world.size,
            trials_per_rank=trials_for(limits.search_end - time.time()),
            predictions_per_rank=self._settings.predictions_per_rank,
            n_validation=len(setup.resampling.validation_rows),
            n_test=0 if setup.task.X_test is None else setup.task.X_test.shape[0],
            n_outputs=setup.task.profile.n_outputs,
            n_hyperparameters=len(setup.space.configspace),
            n_scores=len(setup.extra_metrics),
        )


def _metadata(setup: EvaluationSetup, seed: int, world: World) -> dict[str, Any]:
    return {
        "space": setup.space.to_json(),
        "truth": setup.task.y[setup.resampling.validation_rows],
        "validation_rows": setup.resampling.validation_rows,
        "test_truth": setup.task.y_test,
        "task": setup.task.name,
        "task_type": setup.task.type.value,
        "metric": setup.metric.name,
        "extra_metrics": tuple(metric.name for metric in setup.extra_metrics),
        "space_digest": setup.space.digest,
        "table_digest": setup.task.digest,
        "resampling": setup.resampling.name,
        "seed": seed,
        "started": world.started,
        "mpi_library": world.library,
        "hosts": [place.host for place in world.places],
        "versions": {name: version(name) for name in _VERSIONS},
    }


def _title(setup: EvaluationSetup) -> str:
    profile = setup.task.profile
    return (
        f"{setup.task.name}: {profile.task_type.value}, {profile.n_rows} rows, {profile.n_columns} columns, "
        f"{setup.resampling.name} on {len(setup.resampling.validation_rows)} rows"
    )
