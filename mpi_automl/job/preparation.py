"""Rank 0's work before the search: the task, the space, the run directory, the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import NothingLeftError, UserError
from mpi_automl.evaluation.limits import REFIT_FACTOR, TrialLimits, is_large
from mpi_automl.job.node_budget import MemoryBudget, overload_warnings
from mpi_automl.job.plan import Plan, SearchPlan, StorePlan
from mpi_automl.job.resume import EarlierLegs, check_same_run, is_resumed, read_earlier_legs, run_path
from mpi_automl.job.time_budget import JobFacts, TimeBudget, TotalTimeUsedUpError, make_time_budget
from mpi_automl.job.warm_start import WarmStart, read_warm_start
from mpi_automl.option_types import AUTO
from mpi_automl.runs.final_model import REFIT
from mpi_automl.runs.run import Run
from mpi_automl.search.halving import rung_budgets
from mpi_automl.storage.choice import StoreOptions
from mpi_automl.storage.disk import check_room, deal_out, used
from mpi_automl.storage.kept_models import ModelsBound
from mpi_automl.storage.run_directory import FINISHED, RunDirectory
from mpi_automl.storage.sizes import StoreLayout, trials_for

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
    from mpi_automl.evaluation.setup import EvaluationSetup
    from mpi_automl.job.session import JobSession
    from mpi_automl.parallel.world import World
    from mpi_automl.settings import Settings
    from mpi_automl.space.space import SearchSpace

_VERSIONS = ("numpy", "scikit-learn", "ConfigSpace", "smac", "mpi4py", "h5py", "pandas")


class Preparation:
    """What rank 0 prepares; made on every rank, used on rank 0.

    Parameters
    ----------
    session : JobSession
    load : callable
        Makes the task.

    Attributes
    ----------
    setup : EvaluationSetup
        On rank 0, after `evaluation_setup`; after `plan` without the features, which lie in the node's memory.
    metadata : dict of str to Any, or None
        On rank 0, after `plan`: what the prediction store holds besides the trials.
    """

    setup: EvaluationSetup
    metadata: dict[str, Any] | None = None

    def __init__(self, session: JobSession, load: Callable[[], Task]) -> None:
        self._settings, self._world, self._load = session.settings, session.world, load
        self._log, self._observer, self._threads = session.log, session.observer, session.threads

    @cached_property
    def _path(self) -> Path | None:
        return run_path(self._settings)

    @cached_property
    def _is_resumed(self) -> bool:
        return is_resumed(self._settings, self._path)

    def evaluation_setup(self) -> EvaluationSetup:
        """Load the task and decide how trials are evaluated.

        Raises
        ------
        UserError
            For anything wrong with the table, the options or the output directory.
        """
        from mpi_automl.ensemble.build import selection_metric
        from mpi_automl.evaluation.setup import make_setup, training_rows_first
        from mpi_automl.space.registry import import_plugins

        if self._path is not None and not self._is_resumed:
            RunDirectory.check_free(self._path)
        import_plugins(self._settings.plugins)
        task = self._load()
        for note in task.notes:
            self._observer.note(note)
        settings = self._settings = self._with_resampling(task)
        self.setup = make_setup(task, settings, self._threads)
        # An unknown one is refused before the search.
        selection_metric(self.setup.metric, settings.ensemble_metric, task.type)
        self._report_left_out(self.setup.space)
        if self._is_resumed:
            check_same_run(self._earlier_legs, self.setup)
        return training_rows_first(self.setup)

    def _with_resampling(self, task: Task) -> Settings:
        """The settings with what `auto` stands for, which may depend on the time: all legs of a run have one split."""
        from mpi_automl.data.resampling import automatic

        settings = self._settings
        if settings.resampling != AUTO or task.fixed_validation is not None:
            return settings
        if self._is_resumed:
            return replace(settings, resampling=self._earlier_legs.settings.resampling)
        return replace(settings, resampling=automatic(task, settings.trial_seconds))

    def _report_left_out(self, space: SearchSpace) -> None:
        for step, component, reason in space.left_out:
            self._log.note(f"{step}:{component} is not in the space: {reason}")
        if space.left_out:
            self._observer.note(
                f"{len(space.left_out)} components are not in the space for this table; "
                "rank 0's log and mpi-automl space tell which and why."
            )

    def plan(self) -> Plan:
        """Make the run directory and decide what the job does.

        Raises
        ------
        UserError
            When the directory is in use, or the time does not suffice to train anything.
        """
        from mpi_automl.evaluation.setup import without_tables

        settings, setup, world = self._settings, self.setup, self._world
        earlier = read_earlier_legs(self._earlier_legs) if self._is_resumed else None
        limits = TrialLimits.of(settings, setup.task.profile.n_values)
        time = self._time_budget(earlier, limits)
        directory = self._directory(earlier)
        plan = Plan(
            directory=directory.path,
            title=_title(setup),
            metric=setup.metric,
            time=time,
            limits=limits,
            store=self._store_plan(directory, time),
            search=self._search_plan(directory, earlier),
            n_folds=len(setup.resampling.folds),
            prunes=setup.resampling.folds_are_alike and settings.fidelity == "none" and not settings.deterministic,
        )
        budget = MemoryBudget.of(world, limits.memory)
        self._log.note(budget.describe())
        for warning in overload_warnings(world, self._threads, budget):
            self._observer.note(warning)
        self.metadata = _metadata(setup, settings.seed, world)
        self._observer.started(plan, world)
        self.setup = without_tables(setup)
        return plan

    def _time_budget(self, earlier: EarlierLegs | None, limits: TrialLimits) -> TimeBudget:
        world = self._world
        facts = JobFacts(
            started=world.started,
            now=world.now(),
            ranks=world.size,
            load=world.load(self._threads),
            seconds_used=0.0 if earlier is None else earlier.seconds_used,
            refit_limit=REFIT_FACTOR * limits.seconds,
            wants_refits=self._wants_refits,
        )
        try:
            return make_time_budget(self._settings, facts)
        except TotalTimeUsedUpError as error:
            raise self._finished(error) from None

    @cached_property
    def _earlier_legs(self) -> Run:
        assert self._path is not None
        return Run(self._path)

    def finished_search(self, plan: Plan) -> Run:
        """What the search has left on disk; on rank 0 judged by what this job knows already."""
        return Run.of_setup(plan.directory, self.setup) if self._world.is_root else Run(plan.directory)

    @property
    def _wants_refits(self) -> bool:
        """Whether members are refitted on all rows, if time allows; on a large table there is none for that."""
        if self._settings.final_models == AUTO:
            n_values = self.setup.task.profile.n_values
            return self.setup.resampling.leaves_rows_unlearned and not is_large(self._settings, n_values)
        return self._settings.final_models == REFIT

    def _finished(self, used_up: TotalTimeUsedUpError) -> UserError:
        """The error to raise when no other leg fits into the total; a run that has a result is finished then."""
        directory = self._earlier_legs.directory
        if not directory.ensemble.exists():
            return UserError(f"{used_up}, and no leg came to a result; give more --time-total.")
        directory.lock.acquire()
        directory.write_status({"state": FINISHED})
        return NothingLeftError(f"{used_up}; nothing is left to do.")

    def _directory(self, earlier: EarlierLegs | None) -> RunDirectory:
        """Make the run directory, or take over the one of the run that is resumed."""
        if not self._is_resumed:
            directory = RunDirectory.create(self._path, self._settings)
            directory.write_schema(self.setup.task.schema.to_json())
            directory.write_space(self.setup.space.to_json())
            return directory
        directory = self._earlier_legs.directory
        if note := directory.lock.acquire():
            self._observer.note(note)
        if earlier is not None:
            self._observer.note(f"Resuming {directory.path}: {earlier.describe()}.")
        return directory

    def _store_plan(self, directory: RunDirectory, time: TimeBudget) -> StorePlan:
        settings, setup, world = self._settings, self.setup, self._world
        layout = StoreLayout(
            ranks=world.size,
            trials_per_rank=trials_for(time.search_end - world.now()),
            predictions_per_rank=settings.predictions_per_rank,
            n_validation=len(setup.resampling.validation_rows),
            n_test=0 if setup.task.X_test is None else setup.task.X_test.shape[0],
            n_outputs=setup.task.profile.n_outputs,
            n_hyperparameters=len(setup.space.configspace),
            n_scores=len(setup.extra_metrics),
        )
        taken = 0.0 if settings.disk_limit is None else used(directory.path)
        disk = deal_out(layout, settings.disk_limit, taken)
        if warning := check_room(directory.path, disk.layout):
            self._observer.note(warning)
        models_bound = ModelsBound.of(settings.models_on_disk, disk.models_per_rank)
        return StorePlan(disk.layout, StoreOptions.of(settings), models_bound)

    def _search_plan(self, directory: RunDirectory, earlier: EarlierLegs | None) -> SearchPlan:
        settings = self._settings
        return SearchPlan(
            configspace=self.setup.space.configspace,
            leg=directory.next_leg,
            seed=settings.seed,
            initial=settings.initial_design,
            budgets=(1.0,) if settings.fidelity == "none" else rung_budgets(settings.eta, settings.min_budget),
            eta=settings.eta,
            earlier=earlier,
            warm_start=self._warm_start(earlier),
        )

    def _warm_start(self, earlier: EarlierLegs | None) -> WarmStart | None:
        """What other runs found; a leg that knows trials of its own run does not start with theirs."""
        if not self._settings.warm_start or earlier is not None:
            return None
        found = read_warm_start(self._settings.warm_start, self.setup, self._world.size)
        for note in found.notes:
            self._observer.note(note)
        return found


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
        **_units(setup),
        "seed": seed,
        "started": world.started,
        "mpi_library": world.library,
        "hosts": [place.host for place in world.locations],
        "versions": {name: version(name) for name in _VERSIONS},
    }


def _units(setup: EvaluationSetup) -> dict[str, Any]:
    units = setup.task.schema.units
    return {} if units is None else {"target_center": list(units.center), "target_scale": list(units.scale)}


def _title(setup: EvaluationSetup) -> str:
    profile = setup.task.profile
    return (
        f"{setup.task.name}: {profile.task_type.value}, {profile.n_rows} rows, {profile.n_columns} columns, "
        f"{setup.resampling.name} on {len(setup.resampling.validation_rows)} rows"
    )
