"""What a trial may use.

The time limit is `mpi_automl.settings.Settings.trial_seconds`; `mpi_automl.job.running_trials` cuts it to what is left
of the search.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi_automl.settings import Settings

REFIT_FACTOR = 2.0
"""All rows are more than a trial learned from: a refit may take so many times a trial's limit."""

LARGE_TABLE = 100_000
"""Values of a table for each second of a trial, above which boosting would be stopped long before it has learned."""
LARGE_SHARE = 0.4
"""Of the job, for a trial on such a table: few trials that have learned are worth more than many that have not
(docs/performance/evaluation.md)."""


@dataclass(frozen=True)
class TrialLimits:
    """What a trial may use.

    Attributes
    ----------
    seconds : float
        Wall time of one trial.
    memory : float
        MiB that one trial may add.
    """

    seconds: float
    memory: float

    @classmethod
    def of(cls, settings: Settings, n_values: int = 0) -> TrialLimits:
        """The limits that settings name.

        Parameters
        ----------
        settings : Settings
        n_values : int
            `Profile.n_values` of the table.
        """
        is_longer = settings.trial_time is None and is_large(settings, n_values)
        seconds = LARGE_SHARE * settings.time if is_longer else settings.trial_seconds
        return TrialLimits(seconds, settings.trial_memory)


def is_large(settings: Settings, n_values: int) -> bool:
    """Whether a table has more values than a trial can learn from in its usual time."""
    return n_values > LARGE_TABLE * settings.trial_seconds
