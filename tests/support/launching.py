"""Real MPI launches for tests: three MPIs, a time limit, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
MPIS = ("debian", "openmpi5", "mpich")

_MARK = "MPI_AUTOML_TEST_LAUNCH"
_REQUIRED = "MPI_AUTOML_TEST_REQUIRED"
_LAUNCHER_VARIABLES = ("OMPI_", "PMIX_", "PRTE_", "PMI_", "MPI_LOCAL", "MPICH_", "HYDRA_", "HYDI_", "SLURM_", "MPI4PY_")
_MANNERS = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_ALLOW_RUN_AS_ROOT": "1",
    "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    # More ranks than cores: Open MPI 4 and 5 have different names for the same permission.
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":OVERSUBSCRIBE",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    # Containers often forbid the system call behind single-copy messages.
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OMPI_MCA_smsc": "^cma",
    "HYDRA_LAUNCHER": "fork",
}


@dataclass(frozen=True)
class Environment:
    """A launcher and the Python environment whose mpi4py and h5py fit it."""

    python: Path
    mpirun: Path


@dataclass(frozen=True)
class Completed:
    """What a launch came to.

    Attributes
    ----------
    returncode : int
        Of mpirun; negative for a signal.
    stdout, stderr : str
        Of all ranks together.
    seconds : float
        Wall time from start to exit.
    survivors : tuple of str
        Command lines of processes that outlived the launcher by two seconds (they are killed then).
    """

    returncode: int
    stdout: str
    stderr: str
    seconds: float
    survivors: tuple[str, ...] = ()


def find_environment(mpi: str) -> Environment | None:
    """The launcher and interpreter of one of `MPIS`, or None where it is not installed."""
    if mpi == "debian":
        mpirun = next((p for p in map(Path, ("/usr/bin/mpirun.openmpi", "/usr/bin/mpirun")) if p.exists()), None)
        return Environment(Path(sys.executable), mpirun) if mpirun else None
    home = CHECKOUT / f".venv-{mpi}" / "bin"
    return Environment(home / "python", home / "mpirun") if (home / "mpirun").exists() else None


def default_mpi() -> str:
    """The first of `MPIS` that is installed, or the first of all."""
    return next((mpi for mpi in MPIS if find_environment(mpi)), MPIS[0])


def is_required(what: str) -> bool:
    """Whether tests/run.sh installed something, so that tests must not be skipped for want of it."""
    return what in os.environ.get(_REQUIRED, "").split(",")


def require_environment(mpi: str) -> Environment:
    """As `find_environment`; a missing MPI skips the test, or fails it where tests/run.sh had installed it."""
    if mpi not in MPIS:
        raise ValueError(f"no MPI named {mpi!r}; there are {', '.join(MPIS)}")
    environment = find_environment(mpi)
    if environment is None:
        reason = f"MPI '{mpi}' is not installed (bash tests/run.sh installs it)"
        (pytest.fail if is_required(mpi) else pytest.skip)(reason)
    return environment


class Launch:
    """A started job; as a context manager it ends the job, however the block ends.

    Attributes
    ----------
    process : subprocess.Popen
        The launcher (or the program itself where it runs without one).
    """

    def __init__(self, command: list[str], environment: Mapping[str, str], directory: Path) -> None:
        self._command = command
        self._token = uuid.uuid4().hex
        self._stdout: IO[str] = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self._stderr: IO[str] = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self._started = time.monotonic()
        self.process = subprocess.Popen(
            command,
            cwd=directory,
            env={**environment, _MARK: self._token},
            stdin=subprocess.DEVNULL,
            stdout=self._stdout,
            stderr=self._stderr,
            start_new_session=True,
        )

    def __enter__(self) -> Launch:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._stdout.close()
        self._stderr.close()

    def processes(self) -> dict[int, str]:
        """Process ids and command lines of everything that the launch started and that is alive.

        Launchers put ranks in process groups of their own and a trial may be in a session of its
        own, so they are found by a mark in their environment.
        """
        mark = f"{_MARK}={self._token}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        words = (entry / "cmdline").read_bytes().split(b"\0")
                        found[int(entry.name)] = b" ".join(words).decode(errors="replace").strip()
                except OSError:
                    continue
        return found

    def output(self) -> tuple[str, str]:
        """What has been written to standard output and standard error so far."""
        texts = []
        for stream in (self._stdout, self._stderr):
            with Path(f"/proc/self/fd/{stream.fileno()}").open(errors="replace") as again:
                texts.append(again.read())
        return texts[0], texts[1]

    def wait(self, timeout: float) -> Completed:
        """Wait for the end; fails the test and kills everything after `timeout` seconds."""
        try:
            returncode = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            running = self.processes()
            self.kill()
            self._print()
            pytest.fail(f"still running after {timeout:g} s: {' '.join(self._command)}; processes: {running}")
        seconds = time.monotonic() - self._started
        survivors = self._survivors(patience=2.0)
        self.kill()
        self._print()
        stdout, stderr = self.output()
        return Completed(returncode, stdout, stderr, seconds, survivors)

    def kill(self) -> None:
        """Kill the launcher and every process that it started."""
        for _ in range(100):
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            running = self.processes()
            if not running:
                return
            for pid in running:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.02)

    def _survivors(self, patience: float) -> tuple[str, ...]:
        deadline = time.monotonic() + patience
        while (running := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return tuple(running.values())

    def _print(self) -> None:
        stdout, stderr = self.output()
        print(f"$ {' '.join(self._command)}\n{stdout}--- standard error ---\n{stderr}---")


class Launcher:
    """Starts commands under a real launcher; the `launch` fixture is one."""

    def __call__(
        self,
        ranks: int | None,
        *command: str | os.PathLike[str],
        mpi: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        cwd: Path | None = None,
    ) -> Completed:
        """Run a command to its end.

        Parameters
        ----------
        ranks : int or None
            None starts the command without a launcher.
        *command
            ``"python"`` is the interpreter of that MPI's environment.
        mpi : {"debian", "openmpi5", "mpich"}, optional
            Defaults to the first that is installed; the test is skipped where there is none.
        env : mapping of str to str, optional
            Added to the environment.
        timeout : float
            Seconds after which everything is killed and the test fails.
        cwd : Path, optional
            Defaults to the checkout.
        """
        with self.start(ranks, *command, mpi=mpi, env=env, cwd=cwd) as launch:
            return launch.wait(timeout)

    def start(
        self,
        ranks: int | None,
        *command: str | os.PathLike[str],
        mpi: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Launch:
        """Start a command and return at once, for tests that send signals or kill a rank."""
        environment = require_environment(mpi or default_mpi())
        words = [str(word) for word in command]
        if words[0] == "python":
            words[0] = str(environment.python)
        if ranks is not None:
            words = [str(environment.mpirun), "-n", str(ranks), *words]
        return Launch(words, {**clean_environment(environment), **(env or {})}, cwd or CHECKOUT)


def clean_environment(environment: Environment) -> dict[str, str]:
    """This process's environment without what an outer launcher left, set up for tests."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_LAUNCHER_VARIABLES)}
    home = environment.python.parent
    path = f"{home}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, **_MANNERS, "PATH": path, "PYTHONPATH": str(CHECKOUT)}
