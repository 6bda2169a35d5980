"""A job from Python, on the ranks that a launcher started or alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError
from mpi_automl.estimators.agreement import Prepared
from mpi_automl.estimators.interruption import Interruption
from mpi_automl.estimators.servers import trial_server

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
    from mpi_automl.evaluation.evaluator import Evaluator
    from mpi_automl.job.session import JobSession
    from mpi_automl.settings import Settings


COMPLETE = "the search had ended, and its result is complete."


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


@dataclass(frozen=True)
class JobOutcome:
    """What a job came to.

    Attributes
    ----------
    directory : Path or None
        The run directory; None if a signal ended the job before it had a model.
    interruption : Interruption or None
        The signal that came meanwhile.
    features : dict
        `Data.features` of rank 0.
    """

    directory: Path | None
    interruption: Interruption | None = None
    features: dict[str, Any] = field(default_factory=dict)


def run_here(prepare: Callable[[], tuple[Settings, Data]], comm: Any) -> JobOutcome:
    """Collective. Run a job on a communicator.

    Parameters
    ----------
    prepare : callable
        Makes the settings and the data, of which rank 0's are used; what it raises on one rank ends all.
    comm : mpi4py.MPI.Intracomm or None
        By default all ranks under a launcher, else this process alone.

    Raises
    ------
    UserError
        On every rank, for a mistake the user can mend.
    """
    from mpi_automl.job.session import JobSession, start_ranks

    started = time.time()
    with ExitStack() as stack:

        def start() -> tuple[Settings, Data, Evaluator]:
            settings, data = prepare()
            return settings, data, stack.enter_context(trial_server(settings))

        prepared = Prepared(start, comm)
        if prepared.has_failed:
            with start_ranks(comm=comm, started=started, check=prepared.check):
                pass  # never here: the check raises
        settings, data, server = prepared.value
        session = JobSession.start(settings, evaluator=server, comm=comm, started=started, check=prepared.check)
        return _search(stack.enter_context(session), data)


def _search(session: JobSession, data: Data) -> JobOutcome:
    from mpi_automl.job.conclusion import StoppedEarlyError
    from mpi_automl.run import run

    speaks = session.world.is_root
    try:
        summary = run(session, lambda: data.task(session.settings)).summary
    except StoppedEarlyError as error:
        received, place = session.agreed_signal(), Path(error.args[0]).absolute()
        if received is None:
            raise
        return JobOutcome(None, Interruption(received, "no trial had ended.", place, speaks))
    except UserError as error:
        # Nothing may wait for other ranks here, as each has received its own signals. An error that this rank alone has
        # met goes on, and ends the job: the others would wait for this one.
        received = session.signals.received
        if received is None or not (error.agreed or session.world.size == 1):
            raise
        return JobOutcome(None, Interruption(received, str(error), speaks=speaks))
    features = session.world.on_root(lambda: data.features)
    received, place = session.agreed_signal(), summary.directory.absolute()
    interruption = None
    if received is not None and summary.is_interrupted:
        told = "the result of the trials that had ended is saved."
        interruption = Interruption(received, told, place, speaks)
    elif received is not None:
        interruption = Interruption(received, COMPLETE, speaks=speaks)
    return JobOutcome(place, interruption, features)


def in_own_words(work: Callable[[], Any]) -> Any:
    """Do `work`; a mistake of the user's becomes a `ValueError`, as scikit-learn has it."""
    try:
        return work()
    except UserError as error:
        raise ValueError(str(error)) from error
