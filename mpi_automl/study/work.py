"""Working through a study: groups of ranks take runs until none is left."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mpi_automl.job.signals import StopSignals
from mpi_automl.machine.scheduler import JobEnvironment
from mpi_automl.parallel.groups import split_into_groups
from mpi_automl.study.execute import Group, InterruptedRunError, RunWork
from mpi_automl.study.queue import Claim, Queue, open_runs

if TYPE_CHECKING:
    from mpi_automl.job.session import StartedRanks
    from mpi_automl.study.directory import StudyDirectory
    from mpi_automl.study.plan import PlannedRun, StudyPlan
    from mpi_automl.study.rank_services import RankServices
    from mpi_automl.study.results import RunResult


@dataclass(frozen=True)
class RunChoice:
    """Which runs to take.

    Attributes
    ----------
    again_before : float or None
        Failures from before that time, in seconds since the epoch, are tried again.
    most : int or None
        Runs that one group takes at most.
    until : float or None
        When the job ends, in seconds since the epoch: a run that needs longer is not started.
    """

    again_before: float | None = None
    most: int | None = None
    until: float | None = None


@dataclass
class GroupAccount:
    """What a group has done so far; times are in seconds since the epoch.

    Attributes
    ----------
    job, group : str, int
    ranks : int
    hosts : list of str
    job_started : float
        When the job's first process started.
    began : float
        When everything was imported and the group began to take runs.
    runs : list of dict
        ``id``, ``began`` and ``ended`` of each.
    left : float or None
        When it found no more runs.
    """

    job: str
    group: int
    ranks: int
    hosts: list[str]
    job_started: float
    began: float
    runs: list[dict[str, Any]] = field(default_factory=list)
    left: float | None = None


def work(
    ranks: StartedRanks,
    services: RankServices,
    directory: StudyDirectory,
    plan: StudyPlan,
    choice: RunChoice,
    report: Callable[[PlannedRun, RunResult], None],
) -> bool:
    """Collective. Do the runs of a study that are left, in groups of ranks.

    Parameters
    ----------
    ranks : StartedRanks
    services : RankServices
        This rank's.
    directory : StudyDirectory
    plan : StudyPlan
    choice : RunChoice
    report : callable
        Called on rank 0 after each run of its own group.

    Returns
    -------
    bool
        Whether a signal has ended it.

    Raises
    ------
    UserError
        On every rank, if there are too few ranks or the directory cannot be written.
    """
    world = ranks.world
    ranks.last_words.text = f"What was finished is kept; resume with: mpi-automl study resume {directory.path}"
    with StopSignals() as signals:
        group_world, number = split_into_groups(world, plan.ranks)
        runs = world.on_root(lambda: open_runs(directory, plan.runs, choice.again_before))
        job = world.on_root(job_name)
        world.together(services.warm_up)

        def own_share() -> bool:
            if group_world is None:
                return False
            queue = Queue(directory, runs, choice.again_before, choice.most, first=number)
            group = Group(job, number, group_world, services, directory, signals)
            return GroupWork(group, queue, choice, report if world.is_root else _no_report, world.started).do()

        # A group that has to give up says so when the others have done what is left.
        stopped = world.gather(world.together(own_share))
        return world.on_root(lambda: any(stopped))


def _no_report(run: PlannedRun, result: RunResult) -> None:
    """Only rank 0 writes to the terminal."""


def job_name() -> str:
    """A name for this job, which no other has."""
    number = JobEnvironment().job_id or str(os.getpid())
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{socket.gethostname()}-{number}-{os.urandom(2).hex()}"


class GroupWork:
    """Collective. A group of ranks that takes runs.

    Parameters
    ----------
    group : Group
    queue : Queue
        Used on the group's rank 0.
    choice : RunChoice
    report : callable
        Called after each run.
    job_started : float
        In seconds since the epoch.
    """

    def __init__(
        self,
        group: Group,
        queue: Queue,
        choice: RunChoice,
        report: Callable[[PlannedRun, RunResult], None],
        job_started: float,
    ) -> None:
        self._group, self._queue, self._choice, self._report = group, queue, choice, report
        self._world = group.world
        self._claim: Claim | None = None
        self._stopped = False
        hosts = [location.host for location in self._world.locations]
        self._account = GroupAccount(group.job, group.number, self._world.size, hosts, job_started, time.time())

    def do(self) -> bool:
        """Collective. Do runs until none is left; gives whether a signal has ended it."""
        while (run := self._take()) is not None:
            began = time.time()
            try:
                result = RunWork(run, self._group).do()
            except InterruptedRunError:
                self._stopped = True
            else:
                self._account.runs.append({"id": run.id, "began": began, "ended": time.time()})
                self._report(run, result)
            self._world.on_root(self._give_back)
        return self._stopped

    def _take(self) -> PlannedRun | None:
        """Collective. The next run, claimed by the group's rank 0."""
        must_stop = self._world.gather(self._stopped or self._group.must_stop)
        self._stopped = self._stopped or any(must_stop)
        return self._world.on_root(self._claim_next)

    def _claim_next(self) -> PlannedRun | None:
        left = float("inf") if self._choice.until is None else self._choice.until - time.time()
        self._claim = None if self._stopped else self._queue.take(left)
        if self._claim is None:
            self._account.left = time.time()
        self._write_account()
        return None if self._claim is None else self._claim.run

    def _give_back(self) -> None:
        assert self._claim is not None
        self._claim.release()

    def _write_account(self) -> None:
        # A file system that is full for a while must not end the study.
        with suppress(OSError):
            self._group.directory.write_group(f"{self._group.job}-{self._group.number:04d}", asdict(self._account))


def idle_shares(accounts: Sequence[dict[str, Any]]) -> dict[str, float]:
    """For each job, the share of its groups' time that they spent in no run while runs were left.

    The time counts from the moment when the job's first group was ready to the one when its last run was taken up.

    Parameters
    ----------
    accounts : sequence of dict
        As `GroupAccount` has them.
    """
    jobs: dict[str, list[dict[str, Any]]] = {}
    for account in accounts:
        jobs.setdefault(account["job"], []).append(account)
    return {job: share for job, groups in jobs.items() if (share := _idle_share(groups)) is not None}


def _idle_share(groups: Sequence[dict[str, Any]]) -> float | None:
    started: float = min(group["began"] for group in groups)
    until: float = max((run["began"] for group in groups for run in group["runs"]), default=started)
    if until <= started:
        return None
    busy: float = sum(max(0.0, min(run["ended"], until) - run["began"]) for group in groups for run in group["runs"])
    return 1.0 - busy / (len(groups) * (until - started))
