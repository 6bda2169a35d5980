"""A private Slurm for tests: two nodes of four CPUs each, on this host."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from launching import CHECKOUT, clean_environment, is_required, require_environment

_SCRIPTS = CHECKOUT / "tests" / "environment"
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "DEADLINE", "PREEMPTED"}


@dataclass(frozen=True)
class PrivateSlurm:
    """A running Slurm.

    Attributes
    ----------
    directory : Path
        Its configuration, state and logs.
    variables : mapping of str to str
        Environment of commands that talk to it.
    """

    directory: Path
    variables: Mapping[str, str]

    def run(self, *command: str | os.PathLike[str], timeout: float = 60.0, cwd: Path | None = None) -> str:
        """Run a command (``"squeue"``, ``"srun"``, ...) to its end; what it printed."""
        words = [str(word) for word in command]
        done = subprocess.run(
            words,
            env=self.variables,
            cwd=cwd,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def submit(self, *command: str | os.PathLike[str], cwd: Path | None = None) -> int:
        """Submit ``sbatch`` options and a script; the job's number."""
        return int(self.run("sbatch", "--parsable", *command, cwd=cwd).split(";")[0])

    def job(self, number: int) -> dict[str, str]:
        """What Slurm knows about a job (``JobState``, ``ExitCode``, ``Restarts``, ...)."""
        words = self.run("scontrol", "--oneliner", "show", "job", str(number)).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def wait(self, number: int, timeout: float = 120.0) -> dict[str, str]:
        """Wait until a job has ended for good; fails the test after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (job := self.job(number))["JobState"] not in ENDED:
            if time.monotonic() > deadline:
                self.run("scancel", str(number))
                pytest.fail(f"job {number} still {job['JobState']} after {timeout:g} s")
            time.sleep(0.2)
        return job


def _free_ports(count: int) -> int:
    """The first of some neighbouring ports that nobody listens on, below those that the kernel deals out."""
    while True:
        first = random.randrange(20_000, 32_000)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
        return first


@contextmanager
def private_slurm(nodes: int = 2, configuration: str = "") -> Iterator[PrivateSlurm]:
    """Start a Slurm for the block; skips the test where it cannot be, or fails it where it should be.

    `configuration` is added to slurm.conf.
    """
    directory = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    variables = clean_environment(require_environment("debian"))
    try:
        started = subprocess.run(
            ["bash", _SCRIPTS / "start_slurm.sh", directory, str(nodes), "4", str(_free_ports(nodes + 1))],
            env={**variables, "SLURM_CONFIGURATION": configuration},
            capture_output=True,
            text=True,
            timeout=120,
        )
        if started.returncode != 0:
            (pytest.fail if is_required("slurm") else pytest.skip)(started.stderr.strip())
        lines = dict(line.split("=", 1) for line in started.stdout.splitlines())
        yield PrivateSlurm(directory, {**variables, **lines})
    finally:
        subprocess.run(["bash", _SCRIPTS / "stop_slurm.sh", directory], env=variables, timeout=120, check=False)
        shutil.rmtree(directory, ignore_errors=True)
