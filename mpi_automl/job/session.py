"""The one start of everything that runs on ranks: in the order that MPI and batch systems demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError
from mpi_automl.evaluation.evaluator import Evaluator
from mpi_automl.job.observer import Observer
from mpi_automl.job.rank_log import RankLog
from mpi_automl.job.signals import BY_BATCH_SYSTEMS, StopSignals, strongest
from mpi_automl.job.time_budget import seconds_of_auto
from mpi_automl.machine.cores_and_threads import threads_before_mpi, threads_of
from mpi_automl.machine.launcher import detect_launch
from mpi_automl.machine.scheduler import TIME_LEFT, JobEnvironment, TimeLeft
from mpi_automl.option_types import AUTO
from mpi_automl.parallel.abort import LastWords, abort_on_exception
from mpi_automl.parallel.stack_dump import StackDump
from mpi_automl.parallel.world import World, open_world, process_start

if TYPE_CHECKING:
    from pathlib import Path
    from signal import Signals

    from mpi_automl.settings import Settings


@dataclass(frozen=True, eq=False)
class StartedRanks:
    """The ranks of a program, before any job on them.

    Attributes
    ----------
    world : World
    time_left : TimeLeft or None
        What the scheduler leaves the program, the same on every rank; None if it does not say so or was not asked.
    last_words : LastWords
        Its text is printed last if a rank fails.
    """

    world: World
    time_left: TimeLeft | None
    last_words: LastWords


@contextmanager
def start_ranks(
    *,
    needs_time_left: bool = False,
    comm: Any = None,
    started: float | None = None,
    check: Callable[[], object] | None = None,
) -> Iterator[StartedRanks]:
    """Collective. Open the world; an unexpected exception on one rank ends all of them.

    Parameters
    ----------
    needs_time_left : bool
        Ask the scheduler for the time left: one process of the job does, before MPI is initialised.
    comm : mpi4py.MPI.Intracomm, optional
        By default all ranks under a launcher, else this process alone.
    started : float, optional
        When the program started, in seconds since the epoch; by default, when this process did.
    check : callable, optional
        Raises what went wrong on this rank before. All ranks have one, or none has.

    Raises
    ------
    UserError
        On every rank, if `check` raises it on one, launcher and MPI do not fit, or ``MPI_AUTOML_TIME_LEFT`` is no time.
    """
    launch = detect_launch()
    started = process_start() if started is None else started
    asks = needs_time_left and (launch.speaks if comm is None else comm.rank == 0)
    # Commands must not be run after MPI is initialised: forking is unsafe on many fabrics then.
    found = _ask_time_left() if asks else None
    world = open_world(started, launch) if comm is None else World(comm, started)
    with abort_on_exception(world, lambda text: None) as last_words:
        if check is not None:
            world.together(check)
        yield StartedRanks(world, _agreed(world, found), last_words)


def _ask_time_left() -> TimeLeft | UserError | None:
    """What the scheduler says; a mistake is given back, for all ranks to leave together."""
    try:
        return JobEnvironment().time_left()
    except UserError as error:
        return error


def _agreed(world: World, found: TimeLeft | UserError | None) -> TimeLeft | None:
    """Collective. What rank 0 found."""

    def unwrap() -> TimeLeft | None:
        if isinstance(found, UserError):
            raise found
        return found

    return world.on_root(unwrap)


class JobSession:
    """Collective. A started job: everything that its steps need on this rank.

    As a context manager it notes signals that ask to stop, watches over a rank that is stuck, and ends all ranks after
    an unexpected exception on one.

    Parameters
    ----------
    settings : Settings
        The same on every rank, with ``time`` in seconds.
    world : World
    evaluator : Evaluator
        This rank's, started before MPI was initialised.
    log : RankLog
        This rank's.
    observer : Observer
        Gets a job's progress on rank 0.

    Attributes
    ----------
    settings, world, evaluator, log, observer
    signals : StopSignals
    stack_dump : StackDump
    threads : int
        Of one evaluation, the same on every rank.
    """

    def __init__(
        self, settings: Settings, world: World, evaluator: Evaluator, log: RankLog, observer: Observer
    ) -> None:
        self.settings, self.world, self.evaluator, self.log, self.observer = settings, world, evaluator, log, observer
        self.signals, self.stack_dump = StopSignals(), StackDump()
        # Slurm's variables may differ between nodes.
        self.threads = world.on_root(lambda: threads_of(settings, world.cores_per_rank))
        self._stack = ExitStack()
        self._last_words = LastWords()

    @classmethod
    @contextmanager
    def start(
        cls,
        settings: Settings,
        make_observer: Callable[[World], Observer] = lambda world: Observer(),
        *,
        evaluator: Evaluator | None = None,
        comm: Any = None,
        started: float | None = None,
        check: Callable[[], object] | None = None,
    ) -> Iterator[JobSession]:
        """Collective. Start a job on the ranks that the launcher started, or on those of a communicator.

        Parameters
        ----------
        settings : Settings
            Rank 0's count.
        make_observer : callable
            Called with the world.
        evaluator : Evaluator, optional
            One that outlives the job; by default one is started, and ended with the job.
        comm, started, check
            As `start_ranks` has them.

        Raises
        ------
        UserError
            On every rank, if launcher and MPI do not fit, or ``--time auto`` finds no time left.
        """
        log = RankLog()
        # A signal to save a result must not kill a job that is still starting: the search sees it when it begins.
        early = StopSignals(BY_BATCH_SYSTEMS)
        # The trial server is started before MPI is initialised: forking afterwards is unsafe on many fabrics.
        own_server = (
            Evaluator.start(log.server_output, threads_before_mpi(settings), settings.plugins)
            if evaluator is None
            else nullcontext(evaluator)
        )
        is_auto = settings.time == AUTO
        with (
            early,
            own_server as server,
            start_ranks(needs_time_left=is_auto, comm=comm, started=started, check=check) as ranks,
        ):
            observer = make_observer(ranks.world)
            settings = ranks.world.on_root(lambda: _with_time_left(settings, ranks, observer))
            yield cls(settings, ranks.world, server, log, observer)

    def open_files(self, log: Path, advice: str) -> None:
        """Collective. Write this rank's log, and its stack when it is stuck, to a file.

        Parameters
        ----------
        log : Path
        advice : str
            How to resume what there is, printed last if a rank fails.

        Raises
        ------
        UserError
            On every rank, if one of them cannot write its file.
        """
        self._last_words.text = advice

        def open_both() -> None:
            try:
                self.log.open(log)
                self.stack_dump.open(log, self.settings.heartbeat_timeout)
            except OSError as error:
                raise UserError(
                    f"Rank {self.world.rank} on {self.world.location.host} cannot write {log} "
                    f"({error.strerror or error}); choose a directory with --out that every node sees."
                ) from None

        self.world.together(open_both)

    def agreed_signal(self) -> Signals | None:
        """Collective. The signal that a rank has received, the same on every rank; None without any."""
        received = self.world.gather(self.signals.received)
        return self.world.on_root(lambda: strongest([number for number in received if number is not None]))

    def __enter__(self) -> JobSession:
        self._last_words = self._stack.enter_context(abort_on_exception(self.world, self.log.note))
        self._stack.enter_context(self.signals)
        self._stack.enter_context(self.stack_dump)
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stack.__exit__(*exception)


def _with_time_left(settings: Settings, ranks: StartedRanks, observer: Observer) -> Settings:
    """Seconds in the place of ``--time auto``; any other time stays."""
    if settings.time != AUTO:
        return settings
    left = ranks.time_left
    if left is None:
        raise UserError(
            "--time auto found no Slurm, PBS or LSF job with a time limit; "
            f"give --time, such as --time 1h, or export {TIME_LEFT}."
        )
    settings = replace(settings, time=seconds_of_auto(left, ranks.world.started))
    observer.note(f"{left.source} tells the time left: --time auto is {settings.time:.0f} s.")
    return settings
