"""Learners that misbehave in every way we know of, and the statuses they must end with."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from mpi_automl.trial import Status

ACTS: dict[str, tuple[Callable[[], object], Status]] = {}
"""What each kind does when it is fitted (or asked to predict), and the status it deserves."""


def act(status: Status) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Enter a function in `ACTS` under its name."""

    def enter(function: Callable[[], object]) -> Callable[[], object]:
        ACTS[function.__name__] = function, status
        return function

    return enter


class Hostile(ClassifierMixin, BaseEstimator):
    """Predicts class shares like a decent learner, unless its act keeps it from doing so."""

    def __init__(self, kind: str = "behave", seed: int = 0) -> None:
        self.kind = kind
        self.seed = seed

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        if not self.kind.startswith("predict_"):
            ACTS[self.kind][0]()
        return self

    def predict_proba(self, X):
        shares = np.tile(self.shares_, (X.shape[0], 1))
        if self.kind.startswith("predict_"):
            return ACTS[self.kind][0]() if not ACTS[self.kind][0].__code__.co_argcount else ACTS[self.kind][0](shares)
        return shares

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _fork(function: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            function()
        finally:
            os._exit(0)
    return pid


def _forever() -> None:
    while True:
        time.sleep(1)


def _hoard(mebibytes: int = 8192) -> list[np.ndarray]:
    """Take memory in pieces and touch it."""
    return [np.ones(2**17) for _ in range(mebibytes)]


@act(Status.SUCCESS)
def behave() -> None:
    """Nothing special."""


@act(Status.SUCCESS)
def threads_with_large_maps() -> None:
    """Sixteen threads, and 8 GiB of maps of which next to nothing is used."""
    maps = [mmap.mmap(-1, 2**30) for _ in range(8)]
    for region in maps:
        region[0] = 1
    reserved = np.empty(2**30)
    reserved[:1000] = 1
    threads = [threading.Thread(target=time.sleep, args=(0.05,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@act(Status.SUCCESS)
def flood_of_output() -> None:
    """64 MiB of text, through Python and past it."""
    line = "x" * 1023 + "\n"
    for _ in range(2**15):
        sys.stdout.write(line)
        os.write(2, line.encode())


@act(Status.SUCCESS)
def children_that_stay() -> None:
    """Leaves processes behind, one of them in a session of its own."""
    _fork(_forever)
    _fork(lambda: (os.setsid(), signal.signal(signal.SIGTERM, signal.SIG_IGN), _forever()))


@act(Status.SUCCESS)
def daemon() -> None:
    """The classic double fork with a new session."""

    def middle() -> None:
        os.setsid()
        _fork(lambda: (signal.signal(signal.SIGHUP, signal.SIG_IGN), _forever()))

    os.waitpid(_fork(middle), 0)


@act(Status.SUCCESS)
def reads_standard_input() -> None:
    """Asks the user; there is none."""
    assert sys.stdin.read() == ""


@act(Status.SUCCESS)
def litters() -> None:
    """Leaves files in its working directory."""
    Path("catboost_info/deep").mkdir(parents=True)
    for name in ("core", "catboost_info/deep/events"):
        Path(name).write_text("x" * 10_000)


_SEGMENTS: list[SharedMemory] = []


def _segment() -> None:
    segment = SharedMemory(f"hostile_{os.getpid()}", create=True, size=2**20)
    segment.buf[:4] = b"left"
    _SEGMENTS.append(segment)


@act(Status.SUCCESS)
def leaves_shared_memory() -> None:
    """Forgets a segment."""
    _segment()


@act(Status.TIMEOUT)
def holds_shared_memory() -> None:
    """Has a segment when it is killed."""
    _segment()
    _forever()


@act(Status.SUCCESS)
def leaves_temporary_files() -> None:
    """Forgets a directory where temporary files go."""
    Path(tempfile.mkdtemp(), "file").write_text("left")


@act(Status.CRASHED)
def raises() -> None:
    raise RuntimeError("the learner did not like the table")


@act(Status.CRASHED)
def raises_system_exit() -> None:
    sys.exit(3)


@act(Status.CRASHED)
def raises_keyboard_interrupt() -> None:
    raise KeyboardInterrupt


@act(Status.CRASHED)
def raises_endless_recursion() -> None:
    raises_endless_recursion()


@act(Status.CRASHED)
def segmentation_fault() -> None:
    ctypes.string_at(1)


@act(Status.CRASHED)
def abort() -> None:
    os.abort()


@act(Status.CRASHED)
def exit_at_once() -> None:
    os._exit(0)


@act(Status.CRASHED)
def kills_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@act(Status.CRASHED)
def kills_the_server() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(0.5)


@act(Status.CRASHED)
def writes_into_all_descriptors() -> None:
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"garbage" * 1000)
        except OSError:
            continue


@act(Status.CRASHED)
def closes_all_descriptors() -> None:
    os.closerange(0, 256)


@act(Status.TIMEOUT)
def loops_in_python() -> None:
    while True:
        pass


@act(Status.TIMEOUT)
def loops_in_c() -> None:
    sum(iter(int, 1))


@act(Status.TIMEOUT)
def ignores_sigterm() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    _forever()


@act(Status.TIMEOUT)
def swallows_everything() -> None:
    while True:
        try:
            _forever()
        except BaseException:
            continue


@act(Status.TIMEOUT)
def stops_itself() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


@act(Status.TIMEOUT)
def few_forks_that_loop() -> None:
    """A fork bomb that stops at 32 processes, in sessions of their own."""
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
    _forever()


@act(Status.TIMEOUT)
def waits_for_its_program() -> None:
    subprocess.run(["sleep", "1000"], check=True, start_new_session=True)


@act(Status.TIMEOUT)
def endless_output() -> None:
    while True:
        os.write(1, b"y\n" * 4096)


@act(Status.MEMOUT)
def memory_by_numpy() -> None:
    kept = _hoard()
    time.sleep(len(kept))


@act(Status.MEMOUT)
def memory_at_one_go() -> None:
    np.ones(2**40)


@act(Status.MEMOUT)
def memory_by_small_objects() -> None:
    kept = []
    while True:
        kept.append([len(kept)])


@act(Status.MEMOUT)
def memory_by_threads() -> None:
    """None of the threads takes more than the limit."""
    kept: list[list[np.ndarray]] = []
    threads = [threading.Thread(target=lambda: kept.append(_hoard(32)), daemon=True) for _ in range(16)]
    for thread in threads:
        thread.start()
    _forever()


@act(Status.MEMOUT)
def memory_by_children() -> None:
    """None of the processes passes the limit alone."""

    def take() -> None:
        kept = _hoard(96)
        time.sleep(1000 + len(kept))

    for _ in range(4):
        _fork(take)
    _forever()


@act(Status.MEMOUT)
def memory_shared() -> None:
    region = mmap.mmap(-1, 2**30)
    for start in range(0, 2**30, 2**20):
        region[start : start + 2**20] = b"x" * 2**20
    _forever()


@act(Status.CRASHED)
def predict_nan(shares: np.ndarray) -> np.ndarray:
    shares[len(shares) // 2] = np.nan
    return shares


@act(Status.CRASHED)
def predict_too_few_rows(shares: np.ndarray) -> np.ndarray:
    return shares[:-1]


@act(Status.CRASHED)
def predict_too_many_columns(shares: np.ndarray) -> np.ndarray:
    return np.column_stack([shares, shares])


@act(Status.CRASHED)
def predict_text(shares: np.ndarray) -> np.ndarray:
    return np.full(shares.shape, "yes")


@act(Status.TIMEOUT)
def predict_forever(shares: np.ndarray) -> np.ndarray:
    _forever()
    return shares
