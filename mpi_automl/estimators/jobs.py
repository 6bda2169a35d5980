"""Ways to run a job from Python: on the ranks that a launcher started, alone, or on ranks started for it."""

from __future__ import annotations

import atexit
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError
from mpi_automl.machine.launcher import find_launcher, launcher_environment

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
    """

    X: Any
    y: Any
    X_test: Any
    y_test: Any
    name: str

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


def run_here(settings: Settings, data: Data, comm: Any) -> Path:
    """Collective. Run a job on a communicator; gives the run directory.

    Parameters
    ----------
    settings : Settings
    data : Data
        Used on rank 0 only.
    comm : mpi4py.MPI.Intracomm or None
        By default all ranks under a launcher, else this process alone.

    Raises
    ------
    UserError
        On every rank, for a mistake the user can mend.
    """
    from mpi_automl.job.session import JobSession
    from mpi_automl.machine.cores import threads_before_mpi
    from mpi_automl.run import run

    started = time.time()
    evaluator = _SERVERS.get(threads_before_mpi(settings), settings.plugins)
    try:
        with JobSession.start(settings, evaluator=evaluator, comm=comm, started=started) as session:
            return run(session, lambda: data.task(session.settings)).summary.directory
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
        program = "import sys; from mpi_automl.estimators.jobs import launched; launched(sys.argv[1])"
        command = [launcher, "-n", str(ranks), sys.executable, "-c", program, str(job)]
        ended = subprocess.run(
            command, env=launcher_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        message = job.with_suffix(".error")
        if message.exists():
            raise UserError(message.read_text(encoding="utf-8"))
    if ended.returncode != 0:
        raise RuntimeError(f"{launcher} -n {ranks} ended with status {ended.returncode}:\n{ended.stderr[-2000:]}")
    return Path(str(settings.out))


def launched(job: str) -> None:
    """Collective. What each rank that `run_launched` started does."""
    from mpi_automl.machine.launcher import detect_launch
    from mpi_automl.settings import Settings

    with Path(job).open("rb") as file:
        options, data = pickle.load(file)
    try:
        run_here(Settings(**options), data, None)
    except UserError as error:
        if detect_launch().speaks:
            Path(job).with_suffix(".error").write_text(str(error), encoding="utf-8")


def in_own_words(work: Callable[[], Any]) -> Any:
    """Do `work`; a mistake of the user's becomes a `ValueError`, as scikit-learn has it."""
    try:
        return work()
    except UserError as error:
        raise ValueError(str(error)) from error
