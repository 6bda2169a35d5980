"""What rank 0 reports about a running job: an observer that stays silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi_automl.job.plan import Plan
    from mpi_automl.parallel.exchange import Exchange
    from mpi_automl.parallel.world import World
    from mpi_automl.runs.summary import RunSummary
    from mpi_automl.storage.writer import Store


class Observer:
    """Receives a job's progress and prints nothing; subclasses print or draw."""

    def note(self, text: str) -> None:
        """Something a person should know, in one sentence."""

    def started(self, plan: Plan, world: World) -> None:
        """The search is about to begin; called on rank 0."""

    def store_opened(self, store: Store) -> None:
        """The store has been laid out."""

    def progress_callback(self, plan: Plan, exchange: Exchange) -> Callable[[], None]:
        """Give a function that this rank's loop calls at every turn; it must be quick."""
        return lambda: None

    def concluded(self, outcome: RunSummary) -> None:
        """The result is saved; called on rank 0."""

    def report_written(self, line: str) -> None:
        """Where the report is, or how to write it, in one sentence."""
