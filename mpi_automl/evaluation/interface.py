"""What the search asks of an evaluator: the real one and the simulated one both have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpi_automl.evaluation.evaluator import Refit
    from mpi_automl.trial import Result, Trial


class TrialEvaluator(Protocol):
    """What the search asks of an evaluator."""

    @property
    def can_submit(self) -> bool:
        """Whether there is room for a further trial."""

    def submit(
        self,
        trial: Trial,
        *,
        seconds: float,
        memory: float,
        keep_model_below: float = ...,
        until: float = ...,
    ) -> None:
        """Have a trial evaluated."""

    def poll(self, timeout: float = 0.0) -> Sequence[Result | Refit]:
        """Results that have come in, waiting at most `timeout` seconds for the first."""

    def cancel(self) -> None:
        """End all trials; they come from `poll` as STOPPED."""
