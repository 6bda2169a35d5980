"""A job on ranks that are started for it with ``mpirun``, and end with the process that started them."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING

from mpi_automl.errors import UserError
from mpi_automl.estimators import carried_warnings
from mpi_automl.estimators.interruption import Interruption
from mpi_automl.estimators.jobs import COMPLETE, Data, JobOutcome, run_here
from mpi_automl.job.signals import StopSignals
from mpi_automl.machine import open_files
from mpi_automl.machine.import_path import python_command, python_path
from mpi_automl.machine.launcher import detect_launch, find_launcher, launcher_environment

if TYPE_CHECKING:
    from mpi_automl.settings import Settings

_JOB, _OUTCOME, _STOP = "job.pickle", "outcome.pickle", "stop"
"""Files by which the two sides speak: what to do, what it came to, and a signal to end it."""
_LOOK = 0.3
"""Seconds between two looks at the other side."""
_MODULE = "mpi_automl.estimators.launched_job"


def run_launched(settings: Settings, data: Data, ranks: int) -> JobOutcome:
    """Run a job on ranks of its own.

    Parameters
    ----------
    settings : Settings
        With ``out`` or ``resume``.
    data : Data
    ranks : int

    Raises
    ------
    UserError
        If there is no launcher, too few files may be open, or the job ends with a mistake the user can mend.
    RuntimeError
        If the job fails.
    """
    open_files.check_limit()  # a launcher hangs where it cannot open its pipes
    launcher = find_launcher("n_jobs needs several ranks", "leave n_jobs out")
    with TemporaryDirectory(prefix="mpi_automl_") as directory, StopSignals() as signals:
        place = Path(directory)
        with (place / _JOB).open("wb") as file:
            pickle.dump((os.getpid(), settings.to_mapping(), data), file, protocol=5)
        status, errors = _ended([launcher, "-n", str(ranks), *python_command(_MODULE, directory)], place, signals)
        carried_warnings.give(place)
        outcome = _read_outcome(place / _OUTCOME)
    if outcome is not None:
        return _with_signal(outcome, signals.received)
    failure = f"{launcher} -n {ranks} ended with status {status}:\n{errors[-2000:]}"
    if signals.received is not None:
        return JobOutcome(None, Interruption(signals.received, failure))
    raise RuntimeError(failure)


def _ended(command: list[str], place: Path, signals: StopSignals) -> tuple[int, str]:
    """Run the launcher to its end and hand signals on to the ranks; gives its status and what it said."""
    # In a session of its own, as a terminal's Ctrl-C would have the launcher kill the ranks.
    with subprocess.Popen(
        command,
        env={**launcher_environment(), "PYTHONPATH": python_path()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            while True:
                if signals.received is not None:
                    (place / _STOP).touch()
                with suppress(subprocess.TimeoutExpired):
                    _, errors = process.communicate(timeout=_LOOK)
                    return process.returncode, errors
        except BaseException:
            process.terminate()
            raise


def _read_outcome(path: Path) -> JobOutcome | None:
    if not path.exists():
        return None
    outcome = pickle.loads(path.read_bytes())
    if isinstance(outcome, UserError):
        raise outcome
    assert isinstance(outcome, JobOutcome)
    return outcome


def _with_signal(outcome: JobOutcome, received: signal.Signals | None) -> JobOutcome:
    """The outcome with the signal that this process received, where ranks have only been asked to stop."""
    if received is None:
        return outcome
    told = outcome.interruption or Interruption(received, COMPLETE)
    return replace(outcome, interruption=replace(told, number=received))


def main(arguments: Sequence[str]) -> int:
    """Collective. What each rank that `run_launched` started does with the job's directory; gives the exit status."""
    from mpi_automl.settings import Settings

    (directory,) = arguments
    place, speaks = Path(directory), detect_launch().speaks
    with (place / _JOB).open("rb") as file:
        starter, options, data = pickle.load(file)
    outcome: JobOutcome | UserError
    with StopSignals(), carried_warnings.written_to(place):
        if speaks:
            Thread(target=_obey, args=(place / _STOP, starter), daemon=True).start()
        try:
            outcome = run_here(lambda: (Settings(**options), data), None)
        except UserError as error:
            outcome = UserError(str(error))
    if speaks:
        (place / _OUTCOME).write_bytes(pickle.dumps(outcome))
    return 0


def _obey(stop: Path, starter: int) -> None:
    """End the search on all ranks when the process that started them says so, or is gone."""
    while not stop.exists() and Path(f"/proc/{starter}").exists():
        time.sleep(_LOOK)
    os.kill(os.getpid(), signal.SIGUSR1)
