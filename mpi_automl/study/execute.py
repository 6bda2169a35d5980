"""One run of a study on a group of ranks, from the table to its result."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import JobError, UserError
from mpi_automl.job.observer import Observer
from mpi_automl.job.session import JobSession
from mpi_automl.run import run as run_job
from mpi_automl.study.directory import State
from mpi_automl.study.external_systems import AdapterFiles, run_external_system
from mpi_automl.study.results import RunArrays, RunResult, Searched, installed_versions
from mpi_automl.study.splits import outer_parts

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
    from mpi_automl.job.signals import StopSignals
    from mpi_automl.parallel.world import World
    from mpi_automl.runs.summary import RunSummary
    from mpi_automl.study.directory import StudyDirectory
    from mpi_automl.study.plan import PlannedRun
    from mpi_automl.study.process_launcher import Ended
    from mpi_automl.study.rank_services import RankServices
    from mpi_automl.study.splits import OuterParts


class InterruptedRunError(Exception):
    """A signal ended the run before its time; it has no result and counts as missing."""


@dataclass(frozen=True, eq=False)
class Group:
    """A group of ranks that does runs of a study, as one of its ranks has it.

    Attributes
    ----------
    job : str
        Name of the job, the same for all of its groups.
    number : int
    world : World
        The group's ranks.
    services : RankServices
        This rank's.
    directory : StudyDirectory
    signals : StopSignals
    """

    job: str
    number: int
    world: World
    services: RankServices
    directory: StudyDirectory
    signals: StopSignals

    @property
    def must_stop(self) -> bool:
        """Whether a signal has come."""
        return self.signals.received is not None


class RunWork:
    """Collective. What a group of ranks does for one run.

    Parameters
    ----------
    run : PlannedRun
    group : Group
    """

    def __init__(self, run: PlannedRun, group: Group) -> None:
        self._run, self._group = run, group
        self._world, self._directory = group.world, group.directory
        self._parts: OuterParts | None = None
        self._task: Task | None = None

    def do(self) -> RunResult:
        """Collective. Do the run and write its result; the same result on every rank.

        A mistake that all ranks learn of makes the run a failed one. Anything else ends the job where the group has
        several ranks, as they would wait for each other; a group of one rank goes on.

        Raises
        ------
        InterruptedRunError
            On every rank, if a signal ended it.
        """
        self._world.restart_clock()
        attempt = self._world.on_root(lambda: self._directory.begin(self._run))
        try:
            result = self._external(attempt) if self._run.variant.system else self._own(attempt)
        except UserError as error:
            if self._world.comm is not None and not error.agreed:
                raise JobError(str(error)) from error
            result = self._failed(attempt, str(error))
        except (InterruptedRunError, SystemExit, KeyboardInterrupt):
            raise
        except Exception:
            if self._world.comm is not None:
                raise
            result = self._failed(attempt, traceback.format_exc())
        return self._world.on_root(lambda: self._written(result))

    def _written(self, result: RunResult) -> RunResult:
        result = replace(result, ended=time.time())
        self._directory.write_result(self._run, result.to_mapping())
        return result

    def _result(self, attempt: Path, state: State, **facts: Any) -> RunResult:
        return RunResult(
            id=self._run.id,
            state=state.value,
            attempt=attempt.name,
            job=self._group.job,
            group=self._group.number,
            hosts=tuple(location.host for location in self._world.locations),
            cores=self._run.cores,
            started=self._world.started,
            ended=time.time(),
            versions={**installed_versions(), "mpi": self._world.library},
            **facts,
        )

    def _failed(self, attempt: Path, error: str) -> RunResult:
        return self._result(attempt, State.FAILED, error=error, run_seconds=time.time() - self._world.started)

    def _load(self) -> Task:
        from mpi_automl.data.prepare import prepare

        self._parts = outer_parts(self._run.table, self._run.split, self._run.fold, self._directory.splits)
        self._task = prepare(self._parts.train, self._run.settings, name=self._run.table.name, test=self._parts.test)
        return self._task

    def _own(self, attempt: Path) -> RunResult:
        settings = replace(self._run.settings, out=str(attempt / "job"), report=False)
        evaluator, log = self._group.services.server(settings)
        try:
            outcome = run_job(JobSession(settings, self._world, evaluator, log, Observer()), self._load).summary
        finally:
            self._group.services.cancel(settings)
        if outcome.is_interrupted:
            raise InterruptedRunError
        return self._world.on_root(lambda: self._own_result(attempt, outcome))

    def _own_result(self, attempt: Path, outcome: RunSummary) -> RunResult:
        from mpi_automl.runs.run import Run

        assert self._parts is not None
        assert self._task is not None
        ended = time.time()
        settings, test = self._run.settings, self._parts.test
        run = Run(outcome.directory, plugins=settings.plugins)
        model = run.model
        started = time.perf_counter()
        predictions = model.schema.restore(model.predictions(model.schema.encode(test.features)))
        predict_seconds = time.perf_counter() - started
        truth = model.schema.restore(model.schema.encode_target(test.targets_or_fail))
        RunArrays.of(run, predictions, truth, self._world.started).write(attempt)
        return self._result(
            attempt,
            State.FINISHED,
            task_type=self._task.type.value,
            run_seconds=ended - self._world.started,
            predict_seconds=predict_seconds,
            searched=_searched(outcome),
        )

    def _external(self, attempt: Path) -> RunResult:
        result = self._world.on_root(lambda: self._external_result(attempt))
        if result is None:
            raise InterruptedRunError
        return result

    def _external_result(self, attempt: Path) -> RunResult | None:
        """On the root rank; None if a signal ended it."""
        task = self._load()
        assert self._parts is not None
        started = time.time()
        files = AdapterFiles((attempt / "system").resolve())  # the adapter works in a directory of its own
        try:
            predictions, ended = run_external_system(
                self._run,
                self._parts,
                task,
                files,
                self._group.services.launcher,
                self._cores(),
                lambda: self._group.must_stop,
            )
        except UserError:
            if self._group.must_stop:
                return None
            raise
        except Exception as error:
            # Whatever it is, it happened on this rank alone, and the others can be told.
            raise UserError(f"{type(error).__name__}: {error}") from error
        truth = task.schema.restore(task.schema.encode_target(self._parts.test.targets_or_fail))
        RunArrays(predictions, truth).write(attempt)
        return self._external_finished(attempt, task, ended, time.time() - started)

    def _external_finished(self, attempt: Path, task: Task, ended: Ended, seconds: float) -> RunResult:
        return self._result(
            attempt,
            State.FINISHED,
            task_type=task.type.value,
            run_seconds=seconds,
            cpu_seconds=ended.cpu_seconds,
            memory_peak=ended.memory_peak,
        )

    def _cores(self) -> frozenset[int]:
        """As many as the run is given, of those of the group's ranks on this node."""
        node = self._world.location.node
        here = [location.cores for location in self._world.locations if location.node == node]
        cores = sorted(frozenset().union(*here))
        count = self._run.cores
        if len(cores) <= count:
            return frozenset(cores)
        # Where ranks are not bound to cores, groups take turns.
        first = self._group.number * count
        return frozenset(cores[(first + step) % len(cores)] for step in range(count))


def _searched(outcome: RunSummary) -> Searched:
    return Searched(
        metric=outcome.metric,
        validation=outcome.value,
        statuses={status.name.lower(): count for status, count in sorted(outcome.statuses.items())},
        utilisation=_mean([share.utilisation for share in outcome.ranks]),
        members=len(outcome.members),
        is_dummy=outcome.is_dummy,
        notes=outcome.notes,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
