"""In the trial server: one job in its child process, with the limits of time and memory that it is held to."""

from __future__ import annotations

import gc
import math
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.atomic_write import temporary_path
from mpi_automl.evaluation import child, linux
from mpi_automl.evaluation.messages import DamagedStreamError, Inbox, Message
from mpi_automl.evaluation.model_files import file_of_test_predictions
from mpi_automl.evaluation.process_tree import ProcessTree, kill_descendants
from mpi_automl.evaluation.server_memory import MemoryWatch
from mpi_automl.evaluation.trial_status import Ending, status_of_exit, status_of_memory, status_of_timeout
from mpi_automl.trial import Status

if TYPE_CHECKING:
    from mpi_automl.evaluation.setup import EvaluationSetup

_SECONDS_TO_REPORT = 0.4
"""Between the soft stop at the time limit and the kill: enough to raise, describe and send; limits hold within 1 s."""
_LEAST_SECONDS_TO_SAVE = 10.0
"""A trial that reports just before its limit may still save its models: a good one is not lost for that."""
_KILL_AGAIN_SECONDS = 0.1
"""A process may be in a system call when it is killed, or may just have started another."""
_SECONDS_FOR_HELPERS = 0.05
"""For helpers of a trial that has ended, such as multiprocessing's resource tracker, to do their last work."""
_PIECE = 2**20
"""Bytes read at once; far more than a socket or a pipe holds."""
_KEPT_OUTPUT = 2**16
"""Bytes of a trial's output for the rank's log; learners may print without end."""
_OUTPUT_TAIL = 2**11
"""Bytes in which the last message of native code is looked for."""


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
    child_environment : callable
        Makes the `mpi_automl.evaluation.child.ChildEnvironment` from the child's two descriptors.
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
        child_environment: Callable[[int, int], child.ChildEnvironment],
        shared_inode: int,
        report: Callable[[Message], None],
        log: Callable[[bytes], None],
    ) -> None:
        self._job = job = _with_time_left(job)
        self._report = report
        self._log = log
        self._partial: Message | None = None
        self._killed_for: Ending | None = None
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
        self.pid = _fork(job, setup, child_environment(results.fileno(), output), (self.results.fileno(), self.output))
        results.close()
        os.close(output)
        self.results.setblocking(False)
        os.set_blocking(self.output, False)
        self._deadline = time.monotonic() + job.facts["seconds"]
        self._limit_deadline = self._deadline
        self._next_check = time.monotonic() + self._memory.seconds_to_next_check

    def seconds_to_next_check(self) -> float:
        """Until `enforce_limits` wants to be called."""
        until: float = min(self._deadline, self._next_check) - time.monotonic()
        return max(0.0, until)

    def enforce_limits(self) -> None:
        """Check time and memory; stop a trial that is at its limit, and kill it if it does not stop."""
        now = time.monotonic()
        if now >= self._next_check:
            self._enforce_memory_limit()
            self._next_check = now + self._memory.seconds_to_next_check
        if now < self._deadline:
            return
        if self.phase is _Phase.RUNNING:
            self.phase = _Phase.SOFT_STOPPED
            self._deadline = now + _SECONDS_TO_REPORT
            os.kill(self.pid, signal.SIGTERM)
        else:
            self.kill(status_of_timeout(has_predictions=False))

    def _enforce_memory_limit(self) -> None:
        members = self._tree.members()
        if self.phase is not _Phase.KILLED and self._memory.exceeded(members):
            self.kill(status_of_memory(self._memory.used, self._job.facts["memory"], len(members)))

    def kill(self, ending: Ending) -> None:
        """End all processes of the job; the first reason counts."""
        if self._killed_for is None:
            self._killed_for = ending
        if self.phase is not _Phase.REPORTED:
            self.phase = _Phase.KILLED
        self._deadline = time.monotonic() + _KILL_AGAIN_SECONDS
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
            self.kill((Status.CRASHED, "the trial wrote into the server's channel"))
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
        self._deadline = max(self._limit_deadline, now + _LEAST_SECONDS_TO_SAVE)
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
        self._deadline = time.monotonic() + _SECONDS_FOR_HELPERS
        if self.phase is _Phase.REPORTED:
            return
        oom_killed = linux.oom_kills() > self._oom_kills
        status, reason = self._killed_for or status_of_exit(wait_status, self._output_tail, oom_killed=oom_killed)
        self._conclude(Message("failed", {"status": int(status), "reason": reason}))

    def _more_results(self) -> bool:
        try:
            return bool(self.results.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def _conclude(self, message: Message) -> None:
        """Report how the job ended; after a timeout its last partial predictions count, if there are any."""
        if message.facts["status"] == Status.TIMEOUT and self._partial is not None:
            status, reason = status_of_timeout(has_predictions=True)
            facts = {**self._partial.facts, "status": int(status), "reason": reason}
            message = Message("done", facts, self._partial.body)
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
            for file in (Path(path), file_of_test_predictions(Path(path))):
                temporary_path(file, self.pid).unlink(missing_ok=True)


def time_left(job: Message) -> float:
    """Seconds until the search ends, when no job is worth beginning."""
    return float(job.facts.get("until", math.inf)) - time.monotonic()


def _with_time_left(job: Message) -> Message:
    """The job with its time limit cut to what is left until the search ends."""
    seconds = min(job.facts["seconds"], time_left(job))
    return replace(job, facts={**job.facts, "seconds": seconds})


def _children_cpu() -> float:
    """CPU seconds of all ended children of this process and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _largest_body(setup: EvaluationSetup) -> int:
    test: Any = setup.task.X_test
    n_rows = len(setup.resampling.validation_rows) + (0 if test is None else test.shape[0])
    return int(4 * n_rows * setup.task.profile.n_outputs)


def _fork(job: Message, setup: EvaluationSetup, environment: child.ChildEnvironment, ours: tuple[int, ...]) -> int:
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        try:
            for descriptor in ours:
                os.close(descriptor)
            child.run_in_child(job, setup, environment)
        finally:
            os._exit(1)
    return pid
