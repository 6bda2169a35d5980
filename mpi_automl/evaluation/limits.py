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
    def of(cls, settings: Settings) -> TrialLimits:
        """The limits that settings name."""
        return TrialLimits(settings.trial_seconds, settings.trial_memory)
