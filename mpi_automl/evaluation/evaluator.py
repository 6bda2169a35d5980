"""In the rank: hand out trials to the trial server, collect results, never wait."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpi_automl.errors import UserError
from mpi_automl.evaluation.library_threads import thread_variables
from mpi_automl.evaluation.messages import DamagedStreamError, Inbox, Message, with_arrays
from mpi_automl.evaluation.trial_status import JOB_ENDED, LONGEST_REASON
from mpi_automl.machine.import_path import python_command, python_path
from mpi_automl.trial import Result, Status, Trial

_PIECE = 2**20
"""Bytes read at once; far more than a socket holds."""
_MPI_VARIABLES = (
    "HYDI_", "HYDRA_", "I_MPI_", "MPICH_", "MPIEXEC_", "MPIR_", "MPI_LOCAL", "MV2_", "OMPI_", "OPAL_", "PMIX_",
    "PMI_", "PRTE_",
)  # fmt: skip
"""Beginnings of the names of variables by which a process would take itself for a rank."""
_MAX_OUTSTANDING = 2
"""One trial runs and one waits in the server, so that no core idles while the rank is busy."""
_CLOSE_SECONDS = 3.0
"""For the guardian to end all below it by itself; the whole rank has to end within 10 s."""
_MAX_LAUNCHES = 4
"""Guardians killed by somebody are replaced; one that dies again and again has a cause that stays."""
_MAX_FALSE_STARTS = 3
"""Likewise for servers that end before they are ready."""


@dataclass(frozen=True, eq=False)
class Refit:
    """What fitting a configuration on all rows came to.

    Attributes
    ----------
    trial : Trial
    path : Path
        Where the model is, if `status` is SUCCESS: a list of one fitted pipeline, saved by skops.
    status : Status
    start, end : float
        Seconds since the epoch.
    cpu_seconds : float
    memory_peak : float
        MiB.
    reason : str
        Why it failed, or where staged fitting was stopped by the time limit.
    """

    trial: Trial
    path: Path
    status: Status
    start: float
    end: float
    cpu_seconds: float = 0.0
    memory_peak: float = 0.0
    reason: str = ""


@dataclass(frozen=True, eq=False)
class _Outstanding:
    trial: Trial
    path: Path | None
    message: Message
    submitted: float


class Evaluator:
    """Evaluates trials in limited processes, one at a time, by way of a trial server of its own.

    Make one with `start` before MPI is initialised, and use it as a context manager.
    """

    def __init__(self, log: Path | None, threads: int, plugins: Sequence[str]) -> None:
        self._log = log
        self._threads = threads
        self._plugins = tuple(plugins)
        self._outstanding: deque[_Outstanding] = deque()
        self._finished: list[Result | Refit] = []
        self._setup: Message | None = None
        self._model_directory: Path | None = None
        self._control: socket.socket | None = None
        self._inbox = Inbox()
        self._epoll = select.epoll()
        self._launches = 0
        self._last_end = 0.0
        self._false_starts = 0
        self._was_ready = False
        self._launch()

    @classmethod
    def start(cls, log: Path | None = None, threads: int = 1, plugins: Sequence[str] = ()) -> Evaluator:
        """Start the trial server; returns at once, while the server imports the learners.

        Parameters
        ----------
        log : Path, optional
            File to which messages of the server and what trials print are appended.
        threads : int
            Threads of one evaluation, for BLAS, OpenMP and joblib; the setup may lower it.
        plugins : sequence of str
            Modules to import that register components.
        """
        return cls(log, threads, plugins)

    def _launch(self) -> None:
        """Start the guardian, which starts the server."""
        self._launches += 1
        self._lifeline, theirs = socket.socketpair()
        output: Any = subprocess.DEVNULL if self._log is None else self._log.open("ab")
        try:
            self._guardian = subprocess.Popen(
                python_command("mpi_automl.evaluation.guardian", str(theirs.fileno()), *self._plugins),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=server_environment(os.environ, self._threads),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        finally:
            theirs.close()
            if self._log is not None:
                output.close()
        self._epoll.register(self._lifeline, select.EPOLLIN)

    def open(self, setup_file: Path, model_directory: Path | None = None) -> None:
        """Send the server the setup of the trials.

        Parameters
        ----------
        setup_file : Path
            An `EvaluationSetup` written by `mpi_automl.data.shared.write_packed`; mapped read-only.
        model_directory : Path, optional
            Where fitted models of good trials are kept, as ``<key>.skops``.
        """
        self._model_directory = None if model_directory is None else model_directory.resolve()
        self._launches = 1
        self._setup = Message("open", {"setup_file": str(setup_file)})
        self._send(self._setup)

    @property
    def can_submit(self) -> bool:
        """Whether there is room: one trial may run while another one waits."""
        return len(self._outstanding) < _MAX_OUTSTANDING

    @property
    def is_ready(self) -> bool:
        """Whether the server has imported the learners; `poll` receives that message."""
        return self._was_ready

    @property
    def is_idle(self) -> bool:
        """Whether no trial is under way and no result waits for `poll`."""
        return not self._outstanding and not self._finished

    def submit(
        self,
        trial: Trial,
        *,
        seconds: float,
        memory: float,
        keep_model_below: float = -float("inf"),
        until: float = float("inf"),
    ) -> None:
        """Have a trial evaluated; its `Result` comes from `poll`.

        Parameters
        ----------
        trial : Trial
        seconds : float
            Wall-clock limit.
        memory : float
            MiB that the trial's processes may add to interpreter, libraries and table.
        keep_model_below : float
            The fitted models are kept if the cost is below this.
        until : float
            On the clock of `time.monotonic`; the limit is cut to what is left of it when the trial begins, which may
            be long after it was handed in.

        Raises
        ------
        RuntimeError
            If there is no room.
        """
        path = None if self._model_directory is None else self._model_directory / f"{trial.key}.skops"
        self._hand_out("trial", trial, path, seconds, memory, {"keep_model_below": keep_model_below, "until": until})

    def refit(self, trial: Trial, path: Path, *, seconds: float, memory: float) -> None:
        """Have a configuration fitted on all rows and saved; its `Refit` comes from `poll`.

        A fit that its deadline ends before it took as long as a fold of the trial fails: the models of the folds have
        learned more.
        """
        self._hand_out("refit", trial, path.resolve(), seconds, memory, {})

    def _hand_out(
        self, kind: str, trial: Trial, path: Path | None, seconds: float, memory: float, more: dict[str, float]
    ) -> None:
        if not self.can_submit:
            raise RuntimeError("one trial is running and one is waiting already")
        facts = {
            "seed": int(trial.seed),
            "budget": float(trial.budget),
            "iterations": int(trial.iterations),
            "prune_above": float(trial.prune_above),
            "fit_seconds": float(trial.fit_seconds),
            "seconds": float(seconds),
            "memory": float(memory),
            "path": "" if path is None else str(path),
            **more,
        }
        message = with_arrays(kind, facts, [trial.vector])
        self._outstanding.append(_Outstanding(trial, path if kind == "refit" else None, message, time.time()))
        self._send(message)

    def poll(self, timeout: float = 0.0) -> list[Result | Refit]:
        """Results that have come in, in the order of submission.

        Parameters
        ----------
        timeout : float
            Seconds to wait for the first.

        Raises
        ------
        UserError
            If a plugin cannot be imported.
        RuntimeError
            If the server cannot start, or cannot read the setup.
        """
        deadline = time.monotonic() + timeout
        while True:
            wait = 0.0 if self._finished else max(0.0, deadline - time.monotonic())
            events = self._epoll.poll(wait)
            for descriptor, _ in events:
                if descriptor == self._lifeline.fileno():
                    self._on_lifeline()
                elif self._control is not None and descriptor == self._control.fileno():
                    self._on_control()
            if self._finished or time.monotonic() >= deadline:
                finished, self._finished = self._finished, []
                return finished

    def fileno(self) -> int:
        """A descriptor that can be read when `poll` has something to do; the same for the evaluator's life."""
        return self._epoll.fileno()

    def cancel(self) -> None:
        """End all trials; they come from `poll` as STOPPED."""
        if self._control is not None:
            self._send(Message("cancel"))
            return
        while self._outstanding:
            self._fail_first(*JOB_ENDED)

    def close(self) -> None:
        """End the server and all that runs in it."""
        self._drop_control()
        self._lifeline.close()
        self._epoll.close()
        if not self._was_ready:
            self._guardian.terminate()
        try:
            self._guardian.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._guardian.terminate()
            self._guardian.wait()

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _send(self, message: Message) -> None:
        """Write to the server; should it be gone, everything is sent again to the next one."""
        if self._control is None:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in message.encode():
                self._control.sendall(piece)

    def _on_lifeline(self) -> None:
        _, descriptors, _, _ = socket.recv_fds(self._lifeline, 1, 1)
        if descriptors:
            self._control = socket.socket(fileno=descriptors[0])
            self._inbox = Inbox()
            self._epoll.register(self._control, select.EPOLLIN)
            for message in (self._setup, *(job.message for job in self._outstanding)):
                if message is not None:
                    self._send(message)
            return
        self._epoll.unregister(self._lifeline)
        self._lifeline.close()
        self._lose_server()
        self._guardian.wait()
        if not self._was_ready or self._launches >= _MAX_LAUNCHES:
            raise RuntimeError(f"The trial server ended; {self._where_to_look()}")
        self._launch()

    def _where_to_look(self) -> str:
        return "start it with a log to learn why" if self._log is None else f"see {self._log}"

    def _on_control(self) -> None:
        assert self._control is not None
        try:
            piece = self._control.recv(_PIECE)
        except ConnectionResetError:
            piece = b""
        try:
            for message in self._inbox.feed(piece):
                self._on_message(message)
        except DamagedStreamError:
            piece = b""
        if not piece:
            self._lose_server()

    def _lose_server(self) -> None:
        """The server is gone: the trial that ran is lost, the one that waits goes to the next server."""
        if self._control is None:
            return
        self._drop_control()
        self._false_starts += not self._was_ready
        if self._false_starts == _MAX_FALSE_STARTS:
            raise RuntimeError(f"The trial server does not start; {self._where_to_look()}")
        if self._outstanding and self._was_ready:
            self._fail_first(Status.CRASHED, "the trial server was killed while this trial was running")

    def _drop_control(self) -> None:
        if self._control is not None:
            self._epoll.unregister(self._control)
            self._control.close()
            self._control = None

    def _on_message(self, message: Message) -> None:
        if message.kind == "ready":
            self._was_ready = True
        elif message.kind == "refused":
            raise UserError(message.facts["text"])
        elif message.kind == "error":
            raise RuntimeError(message.facts["text"])
        else:
            finished = _to_result(self._outstanding.popleft(), message)
            self._last_end = finished.end
            self._finished.append(finished)

    def _fail_first(self, status: Status, reason: str) -> None:
        job = self._outstanding.popleft()
        start = time.time() if status is Status.STOPPED else max(job.submitted, self._last_end)
        facts = {"status": int(status), "reason": reason, "start": start}
        self._finished.append(_to_result(job, Message("failed", facts)))


def _to_result(job: _Outstanding, message: Message) -> Result | Refit:
    facts = message.facts
    status, reason = Status(facts["status"]), str(facts.get("reason", ""))[:LONGEST_REASON]
    end = facts.get("end", time.time())
    start = facts.get("start", end)
    used = {"cpu_seconds": facts.get("cpu_seconds", 0.0), "memory_peak": facts.get("memory_peak", 0.0)}
    if job.path is not None:
        return Refit(job.trial, job.path, status, start, end, reason=reason, **used)
    predictions, test_predictions = message.arrays() if "arrays" in facts else (None, None)
    return Result(
        trial=job.trial,
        status=status,
        cost=facts.get("cost", float("nan")),
        start=start,
        end=end,
        predictions=predictions,
        test_predictions=test_predictions,
        scores=facts.get("scores", {}),
        fit_seconds=facts.get("fit_seconds", 0.0),
        predict_seconds=facts.get("predict_seconds", 0.0),
        reason=reason,
        iterations=facts.get("iterations", 0),
        **used,
    )


def server_environment(environment: Mapping[str, str], threads: int) -> dict[str, str]:
    """The rank's environment without MPI's variables and with numbers of threads.

    Trials must not take themselves for ranks; hash seeds are fixed so that equal trials are equal.
    """
    kept = {name: value for name, value in environment.items() if not name.startswith(_MPI_VARIABLES)}
    kept.update(thread_variables(threads))
    kept["PYTHONHASHSEED"] = "0"
    kept["PYTHONPATH"] = python_path()
    return kept
