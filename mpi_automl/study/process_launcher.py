"""Starts other systems' programs for a rank, from a process that was started before MPI.

An MPI process must not fork on many networks, so each rank that may need one has a helper: it gets a program as a line
of JSON, watches over it, and answers with a line of JSON. It serves one program at a time and goes when the rank goes.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from mpi_automl.evaluation import linux
from mpi_automl.evaluation.evaluator import server_environment
from mpi_automl.evaluation.process_tree import kill_descendants
from mpi_automl.machine.import_path import python_command

_POLL = 0.05
_PATIENCE = 2.0
"""Seconds between a polite signal and a killing one."""


@dataclass(frozen=True)
class Program:
    """What is to be run.

    Attributes
    ----------
    command : tuple of str
    directory : str
        Working directory.
    output : str
        File for what it prints.
    seconds : float
        Wall time after which it is killed.
    threads : int
        For BLAS, OpenMP and joblib.
    cores : tuple of int
        That it may use.
    """

    command: tuple[str, ...]
    directory: str
    output: str
    seconds: float
    threads: int
    cores: tuple[int, ...]


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes
    ----------
    status : int
        Of its exit; negative for a signal.
    seconds, cpu_seconds : float
    memory_peak : float
        MiB of its largest process.
    was_killed : bool
        Its time was up, or the job had to stop.
    error : str
        Why it could not be started.
    """

    status: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_peak: float = 0.0
    was_killed: bool = False
    error: str = ""


class ProcessLauncher:
    """A rank's end. Make one before MPI is initialised, and use it as a context manager."""

    def __init__(self) -> None:
        self._helper = subprocess.Popen(
            python_command("mpi_automl.study.process_launcher"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=server_environment(os.environ, 1),
            start_new_session=True,
        )

    def run(self, program: Program, must_stop: Callable[[], bool] = lambda: False) -> Ended:
        """Run a program to its end.

        Parameters
        ----------
        program : Program
        must_stop : callable
            Asked a few times per second; the program is killed once it says so.

        Raises
        ------
        RuntimeError
            If the helper has died.
        """
        tell, hear = self._helper.stdin, self._helper.stdout
        assert tell is not None
        assert hear is not None
        try:
            _send(tell, asdict(program))
            while not select.select([hear], [], [], _POLL)[0]:
                if must_stop():
                    _send(tell, {"stop": True})
                    break
            answer = hear.readline()
        except BrokenPipeError:
            answer = b""
        if not answer:
            raise RuntimeError("the process that starts other systems has died")
        return Ended(**json.loads(answer))

    def close(self) -> None:
        """End the helper and what it runs."""
        with suppress(BrokenPipeError):
            self._helper.communicate()

    def __enter__(self) -> ProcessLauncher:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _send(stream: IO[bytes], message: dict[str, Any]) -> None:
    stream.write(json.dumps(message).encode() + b"\n")
    stream.flush()


def main(arguments: Sequence[str] = ()) -> int:
    """Serve a rank until its end of the pipe is closed."""
    linux.adopt_orphans()
    everything = os.sched_getaffinity(0)
    # Unbuffered, so that select() tells all there is.
    with os.fdopen(0, "rb", buffering=0) as requests:
        while line := _line(requests):
            message = json.loads(line)
            if "stop" in message:
                continue
            program = Program(**{**message, "command": tuple(message["command"]), "cores": tuple(message["cores"])})
            with suppress(OSError):
                os.sched_setaffinity(0, program.cores or everything)
            ended = _run(program, requests)
            if ended is None:
                return 0
            os.write(1, json.dumps(asdict(ended)).encode() + b"\n")
    return 0


def _line(stream: Any) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        piece = stream.read(1)
        if not piece:
            return b""
        line += piece
    return line


def _run(program: Program, requests: Any) -> Ended | None:
    """Run one program; None when the rank has gone meanwhile."""
    started = time.monotonic()
    try:
        with Path(program.output).open("ab") as output:
            process = subprocess.Popen(
                program.command,
                cwd=program.directory,
                env=server_environment(os.environ, program.threads),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
    except OSError as error:
        return Ended(127, error=f"{error.strerror}: {error.filename}")
    was_killed = has_rank = True
    while time.monotonic() - started < program.seconds:
        if (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            was_killed = False
            break
        if select.select([requests], [], [], _POLL)[0]:
            has_rank = bool(_line(requests))
            break
    if was_killed:
        ended = _end(process.pid)
    process.returncode = os.waitstatus_to_exitcode(ended[1])
    _clear()
    if not has_rank:
        return None
    usage = ended[2]
    return Ended(
        process.returncode,
        time.monotonic() - started,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
        was_killed,
    )


def _end(pid: int) -> tuple[int, int, Any]:
    """End a program and its process group; gives what wait4 does."""
    for number, patience in ((signal.SIGTERM, _PATIENCE), (signal.SIGKILL, math.inf)):
        with suppress(ProcessLookupError):
            os.killpg(pid, number)
        limit = time.monotonic() + patience
        while time.monotonic() < limit:
            if (ended := os.wait4(pid, os.WNOHANG))[0]:
                return ended
            time.sleep(_POLL)
    raise AssertionError("a killed process has not ended")


def _clear() -> None:
    """Kill and collect what a program has left behind."""
    while True:
        kill_descendants(math.inf)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(main())
