"""Runs one after the other on this host, on ranks that are started for them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence

from mpi_automl.machine.launcher import find_launcher, launcher_environment
from mpi_automl.study.directory import State

# All is done, the user's mistake, time is up: starting again would not help.
_KNOWN_ENDS = (0, 2, 75)


def launch_group(words: Sequence[str], ranks: int, states: Callable[[], Counter[State]]) -> int:
    """Start ranks that work through a study, and again should they die; gives the exit status.

    Parameters
    ----------
    words : sequence of str
        What follows ``mpi-automl``.
    ranks : int
    states : callable
        How many runs are in each state: ranks that die without having begun a run that was waiting are not started
        again, nor those that ended because there are failed runs.

    Raises
    ------
    UserError
        If there is no launcher.
    """
    launcher = find_launcher("The study has several ranks for each run", "say ranks = 1")
    command = [launcher, "-n", str(ranks), sys.executable, "-m", "mpi_automl", *words]
    while True:
        before = states()
        status = _launch(command)
        if status in _KNOWN_ENDS or status < 0:
            return status
        after = states()
        is_done = not any(after[state] for state in (State.WAITING, State.HALF_WRITTEN))
        if is_done or after[State.WAITING] == before[State.WAITING]:
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
