"""A job from Python, on the ranks that a launcher started or alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError
from mpi_automl.estimators.interruption import Interruption
from mpi_automl.estimators.servers import trial_server

if TYPE_CHECKING:
    from mpi_automl.data.prepare import Task
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


@dataclass(frozen=True)
class JobOutcome:
    """What a job came to.

    Attributes
    ----------
    directory : Path or None
        The run directory; None if a signal ended the job before it had a model.
    interruption : Interruption or None
        The signal that came meanwhile.
    """

    directory: Path | None
    interruption: Interruption | None = None


def run_here(settings: Settings, data: Data, comm: Any) -> JobOutcome:
    """Collective. Run a job on a communicator.

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
    from mpi_automl.job.conclusion import StoppedEarlyError
    from mpi_automl.job.session import JobSession
    from mpi_automl.run import run

    started = time.time()
    with (
        trial_server(settings) as evaluator,
        JobSession.start(settings, evaluator=evaluator, comm=comm, started=started) as session,
    ):
        speaks = session.world.is_root
        try:
            summary = run(session, lambda: data.task(session.settings)).summary
        except StoppedEarlyError as error:
            received, place = session.agreed_signal(), Path(error.args[0]).absolute()
            if received is None:
                raise
            return JobOutcome(None, Interruption(received, "no trial had ended.", place, speaks))
        except UserError as error:
            # Nothing may wait for other ranks here: they may have met no error.
            received = session.signals.received
            if received is None:
                raise
            return JobOutcome(None, Interruption(received, str(error), speaks=speaks))
        received, place = session.agreed_signal(), summary.directory.absolute()
        if received is None:
            return JobOutcome(place)
        if not summary.is_interrupted:
            return JobOutcome(place, Interruption(received, COMPLETE, speaks=speaks))
        return JobOutcome(
            place, Interruption(received, "the result of the trials that had ended is saved.", place, speaks)
        )


def in_own_words(work: Callable[[], Any]) -> Any:
    """Do `work`; a mistake of the user's becomes a `ValueError`, as scikit-learn has it."""
    try:
        return work()
    except UserError as error:
        raise ValueError(str(error)) from error
