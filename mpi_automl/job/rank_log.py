"""The log file of a rank: what it did, what its trial server said."""

from __future__ import annotations

import logging
import os
from logging.handlers import MemoryHandler
from pathlib import Path

from mpi_automl.trial import Result

_FORMAT = "%(asctime)s %(levelname)s %(message)s"


class RankLog:
    """Writes a rank's log file.

    The trial server is started before there is a run directory, so what it and its trials print is
    held in memory (`server_output`) and moved to the file from time to time.

    Parameters
    ----------
    before : RankLog, optional
        That of the job before, in a process whose trial server serves one job after the other; it is closed.

    Attributes
    ----------
    server_output : Path
        Where the trial server is to append its output.
    """

    def __init__(self, before: RankLog | None = None) -> None:
        self._held: int = os.memfd_create("mpi_automl-server-output") if before is None else before._held
        self._moved: int = 0 if before is None else before._moved
        if before is not None and before._is_open:
            before.close()
            os.ftruncate(self._held, 0)
            self._moved = 0
        self._is_open: bool = False
        self.server_output = Path(f"/proc/{os.getpid()}/fd/{self._held}")
        self._logger = logging.Logger("mpi_automl")
        self._before = MemoryHandler(capacity=10_000, flushLevel=logging.CRITICAL + 1)
        self._logger.addHandler(self._before)

    def open(self, path: Path) -> None:
        """Begin to write to a file, first what was noted before."""
        self._is_open = True
        handler = logging.FileHandler(path, encoding="utf-8")
        handler.setFormatter(logging.Formatter(_FORMAT))
        self._before.setTarget(handler)
        self._before.flush()
        self._logger.removeHandler(self._before)
        self._logger.addHandler(handler)

    def close(self) -> None:
        """Write what is left, and nothing more."""
        self.move_server_output()
        for handler in list(self._logger.handlers):
            self._logger.removeHandler(handler)
            handler.close()

    def note(self, text: str) -> None:
        """Write a line."""
        self._logger.info(text)

    def trial(self, result: Result) -> None:
        """Write a line about a finished trial, and what the trial server said meanwhile."""
        self._logger.info(
            "trial %s %s%s %s: cost %.6g, %.2f s (fit %.2f, ask %.3f), %.0f MiB%s",
            result.trial.key,
            result.trial.origin.name.lower(),
            "" if result.trial.budget >= 1 else f" with budget {result.trial.budget:.3g}",
            result.status.name.lower(),
            result.cost,
            result.end - result.start,
            result.fit_seconds,
            result.ask_seconds,
            result.memory_peak,
            f": {result.reason}" if result.reason else "",
        )
        self.move_server_output()

    def move_server_output(self) -> None:
        """Move what the trial server has said since the last time to the file."""
        size = os.fstat(self._held).st_size
        if size > self._moved:
            text = os.pread(self._held, size - self._moved, self._moved).decode(errors="replace").rstrip()
            self._moved = size
            self._logger.info("trial server: %s", text)
