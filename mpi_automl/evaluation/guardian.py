"""In the guardian: the small process that starts the trial server, and starts it again should it be killed.

It is the only process started by exec, before MPI is initialised. The server is forked from it, so a new
one can come at any time without the rank having to start a process, which MPI forbids on many networks.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mpi_automl.evaluation import linux
from mpi_automl.evaluation.process_tree import kill_descendants

_NOT_FOR_TRIALS = (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
"""Slurm and terminals send these to every process of a job. The rank ends its trials; they do not end by themselves."""


def main(arguments: Sequence[str]) -> int:
    """Keep a trial server running until the rank leaves.

    Parameters
    ----------
    arguments : sequence of str
        Descriptor of the socket to the rank, over which it gets the ends of the servers' streams;
        then the modules to import as plugins.
    """
    lifeline = socket.socket(fileno=int(arguments[0]))
    linux.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    for number in _NOT_FOR_TRIALS:
        signal.signal(number, signal.SIG_IGN)
    scratch = Path(tempfile.mkdtemp(prefix="mpi_automl-trials-"))
    try:
        return _guard(lifeline, scratch, arguments[1:])
    finally:
        _end_descendants(math.inf)
        shutil.rmtree(scratch, ignore_errors=True)


def _guard(lifeline: socket.socket, scratch: Path, plugins: Sequence[str]) -> int:
    while True:
        started = time.time()
        try:
            server = _start(lifeline, scratch, plugins)
        except OSError:
            return 0
        _, status = os.waitpid(server, 0)
        _end_descendants(started)
        if status == 0:
            return 0


def _start(lifeline: socket.socket, scratch: Path, plugins: Sequence[str]) -> int:
    """Fork a server and hand the rank the other end of its stream."""
    rank_end, server_end = socket.socketpair()
    with rank_end:
        socket.send_fds(lifeline, [b"+"], [rank_end.fileno()])
    guardian = os.getpid()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            linux.die_with_parent(guardian, signal.SIGTERM)
            lifeline.close()
            _serve(server_end, scratch, plugins)
            status = 0
        finally:
            sys.stderr.flush()
            if status:
                sys.excepthook(*sys.exc_info())
            os._exit(status)
    server_end.close()
    return pid


def _serve(control: socket.socket, scratch: Path, plugins: Sequence[str]) -> None:
    from mpi_automl.evaluation.server import TrialServer

    TrialServer(control, scratch, plugins).serve()


def _end_descendants(since: float) -> None:
    while True:
        kill_descendants(since)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
