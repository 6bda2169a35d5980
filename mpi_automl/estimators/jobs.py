"""Ways to run a job from Python: on the ranks that a launcher started, alone, or on ranks started for it."""

from __future__ import annotations

import atexit
import os
import pickle
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError
from mpi_automl.machine.import_path import python_command, python_path
from mpi_automl.machine.launcher import detect_launch, find_launcher, launcher_environment

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
    from mpi_automl.evaluation.evaluator import Evaluator
    from mpi_automl.settings import Settings


@dataclass(frozen=True, eq=False)
class Data:
    """What a job is to learn from, as the user gave it.

    Attributes
    ----------
    X, X_test : table or None
    y, y_test : array or None
    name : str
    features : dict
        What scikit-learn wants to know of the columns: attributes of the fitted estimator.
    """

    X: Any
    y: Any
    X_test: Any
    y_test: Any
    name: str
    features: dict[str, Any] = field(default_factory=dict)

    def task(self, settings: Settings) -> Task:
        """The task."""
        from mpi_automl.data.load import make_task

        return make_task(self.X, self.y, X_test=self.X_test, y_test=self.y_test, settings=settings, name=self.name)


class _Servers:
    """The trial server of this process: it is kept from fit to fit, as starting one takes a second or two."""

    def __init__(self) -> None:
        self._kind: tuple[int, int, Sequence[str]] | None = None
        self._evaluator: Evaluator | None = None

    def get(self, threads: int, plugins: Sequence[str]) -> Evaluator:
        """A server for trials with so many threads; started if need be."""
        from mpi_automl.evaluation.evaluator import Evaluator
        from mpi_automl.job.rank_log import RankLog

        kind = (os.getpid(), threads, tuple(plugins))
        if self._evaluator is None or kind != self._kind:
            self.close()
            self._evaluator = Evaluator.start(RankLog().server_output, threads, plugins)
            self._kind = kind
        return self._evaluator

    def close(self) -> None:
        """End the server, unless it belongs to the process that this one was forked from."""
        if self._evaluator is not None and self._kind is not None and self._kind[0] == os.getpid():
            self._evaluator.close()
        self._evaluator = None


_SERVERS = _Servers()
atexit.register(_SERVERS.close)


@contextmanager
def trial_server(settings: Settings) -> Iterator[Evaluator]:
    """The trial server of this process, to be taken before MPI is initialised; an exception ends it."""
    from mpi_automl.machine.cores import threads_before_mpi

    try:
        yield _SERVERS.get(threads_before_mpi(settings), settings.plugins)
    except BaseException:
        _SERVERS.close()
        raise


def is_root(comm: Any) -> bool:
    """Whether this process's data count: that of rank 0, or of any that does not know its rank before MPI starts."""
    return comm.rank == 0 if comm is not None else detect_launch().speaks


class Prepared:
    """What a rank does before it meets the others: its value, or its failure for all of them.

    Parameters
    ----------
    work : callable
    comm : mpi4py.MPI.Intracomm or None
        Where the ranks meet; by default all ranks under a launcher.
    """

    def __init__(self, work: Callable[[], Any], comm: Any) -> None:
        self._is_alone = comm is None and not detect_launch().is_parallel
        self._failure: Exception | None = None
        self.value: Any = None
        try:
            self.value = work()
        except Exception as error:  # noqa: BLE001  # whatever it is, the other ranks must not wait
            self._failure = error

    @property
    def has_failed(self) -> bool:
        """Whether there is no value."""
        return self._failure is not None

    def check(self) -> None:
        """Raise the failure, with other ranks as a `UserError`, on which they agree."""
        if self._failure is None:
            return
        if self._is_alone or not isinstance(self._failure, (ValueError, TypeError, OSError)):
            raise self._failure
        raise UserError(str(self._failure)) from self._failure


def run_here(prepare: Callable[[], tuple[Settings, Data]], comm: Any) -> tuple[Path, dict[str, Any]]:
    """Collective. Run a job on a communicator; gives the run directory and `Data.features` of rank 0.

    Parameters
    ----------
    prepare : callable
        Makes the settings and the data, of which rank 0's are used.
    comm : mpi4py.MPI.Intracomm or None
        By default all ranks under a launcher, else this process alone.

    Raises
    ------
    UserError
        On every rank, for a mistake the user can mend.
    """
    from mpi_automl.job.session import JobSession, start_ranks
    from mpi_automl.machine.cores import threads_before_mpi
    from mpi_automl.run import run

    def with_server() -> tuple[Settings, Data, Evaluator]:
        settings, data = prepare()
        return settings, data, _SERVERS.get(threads_before_mpi(settings), settings.plugins)

    started = time.time()
    prepared = Prepared(with_server, comm)
    try:
        if prepared.has_failed:
            with start_ranks(comm=comm, started=started, check=prepared.check):
                pass  # never here: the check raises
        settings, data, server = prepared.value
        with JobSession.start(settings, evaluator=server, comm=comm, started=started, check=prepared.check) as session:
            directory = run(session, lambda: data.task(session.settings)).summary.directory
            return directory, session.world.on_root(lambda: data.features)
    except BaseException:
        _SERVERS.close()
        raise


def run_launched(settings: Settings, data: Data, ranks: int) -> Path:
    """Run a job on ranks of its own, started with ``mpirun``; gives the run directory.

    Parameters
    ----------
    settings : Settings
        With ``out``.
    data : Data
    ranks : int

    Raises
    ------
    UserError
        If there is no launcher, or the job ends with a mistake the user can mend.
    RuntimeError
        If the job fails.
    """
    launcher = find_launcher("n_jobs needs several ranks", "leave n_jobs out")
    with TemporaryDirectory(prefix="mpi_automl_") as directory:
        job = Path(directory) / "job.pickle"
        with job.open("wb") as file:
            pickle.dump((settings.to_mapping(), data), file, protocol=5)
        ended = subprocess.run(
            [launcher, "-n", str(ranks), *python_command("mpi_automl.estimators.jobs", str(job))],
            env={**launcher_environment(), "PYTHONPATH": python_path()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        message = job.with_suffix(".error")
        if message.exists():
            raise UserError(message.read_text(encoding="utf-8"))
    if ended.returncode != 0:
        raise RuntimeError(f"{launcher} -n {ranks} ended with status {ended.returncode}:\n{ended.stderr[-2000:]}")
    return Path(str(settings.out))


def main(arguments: Sequence[str]) -> int:
    """Collective. What each rank that `run_launched` started does with the path of the job; gives the exit status."""
    (job,) = arguments
    from mpi_automl.settings import Settings

    with Path(job).open("rb") as file:
        options, data = pickle.load(file)
    try:
        run_here(lambda: (Settings(**options), data), None)
    except UserError as error:
        if detect_launch().speaks:
            Path(job).with_suffix(".error").write_text(str(error), encoding="utf-8")
    return 0


def in_own_words(work: Callable[[], Any]) -> Any:
    """Do `work`; a mistake of the user's becomes a `ValueError`, as scikit-learn has it."""
    try:
        return work()
    except UserError as error:
        raise ValueError(str(error)) from error
