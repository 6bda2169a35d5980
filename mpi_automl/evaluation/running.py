"""One job in its child process, as the trial server sees it."""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.evaluation import child, linux
from mpi_automl.evaluation.messages import DamagedStreamError, Inbox, Message
from mpi_automl.evaluation.model_files import file_of_test_predictions, unfinished
from mpi_automl.evaluation.supervision import MemoryWatch, ProcessTree, kill_descendants
from mpi_automl.trial import Status

if TYPE_CHECKING:
    from mpi_automl.evaluation.setup import EvaluationSetup

GRACE = 0.4
"""Seconds between the soft stop and the kill."""
_LEAST_TIME_TO_SAVE = 10.0
_KILL_AGAIN = 0.1
_TIME_TO_LEAVE = 0.05
"""Seconds for helpers of a trial that has ended, such as multiprocessing's resource tracker, to do their last work."""
_PIECE = 2**20
_KEPT_OUTPUT = 2**16
_OUTPUT_TAIL = 2**11


class _Phase(Enum):
    RUNNING = auto()
    SOFT_STOPPED = auto()
    REPORTED = auto()
    """The outcome is known; the child may still be saving its models."""
    KILLED = auto()


class RunningJob:
    """A job from the fork of its child until nothing of it is left.

    Parameters
    ----------
    job : Message
        As the rank sent it.
    setup : EvaluationSetup
    surroundings : callable
        Makes the `mpi_automl.evaluation.child.Surroundings` from the child's two descriptors.
    shared_inode : int
        Of the file in which the setup lies.
    report : callable
        Takes the message for the rank, once.
    log : callable
        Takes output of the trial.
    """

    def __init__(
        self,
        job: Message,
        setup: EvaluationSetup,
        surroundings: Callable[[int, int], child.Surroundings],
        shared_inode: int,
        report: Callable[[Message], None],
        log: Callable[[bytes], None],
    ) -> None:
        self._job = job
        self._report = report
        self._log = log
        self._partial: Message | None = None
        self._killed_for: tuple[Status, str] | None = None
        self._output_size = 0
        self._output_tail = b""
        self._inbox = Inbox(_largest_body(setup))
        self._oom_kills = linux.oom_kills()
        self._tree = ProcessTree()
        self._cpu_before = _children_cpu()
        self.modules: list[str] = []
        self.phase = _Phase.RUNNING
        self.start = time.time()
        # What a child finds free in the memory it inherits would not count as taken by it.
        linux.give_back_free_memory()
        self._memory = MemoryWatch(linux.memory_status(os.getpid()).anonymous, job.facts["memory"], shared_inode)
        self.results, results = socket.socketpair()
        self.output, output = os.pipe()
        self.pid = _fork(job, setup, surroundings(results.fileno(), output), (self.results.fileno(), self.output))
        results.close()
        os.close(output)
        self.results.setblocking(False)
        os.set_blocking(self.output, False)
        self._deadline = time.monotonic() + job.facts["seconds"]
        self._limit_deadline = self._deadline
        self._next_look = time.monotonic() + self._memory.patience

    def seconds_to_next_look(self) -> float:
        """Until `look` wants to be called."""
        until: float = min(self._deadline, self._next_look) - time.monotonic()
        return max(0.0, until)

    def look(self) -> None:
        """Check time and memory, and act."""
        now = time.monotonic()
        if now >= self._next_look:
            self._look_at_memory()
            self._next_look = now + self._memory.patience
        if now < self._deadline:
            return
        if self.phase is _Phase.RUNNING:
            self.phase = _Phase.SOFT_STOPPED
            self._deadline = now + GRACE
            os.kill(self.pid, signal.SIGTERM)
        else:
            self.kill(Status.TIMEOUT, "time limit reached")

    def _look_at_memory(self) -> None:
        members = self._tree.members()
        if self.phase is not _Phase.KILLED and self._memory.exceeded(members):
            processes = f" in {len(members)} processes" if len(members) > 1 else ""
            limit = self._job.facts["memory"]
            self.kill(Status.MEMOUT, f"{self._memory.used:.0f} MiB{processes}, more than the {limit:.0f} MiB allowed")

    def kill(self, status: Status, reason: str) -> None:
        """End all processes of the job; the first reason counts."""
        if self._killed_for is None:
            self._killed_for = (status, reason)
        if self.phase is not _Phase.REPORTED:
            self.phase = _Phase.KILLED
        self._deadline = time.monotonic() + _KILL_AGAIN
        kill_descendants(self.start)

    def on_results(self) -> bool:
        """Take in what the child has written; gives whether more may come."""
        try:
            piece = self.results.recv(_PIECE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not piece:
            return False
        try:
            for message in self._inbox.feed(piece):
                self._on_message(message)
        except (DamagedStreamError, KeyError, TypeError, ValueError):
            self.kill(Status.CRASHED, "the trial wrote into the server's channel")
            return False
        return True

    def _on_message(self, message: Message) -> None:
        if self.phase in (_Phase.REPORTED, _Phase.KILLED):
            return
        self._memory.note(float(message.facts["memory"]))
        if message.kind == "partial":
            self._partial = message
            return
        self.modules = [str(name) for name in message.facts.get("modules", ())]
        now = time.monotonic()
        self._deadline = max(self._limit_deadline, now + _LEAST_TIME_TO_SAVE)
        if message.facts["status"] == Status.TIMEOUT and self._partial is not None:
            message = self._cut_off(self._partial)
        self._conclude(message)

    def on_output(self) -> bool:
        """Take in what the child has printed; gives whether more may come."""
        try:
            piece = os.read(self.output, _PIECE)
        except BlockingIOError:
            return True
        if self._output_size < _KEPT_OUTPUT:
            self._log(piece[: _KEPT_OUTPUT - self._output_size])
        self._output_size += len(piece)
        self._output_tail = (self._output_tail + piece)[-_OUTPUT_TAIL:]
        return bool(piece)

    def on_exit(self, wait_status: int) -> None:
        """The child has ended: see what is left to read, and report if it has not done so."""
        while self.on_results() and self._more_results():
            pass
        self._deadline = time.monotonic() + _TIME_TO_LEAVE
        if self.phase is _Phase.REPORTED:
            return
        status, reason = self._killed_for or self._verdict(wait_status)
        if status is Status.TIMEOUT and self._partial is not None:
            self._conclude(self._cut_off(self._partial))
            return
        self._conclude(Message("failed", {"status": int(status), "reason": reason}))

    def _more_results(self) -> bool:
        try:
            return bool(self.results.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def _verdict(self, wait_status: int) -> tuple[Status, str]:
        if b"bad_alloc" in self._output_tail or b"Cannot allocate memory" in self._output_tail:
            return Status.MEMOUT, "out of memory in native code"
        if os.WIFSIGNALED(wait_status):
            number = os.WTERMSIG(wait_status)
            if number == signal.SIGKILL and linux.oom_kills() > self._oom_kills:
                return Status.MEMOUT, "killed by the kernel: the node ran out of memory"
            return Status.CRASHED, f"ended by signal {signal.Signals(number).name}"
        return Status.CRASHED, f"the process ended itself with exit status {os.WEXITSTATUS(wait_status)}"

    def _cut_off(self, partial: Message) -> Message:
        facts = {**partial.facts, "reason": "time limit: predictions of the last finished step"}
        return Message("done", facts, partial.body)

    def _conclude(self, message: Message) -> None:
        was_killed = self.phase is _Phase.KILLED
        self.phase = _Phase.REPORTED
        facts = {
            **message.facts,
            "job": self._job.kind,
            "start": self.start,
            "end": time.time(),
            "memory_peak": max(0.0, self._memory.peak),
        }
        if was_killed or "cpu_seconds" not in facts:
            facts["cpu_seconds"] = _children_cpu() - self._cpu_before
        self._report(Message(message.kind, facts, message.body))

    def close(self) -> None:
        """Let go of the descriptors, and of files that were not finished."""
        self.results.close()
        os.close(self.output)
        if path := self._job.facts["path"]:
            unfinished(Path(path)).unlink(missing_ok=True)
            unfinished(file_of_test_predictions(Path(path))).unlink(missing_ok=True)


def _children_cpu() -> float:
    """CPU seconds of all ended children of this process and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _largest_body(setup: EvaluationSetup) -> int:
    test: Any = setup.task.X_test
    n_rows = len(setup.resampling.validation_rows) + (0 if test is None else test.shape[0])
    return int(4 * n_rows * setup.task.profile.n_outputs)


def _fork(job: Message, setup: EvaluationSetup, surroundings: child.Surroundings, ours: tuple[int, ...]) -> int:
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        try:
            for descriptor in ours:
                os.close(descriptor)
            child.live(job, setup, surroundings)
        finally:
            os._exit(1)
    return pid
