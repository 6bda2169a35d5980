"""Faults in real jobs: each strikes a leg at some moment; what is left is checked and shown, and the run goes on."""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from launching import Launch, Launcher

from mpi_automl.cli.main import entry
from mpi_automl.errors import UserError
from mpi_automl.storage.reader import RunReader
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.trial import Status, TrialKey

KILLS = ("one rank", "all ranks", "mpirun")
SIGNALS = ("USR1 to a rank", "TERM to a rank", "TERM to mpirun")
HARMLESS = ("trial's child", "trial server")
"""Their death costs a trial; the job goes on, and is ended by USR1 then."""

FULL_DISK, FULL_FOR_A_WHILE = "full disk", "full for a while"
DISK = (FULL_DISK, FULL_FOR_A_WHILE)

_CHEAP = ["--include", "classifier:gaussian_nb,classifier:decision_tree,classifier:lda", "--trial-time", "3"]
_OPTIONS = "--time 120 --models-on-disk 5 --report false --resume auto"
_JOB = ["python", "-m", "mpi_automl", *_OPTIONS.split(), *_CHEAP]
_STARTED = " s total, "
_START_SECONDS, _HANG_SECONDS, _GO_ON_SECONDS = 100.0, 90.0, 40.0
_DISK_KIB = 2**16
"""Room for the models of all legs of a run, so that only faults of the disk meet a full one."""
_LOGGED = re.compile(r" trial (\d+)-(\d+)-(\d+) ")
_TO_BE_RESUMED = 75


@dataclass(frozen=True)
class Fault:
    """What strikes a leg, and when.

    Attributes
    ----------
    victim : str
        One of `KILLS`, `SIGNALS`, `HARMLESS` or `DISK`.
    delay : float
        Seconds from the moment at which rank 0 says what it is going to do: the store is not there yet.
    ranks : int
    layout : str
    """

    victim: str
    delay: float
    ranks: int
    layout: str


@dataclass(frozen=True)
class Found:
    """What was left.

    Attributes
    ----------
    committed : int
        Trials of all legs that were known to be committed when the leg had ended.
    lost : int
        Of these, trials that a reader does not find.
    problems : tuple of str
        Whatever else is not as it must be; those that begin with "hang" are hangs.
    searched_on : float
        Seconds from a signal to the end of the last trial on any rank; 0 without a signal.
    """

    committed: int
    lost: int
    problems: tuple[str, ...]
    searched_on: float = 0.0


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


def logged(run: Path) -> set[TrialKey]:
    """Trials that ranks wrote to their logs, which they do after committing them."""
    lines = (
        line for path in (run / "logs").glob("rank-*.log") for line in path.read_text(errors="replace").splitlines()
    )
    return {TrialKey(*map(int, found.groups())) for line in lines if (found := _LOGGED.search(line))}


class StruckRun:
    """A run that is struck leg after leg.

    Parameters
    ----------
    launcher : Launcher
    place : Path
        Where the run directory is made.
    mpi : str
    rng : random.Random
        Chooses among victims.
    """

    def __init__(self, launcher: Launcher, place: Path, mpi: str, rng: random.Random) -> None:
        self.directory = place / "run"
        self._ballast = place / "ballast"
        self._launcher, self._mpi, self._rng = launcher, mpi, rng
        self._known: set[TrialKey] = set()
        self._had_no_room: set[TrialKey] = set()
        self._signalled_at = math.inf

    def strike(self, fault: Fault) -> Found:
        """Begin a leg, have a fault strike it, and look at what is left."""
        problems: list[str] = []
        self._signalled_at = math.inf
        with self._launcher.start(fault.ranks, *self._words(fault.layout), mpi=self._mpi) as job:
            if not _comes(lambda: _STARTED in job.output()[0] or job.process.poll() is not None, _START_SECONDS):
                problems.append(f"hang before the search: {job.output()}")
            time.sleep(fault.delay)
            if job.process.poll() is not None:
                problems.append(f"the job ended before the fault with {job.process.poll()}: {job.output()}")
            else:
                self._known |= self._committed()
                problems += self._do(fault, job)
            problems += _end_of(job)
            problems += self._wrong_status(fault, job)
        self._ballast.unlink(missing_ok=True)
        return self._look(problems, logs_count=fault.victim not in DISK)

    def use(self, table: Path) -> list[str]:
        """Build an ensemble from what is left and predict with it; gives what went wrong."""
        out = self.directory.parent / "predicted.parquet"
        return self._wrong("ensemble", "--size", "3") + self._wrong("predict", str(table), "--out", str(out))

    def finish(self, ranks: int) -> Found:
        """Let a last leg come to its end."""
        problems: list[str] = []
        self._signalled_at = math.inf
        sentence = f"{self._usable()} finished trials of earlier legs are known"
        with self._launcher.start(ranks, *self._words("auto"), "--trials", "1", mpi=self._mpi) as job:
            problems += _end_of(job)
            if job.process.poll() != 0 or sentence not in " ".join(job.output()[0].split()):
                problems.append(f"the last leg ended with {job.process.poll()}; not {sentence}: {job.output()}")
        if RunDirectory(self.directory).state != "finished":
            problems.append("the run has not finished after it went on")
        return self._look(problems)

    def _words(self, layout: str) -> list[str]:
        return [*_JOB, "--store", layout, "--out", str(self.directory)]

    def _committed(self) -> set[TrialKey]:
        """Trials that a reader finds now; a reader that finds no store finds none."""
        with suppress(UserError):
            return set(RunReader(self.directory).keys)
        return set()

    def _usable(self) -> int:
        """Trials that tell a search something: not the dummy, and none that was cut off."""
        with suppress(UserError):
            trials = RunReader(self.directory).trials()
            return int(((trials["status"] != "stopped") & (trials["origin"] != "dummy")).sum())
        return 0

    def _do(self, fault: Fault, job: Launch) -> list[str]:
        """Strike; where the job is to outlive that, see that it does, and end it."""
        if fault.victim in DISK:
            _fill(self._ballast)
            time.sleep(1)
            if fault.victim == FULL_FOR_A_WHILE:
                self._ballast.unlink()
                return self._goes_on(job, fault.victim)
            lost = self._known - self._committed()
            _kill(_ranks(job), signal.SIGKILL)
            return [f"{len(lost)} lost on a full disk"] if lost else []
        if fault.victim in HARMLESS:
            _kill(self._victims(fault.victim, job), signal.SIGKILL)
            return self._goes_on(job, fault.victim)
        number = {"USR1": signal.SIGUSR1, "TERM": signal.SIGTERM}.get(fault.victim[:4], signal.SIGKILL)
        if number != signal.SIGKILL:
            self._signalled_at = time.time()
        _kill(self._victims(fault.victim, job), number)
        return []

    def _goes_on(self, job: Launch, victim: str) -> list[str]:
        """Wait for trials that began after the fault, then ask the job to stop."""
        struck = time.time()

        def has_gone_on() -> bool:
            with suppress(UserError):
                records = RunReader(self.directory).records
                return bool(((records["start"] > struck) & (records["status"] == Status.SUCCESS)).any())
            return False

        problems = []
        if not _comes(lambda: has_gone_on() or job.process.poll() is not None, _GO_ON_SECONDS):
            problems.append(f"hang: no trial began after the fault ({victim})")
        if _had_no_room_for_a_store(job):
            return []
        if job.process.poll() is not None:
            problems.append(f"the job ended with {job.process.poll()} after the fault ({victim}): {job.output()}")
        self._known |= self._committed()
        self._signalled_at = time.time()
        _kill(_ranks(job)[:1], signal.SIGUSR1)
        return problems

    def _victims(self, victim: str, job: Launch) -> list[int]:
        """Process numbers; a trial that has just ended is no longer there to be killed."""
        if victim.endswith("mpirun"):
            return [job.process.pid]
        ranks = _ranks(job)
        if victim == "all ranks":
            return ranks
        if victim.endswith("rank"):
            return [self._rng.choice(ranks)]
        processes = job.processes()
        guardians = [pid for pid in processes if _parent(pid) in ranks]
        servers = [pid for pid in processes if _parent(pid) in guardians]
        if victim == "trial's child":
            servers = [pid for pid in processes if _parent(pid) in servers]
        return [self._rng.choice(servers)] if servers else []

    def _wrong_status(self, fault: Fault, job: Launch) -> list[str]:
        status = job.process.poll()
        is_stopped = fault.victim in (*HARMLESS, FULL_FOR_A_WHILE, "USR1 to a rank", "TERM to a rank")
        is_stopped = is_stopped and not _had_no_room_for_a_store(job)
        is_right = status == _TO_BE_RESUMED if is_stopped else status not in (0, None)
        return [] if is_right else [f"exit status {status} after {fault.victim}: {job.output()}"]

    def _look(self, problems: list[str], *, logs_count: bool = True) -> Found:
        # While the disk is full, what was logged waits for room, and goes with ranks that are killed then.
        if logs_count:
            self._known |= logged(self.directory) - self._had_no_room
        else:
            self._had_no_room |= logged(self.directory) - self._committed()
        lost = self._known - self._committed()
        if self._committed():
            problems += self._wrong("verify") + self._wrong("show") + self._wrong("show", "--json")
        return Found(len(self._known), len(lost), tuple(problems), self._searched_on())

    def _searched_on(self) -> float:
        with suppress(UserError):
            ends = RunReader(self.directory).records["end"]
            return float(max(0.0, ends.max(initial=0.0) - self._signalled_at))
        return 0.0

    def _wrong(self, verb: str, *options: str) -> list[str]:
        """What a user would see of a verb, if it fails."""
        said = StringIO()
        try:
            # The verbs prepare the environment for themselves; the next leg must not inherit that.
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), patch.dict(os.environ):
                entry([verb, str(self.directory), *options])
        except SystemExit as end:
            if end.code == 0:
                if "--json" in options:
                    json.loads(said.getvalue())
                return []
            return [f"{verb} ended with {end.code}: {said.getvalue()[-600:]}"]
        return [f"{verb} did not end"]


def _comes(condition: Callable[[], bool], seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


def _had_no_room_for_a_store(job: Launch) -> bool:
    """Whether the disk was full before there was anything to lose, and the job ended by a sentence."""
    said = " ".join("".join(job.output()).split())
    return job.process.poll() is not None and "The store cannot be made" in said and "Traceback" not in said


def _end_of(job: Launch) -> list[str]:
    """Wait for a job and all its processes to end."""
    if not _comes(lambda: job.process.poll() is not None, _HANG_SECONDS):
        return [f"hang: the job does not end: {job.processes()} {job.output()}"]
    if not _comes(lambda: not job.processes(), 10):
        return [f"hang: processes outlive the job: {job.processes()}"]
    return []


def _ranks(job: Launch) -> list[int]:
    return [pid for pid, words in job.processes().items() if words.split()[1:3] == ["-m", "mpi_automl"]]


def _kill(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _fill(ballast: Path) -> None:
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
