"""What a rank writes down of its own trials."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mpi_automl.trial import Result, Status, Trial

if TYPE_CHECKING:
    from mpi_automl.job.rank_log import RankLog
    from mpi_automl.storage.kept_models import KeptModels
    from mpi_automl.storage.writer import Store


class TrialRecorder:
    """Writes a rank's trials to its store, its kept models and its log, and counts them.

    Parameters
    ----------
    store : Store
    kept_models : KeptModels
    log : RankLog

    Attributes
    ----------
    statuses : Counter of Status
        Finished trials by status.
    """

    def __init__(self, store: Store, kept_models: KeptModels, log: RankLog) -> None:
        self._store, self._kept_models, self._log = store, kept_models, log
        self.statuses: Counter[Status] = Counter()

    @property
    def finished(self) -> int:
        """Number of finished trials."""
        return self.statuses.total()

    @property
    def has_all_models(self) -> bool:
        """Whether every model that is kept has been written."""
        return self._kept_models.is_complete

    def keep_model_below(self, trial: Trial) -> float:
        """Cost below which the model of a trial about to be evaluated is written."""
        return self._kept_models.threshold_for(trial)

    def begin(self, trial: Trial) -> None:
        """Record that a trial has been handed out."""
        self._store.begin(trial)

    def end(self, result: Result) -> None:
        """Record a finished trial."""
        self._store.write(result)
        self._kept_models.note(result)
        self._log.trial(result)
        self.statuses[result.status] += 1

    def flush(self) -> None:
        """Write what could not be written before, and flush to disk when that is due."""
        self._store.flush_if_due()

    def tidy_models(self) -> None:
        """Delete models that must give way."""
        self._kept_models.tidy()

    def note(self, text: str) -> None:
        """Write a line to the log."""
        self._log.note(text)
