"""One fault in a real job: it strikes at some moment, and what is left is checked, shown and gone on with."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from launching import Launch, Launcher

from mpi_automl.errors import UserError
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.trial import TrialKey

KILLS = ("one rank", "all ranks", "mpirun", "trial's child", "trial server")
FULL_DISK = "full disk"
_CHEAP = ["--include", "classifier:gaussian_nb,classifier:decision_tree,classifier:lda", "--trial-time", "3"]
_RUN_SECONDS = 180
_TRIALS = 30
_HANG_SECONDS = 200.0
_DISK_KIB = 1536
_LOGGED = re.compile(r" trial (\d+)-(\d+)-(\d+) ")


@dataclass(frozen=True)
class Fault:
    """What strikes, and when.

    Attributes
    ----------
    victim : str
        One of `KILLS`, or `FULL_DISK`.
    delay : float
        Seconds from the first sign of the run directory.
    ranks, ranks_after : int
        Of the job, and of the leg that goes on.
    layout : str
    """

    victim: str
    delay: float
    ranks: int
    ranks_after: int
    layout: str


@dataclass(frozen=True)
class Found:
    """What was left.

    Attributes
    ----------
    committed : int
        Trials that were known to be committed when the fault struck.
    lost : int
        Of these, trials that a reader does not find afterwards.
    problems : tuple of str
        Whatever else is not as it must be; "hang" is one of them.
    """

    committed: int
    lost: int
    problems: tuple[str, ...]


def draw(rng: random.Random, victims: tuple[str, ...], layouts: list[str]) -> Fault:
    """A fault at a random moment."""
    return Fault(rng.choice(victims), rng.uniform(0, 12), 4, rng.choice([1, 2, 3, 5]), rng.choice(layouts))


def can_mount() -> bool:
    """Whether a small file system can be made here."""
    return os.geteuid() == 0 and subprocess.run(["mount", "--version"], capture_output=True).returncode == 0


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system that a job fills."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK_KIB}k", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def strike_and_go_on(launcher: Launcher, place: Path, fault: Fault, mpi: str, rng: random.Random) -> Found:
    """Start a job, have the fault strike, and look at what is left.

    Parameters
    ----------
    launcher : Launcher
    place : Path
        An empty directory.
    fault : Fault
    mpi : str
    rng : random.Random
        Chooses among victims.
    """
    run = place / "run"
    options = ["--time", str(_RUN_SECONDS), "--seed", str(rng.randrange(1000)), "--store", fault.layout]
    words = ["python", "-m", "mpi_automl", *options, *_CHEAP, "--out", str(run)]
    with launcher.start(fault.ranks, *words, "--trials", str(_TRIALS), mpi=mpi) as job:
        _wait_for(run / "config.toml", job)
        if job.process.poll() is not None:
            return Found(0, 0, (f"the job ended before the fault: {job.output()}",))
        time.sleep(fault.delay)
        known = committed(run)
        if fault.victim == FULL_DISK:
            _fill(place / "ballast")
        else:
            _kill(job, fault.victim, rng)
        hangs = not _ends(job)
    problems = ["hang"] if hangs else []
    if fault.victim == FULL_DISK:
        problems += _after_full_disk(place, run, known)
    return _look(launcher, run, known, words, fault, mpi, problems)


def committed(run: Path) -> set[TrialKey]:
    """Trials that a reader finds now; a reader that finds no store finds none."""
    with suppress(UserError):
        return set(RunReader(run).keys)
    return set()


def logged(run: Path) -> set[TrialKey]:
    """Trials that ranks wrote to their logs, which they do after committing them."""
    lines = (
        line for path in (run / "logs").glob("rank-*.log") for line in path.read_text(errors="replace").splitlines()
    )
    return {TrialKey(*map(int, found.groups())) for line in lines if (found := _LOGGED.search(line))}


def _wait_for(path: Path, job: Launch) -> None:
    limit = time.monotonic() + 60
    while not path.exists() and job.process.poll() is None and time.monotonic() < limit:
        time.sleep(0.02)


def _ends(job: Launch) -> bool:
    try:
        job.process.wait(_HANG_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    limit = time.monotonic() + 10
    while job.processes() and time.monotonic() < limit:
        time.sleep(0.1)
    return not job.processes()


def _kill(job: Launch, victim: str, rng: random.Random) -> None:
    """Kill without warning; a trial that has just ended is no longer there to be killed."""
    processes = job.processes()
    ranks = [pid for pid, words in processes.items() if "-m mpi_automl " in words and "mpirun" not in words]
    guardians = [pid for pid in processes if _parent(pid) in ranks]
    servers = [pid for pid in processes if _parent(pid) in guardians]
    chosen = {
        "one rank": lambda: [rng.choice(ranks)],
        "all ranks": lambda: ranks,
        "mpirun": lambda: [job.process.pid],
        "trial server": lambda: [rng.choice(servers)],
        "trial's child": lambda: [rng.choice([pid for pid in processes if _parent(pid) in servers])],
    }[victim]
    with suppress(IndexError):
        for pid in chosen():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _fill(ballast: Path) -> None:
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def _after_full_disk(place: Path, run: Path, known: set[TrialKey]) -> list[str]:
    lost = known - committed(run)
    (place / "ballast").unlink()
    return [f"{len(lost)} lost on a full disk"] if lost else []


def _look(
    launcher: Launcher,
    run: Path,
    known: set[TrialKey],
    words: list[str],
    fault: Fault,
    mpi: str,
    problems: list[str],
) -> Found:
    if fault.victim != FULL_DISK:
        known = known | logged(run)
    keys = committed(run)
    problems += _read_outside(run, keys)
    size = fault.ranks_after
    again = [*words, "--trials", "1", "--resume", "auto"]
    try:
        with redirect_stdout(StringIO()):
            done = launcher(size, *again, mpi=mpi, timeout=_HANG_SECONDS)
    except BaseException as error:
        if type(error).__name__ != "Failed":
            raise
        return Found(len(known), len(known - committed(run)), (*problems, "hang of the leg that goes on"))
    if done.returncode != 0:
        problems.append(f"resuming ended with {done.returncode}: {done.stderr[-500:]}")
    elif RunDirectory(run).state != "finished":
        problems.append("the run has not finished after it went on")
    return Found(len(known), len(known - committed(run)), tuple(problems))


def _read_outside(run: Path, keys: set[TrialKey]) -> list[str]:
    """The verbs check and show, as a user calls them."""
    if not (run / "config.toml").exists() or not keys:
        return []
    problems = []
    for verb in ("check", "show"):
        done = subprocess.run(
            [sys.executable, "-m", "mpi_automl", verb, str(run)], capture_output=True, text=True, timeout=60
        )
        if done.returncode != 0:
            problems.append(f"{verb} ended with {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}")
    return problems
