"""What a rank needs for all runs of a study, started before MPI is initialised."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING

from mpi_automl.evaluation.evaluator import Evaluator
from mpi_automl.job.rank_log import RankLog
from mpi_automl.study.process_launcher import ProcessLauncher

if TYPE_CHECKING:
    from mpi_automl.settings import Settings
    from mpi_automl.study.definition import Variant

# Seconds for the trial server to end what was cancelled.
_PATIENCE = 15.0
_START_PATIENCE = 600.0
"""Seconds: with many ranks, imports from a shared file system take minutes."""
_LAST_WORDS = 500
"""Characters of what a server said that fit into an error."""
_IMPORTED = (
    "mpi_automl.data.prepare",
    "mpi_automl.ensemble.model",
    "mpi_automl.search.surrogate_training",
    "mpi_automl.space.space",
    "mpi_automl.storage.store",
    "skops.io",
    "sklearn.discriminant_analysis",
    "sklearn.ensemble",
    "sklearn.metrics",
    "sklearn.neural_network",
    "sklearn.svm",
)
"""What a rank would import in its first run."""


class RankServices:
    """A rank's trial servers, one for each kind that the variants need, and its launcher of other systems.

    They serve one run after the other. Make it before MPI is initialised, and use it as a context manager.

    Parameters
    ----------
    variants : iterable of Variant
    """

    def __init__(self, variants: Iterable[Variant]) -> None:
        self._stack = ExitStack()
        self._servers: dict[tuple[int, tuple[str, ...]], tuple[Evaluator, RankLog]] = {}
        self._launcher: ProcessLauncher | None = None
        for variant in variants:
            if variant.system is None:
                self._start_server(variant.settings())
            elif self._launcher is None:
                self._launcher = self._stack.enter_context(ProcessLauncher())

    def _start_server(self, settings: Settings) -> None:
        kind = _kind(settings)
        if kind not in self._servers:
            log = RankLog()
            evaluator = self._stack.enter_context(Evaluator.start(log.server_output, *kind))
            self._servers[kind] = evaluator, log

    def warm_up(self) -> None:
        """Wait until everything is imported, here and in the trial servers, so that no run's time is spent on it.

        Raises
        ------
        UserError
            If a plugin cannot be imported.
        RuntimeError
            If a server does not start.
        """
        if not self._servers:
            return
        for name in _IMPORTED:
            import_module(name)
        limit = time.monotonic() + _START_PATIENCE
        for evaluator, log in self._servers.values():
            while not evaluator.is_ready:
                if time.monotonic() > limit:
                    said = log.server_output.read_text(encoding="utf-8", errors="replace")[-_LAST_WORDS:]
                    raise RuntimeError(f"the trial server has not started within {_START_PATIENCE:.0f} s: {said}")
                evaluator.poll(0.02)

    @property
    def launcher(self) -> ProcessLauncher:
        """Starts other systems; there is one if a variant is another system."""
        assert self._launcher is not None
        return self._launcher

    def server(self, settings: Settings) -> tuple[Evaluator, RankLog]:
        """The trial server for a run, and a new log for the run."""
        kind = _kind(settings)
        evaluator, log = self._servers[kind]
        self._servers[kind] = evaluator, RankLog(before=log)
        return self._servers[kind]

    def cancel(self, settings: Settings) -> None:
        """End what a run has under way in its server, so that the next one receives nothing of it.

        Raises
        ------
        RuntimeError
            If that does not happen within seconds.
        """
        evaluator, _ = self._servers[_kind(settings)]
        if not evaluator.is_idle:
            evaluator.cancel()
        limit = time.monotonic() + _PATIENCE
        while not evaluator.is_idle:
            if time.monotonic() > limit:
                raise RuntimeError("the trial server does not end its trials")
            evaluator.poll(0.01)

    def close(self) -> None:
        """End all of it."""
        self._stack.close()

    def __enter__(self) -> RankServices:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _kind(settings: Settings) -> tuple[int, tuple[str, ...]]:
    return settings.threads, settings.plugins
