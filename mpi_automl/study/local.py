"""Runs one after the other on this host, on ranks that are started for them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

from mpi_automl.parallel.launcher import find_launcher, launcher_environment

_KNOWN_ENDS = (0, 2, 75)


def launch_group(words: Sequence[str], ranks: int, left: Callable[[], int]) -> int:
    """Start ranks that work through a study, and again should they die; gives the exit status.

    Parameters
    ----------
    words : sequence of str
        What follows ``mpi-automl``.
    ranks : int
    left : callable
        How many runs are left that were never begun: ranks that die without having begun one are not started again.

    Raises
    ------
    UserError
        If there is no launcher.
    """
    launcher = find_launcher("The study has several ranks for each run", "say ranks = 1")
    command = [launcher, "-n", str(ranks), sys.executable, "-m", "mpi_automl", *words]
    while True:
        before = left()
        status = _launch(command)
        if status in _KNOWN_ENDS or status < 0 or left() == before:
            return status


def _launch(command: Sequence[str]) -> int:
    """Start a job and wait for it; signals that ask to stop are handed on."""
    job = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=launcher_environment())
    stopping = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
    previous = {number: signal.signal(number, lambda sent, frame: job.send_signal(sent)) for number in stopping}
    try:
        return job.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
