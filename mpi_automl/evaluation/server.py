"""In the trial server: one process per rank that runs trials in children of its own and watches over them.

It is a fresh interpreter, started before MPI is initialised and without MPI's environment, so forking it
is safe whatever the network; learners are imported once, before the first fork. It serves one rank over a
Unix socket and never waits for anything but events, so limits hold however busy the rank is.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import math
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError
from mpi_automl.evaluation import linux
from mpi_automl.evaluation.library_threads import limit_threads
from mpi_automl.evaluation.messages import Inbox, Message
from mpi_automl.evaluation.process_tree import kill_descendants
from mpi_automl.evaluation.server_job import RunningJob, time_left
from mpi_automl.evaluation.trial_status import JOB_ENDED, Ending
from mpi_automl.trial import Status

if TYPE_CHECKING:
    from mpi_automl.evaluation.setup import EvaluationSetup

_PIECE = 2**20
"""Bytes read at once; far more than a socket holds."""
_PRELOADED = (
    "skops.io",
    "sklearn.calibration",
    "sklearn.cluster",
    "sklearn.compose",
    "sklearn.decomposition",
    "sklearn.discriminant_analysis",
    "sklearn.ensemble",
    "sklearn.feature_selection",
    "sklearn.gaussian_process",
    "sklearn.impute",
    "sklearn.kernel_approximation",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.multiclass",
    "sklearn.multioutput",
    "sklearn.naive_bayes",
    "sklearn.neighbors",
    "sklearn.neural_network",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "sklearn.random_projection",
    "sklearn.svm",
    "sklearn.tree",
    "mpi_automl.evaluation.child",
    "mpi_automl.metrics.registry",
)


class _RankLeftError(Exception):
    """The rank has closed its end, or died."""


class TrialServer:
    """Takes jobs from a rank, runs them one after the other, and reports.

    Parameters
    ----------
    control : socket
        Stream to the rank.
    scratch : Path
        Working directory of the trials; emptied after each.
    plugins : sequence of str
        Modules to import that register components.
    """

    def __init__(self, control: socket.socket, scratch: Path, plugins: Sequence[str] = ()) -> None:
        self._control = control
        self._scratch = scratch
        self._plugins = plugins
        self._inbox = Inbox()
        self._outgoing: deque[memoryview] = deque()
        self._queued: deque[Message] = deque()
        self._cancelled = 0
        self._running: RunningJob | None = None
        self._setup: EvaluationSetup | None = None
        self._setup_inode = 0
        self._selector = selectors.DefaultSelector()
        self._wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def serve(self) -> None:
        """Serve until the rank leaves."""
        linux.adopt_orphans()
        self._control.setblocking(False)
        self._selector.register(self._wakeup[0], selectors.EVENT_READ, self._on_signal)
        self._selector.register(self._control, selectors.EVENT_READ, self._on_control)
        try:
            self._use_scratch()
            self._preload()
            signal.signal(signal.SIGCHLD, lambda number, frame: None)
            signal.signal(signal.SIGTERM, lambda number, frame: None)
            signal.set_wakeup_fd(self._wakeup[1], warn_on_full_buffer=False)
            self._send(Message("ready"))
            while True:
                timeout = None if self._running is None else self._running.seconds_to_next_check()
                ready = self._selector.select(timeout)
                # Ended children come last: then all they wrote before has been read.
                for key, _ in sorted(ready, key=lambda entry: entry[0].fd == self._wakeup[0]):
                    key.data()
                if self._running is not None:
                    self._running.enforce_limits()
        except _RankLeftError:
            return
        finally:
            self._abandon()

    def _use_scratch(self) -> None:
        self._scratch.mkdir(mode=0o700, exist_ok=True)
        for variable in ("TMPDIR", "JOBLIB_TEMP_FOLDER"):
            os.environ[variable] = str(self._scratch)
        tempfile.tempdir = None

    def _preload(self) -> None:
        from mpi_automl.space.components import all_components
        from mpi_automl.space.registry import import_plugins

        try:
            import_plugins(self._plugins)
        except UserError as error:
            self._send(Message("refused", {"text": str(error)}))
        all_components()
        for name in _PRELOADED:
            importlib.import_module(name)
        gc.disable()

    def _on_control(self) -> None:
        self._flush()
        try:
            piece = self._control.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            raise _RankLeftError
        for message in self._inbox.feed(piece):
            self._on_message(message)

    def _on_message(self, message: Message) -> None:
        if message.kind == "open":
            self._open(Path(message.facts["setup_file"]))
        elif message.kind == "cancel":
            self._cancel()
        else:
            self._queued.append(message)
            self._start_next()

    def _open(self, setup_file: Path) -> None:
        from mpi_automl.data.shared import map_packed

        try:
            self._setup_inode = setup_file.stat().st_ino
            self._setup = map_packed(setup_file)
        except Exception as error:  # noqa: BLE001  # whatever it is, the rank must hear of it
            text = f"The trial server cannot read {setup_file} ({type(error).__name__}: {error})."
            self._send(Message("error", {"text": text}))
            return
        limit_threads(self._setup.threads)
        gc.collect()

    def _cancel(self) -> None:
        self._cancelled = len(self._queued)
        if self._running is not None:
            self._running.kill(JOB_ENDED)
        self._start_next()

    def _start_next(self) -> None:
        if self._running is not None:
            return
        # The rank takes results in the order of its jobs, so these wait for the end of the one that ran.
        while self._cancelled:
            self._cancelled -= 1
            self._refuse(self._queued.popleft(), JOB_ENDED)
        while self._queued and time_left(self._queued[0]) <= 0.0:
            self._refuse(self._queued.popleft(), JOB_ENDED)
        if not self._queued:
            return
        job = self._queued.popleft()
        if self._setup is None:
            self._refuse(job, (Status.CRASHED, "there is no evaluation setup"))
            return
        running = RunningJob(job, self._setup, self._child_environment, self._setup_inode, self._send, self._log)
        self._running = running
        self._watch(running.results, running.on_results)
        self._watch(running.output, running.on_output)

    def _refuse(self, job: Message, ending: Ending) -> None:
        status, reason = ending
        self._send(Message("failed", {"job": job.kind, "status": int(status), "reason": reason}))

    def _child_environment(self, results: int, output: int) -> Any:
        from mpi_automl.evaluation.child import ChildEnvironment

        foreign = (self._control.fileno(), *self._wakeup, self._selector.fileno())
        return ChildEnvironment(os.getpid(), results, output, foreign, self._scratch)

    def _watch(self, source: Any, react: Callable[[], bool]) -> None:
        def on_event() -> None:
            if not react():
                self._selector.unregister(source)

        self._selector.register(source, selectors.EVENT_READ, on_event)

    def _on_signal(self) -> None:
        with contextlib.suppress(BlockingIOError):
            if signal.SIGTERM in os.read(self._wakeup[0], 4096):
                raise _RankLeftError
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._finish()
                return
            if pid == 0:
                return
            if self._running is not None and pid == self._running.pid:
                self._running.on_exit(status)

    def _finish(self) -> None:
        """No process of the job is left: put everything in order, and start the next."""
        running = self._running
        if running is None:
            return
        self._running = None
        for source in (running.results, running.output):
            with contextlib.suppress(KeyError):
                self._selector.unregister(source)
        running.close()
        self._clear_scratch()
        for name in running.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        self._start_next()

    def _clear_scratch(self) -> None:
        for path in self._scratch.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _send(self, message: Message) -> None:
        self._outgoing.extend(memoryview(piece) for piece in message.encode())
        self._flush()

    def _flush(self) -> None:
        """Write what the socket takes; the rest when it takes more."""
        events = selectors.EVENT_READ
        while self._outgoing:
            piece = self._outgoing[0]
            try:
                sent = self._control.send(piece)
            except BlockingIOError:
                events |= selectors.EVENT_WRITE
                break
            except OSError:
                raise _RankLeftError from None
            if sent == len(piece):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = piece[sent:]
        self._selector.modify(self._control, events, self._on_control)

    def _log(self, piece: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(sys.stderr.fileno(), piece)

    def _abandon(self) -> None:
        """The rank is gone: leave no process behind."""
        while True:
            kill_descendants(math.inf if self._running is None else self._running.start)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                break
        if self._running is not None:
            self._running.close()
        shutil.rmtree(self._scratch, ignore_errors=True)
