"""Which of a rank's fitted models stay on disk."""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass
from pathlib import Path

from mpi_automl.option_types import mebibytes
from mpi_automl.trial import Origin, Result, Status, Trial, TrialKey

_MIB = 2**20


@dataclass(frozen=True)
class ModelsBound:
    """How much of its fitted models a rank may keep.

    Attributes
    ----------
    count : float
        Trials whose models are kept; infinite where only their size is bounded.
    mebibytes : float
        What they may take. A model is written after its trial has ended, so they may take more by the
        size of one until the next trial ends.
    """

    count: float = math.inf
    mebibytes: float = math.inf

    @classmethod
    def of(cls, models_on_disk: int | str, limit: float = math.inf) -> ModelsBound:
        """From the option, which is a count or a size, and a further limit in MiB."""
        if isinstance(models_on_disk, str):
            return cls(mebibytes=min(mebibytes(models_on_disk), limit))
        return cls(count=models_on_disk, mebibytes=limit)


class KeptModels:
    """The models of a rank's best trials, within a bound.

    A trial's model is written while its result is on its way here, and is finished (or never will be) when the next
    result comes. The dummy's model is kept on top: it is the result when nothing beats it.

    Parameters
    ----------
    directory : Path
        Where models lie as ``<key>.skops``.
    bound : ModelsBound
    """

    def __init__(self, directory: Path, bound: ModelsBound) -> None:
        self._directory = directory
        self._bound = bound
        self._best: list[tuple[float, TrialKey]] = []
        self._sizes: dict[TrialKey, float] = {}
        self._handed_out: dict[TrialKey, float] = {}
        self._latest: TrialKey | None = None
        self._unwanted: list[TrialKey] = []
        self._is_full = False

    @property
    def is_complete(self) -> bool:
        """Whether every model that is kept has been written; the last one may be under way."""
        return self._latest is None or self._file(self._latest).exists()

    def threshold_for(self, trial: Trial) -> float:
        """Cost below which the model of a trial that is about to be evaluated is to be written."""
        self._handed_out[trial.key] = math.inf if trial.origin is Origin.DUMMY else self._threshold
        return self._handed_out[trial.key]

    @property
    def _threshold(self) -> float:
        if self._bound.count == 0 or self._bound.mebibytes == 0:
            return -math.inf
        return self._best[-1][0] if self._is_full or len(self._best) >= self._bound.count else math.inf

    def note(self, result: Result) -> None:
        """Take in a trial; the models that must give way are deleted."""
        self.tidy()
        key, is_dummy = result.trial.key, result.trial.origin is Origin.DUMMY
        is_written = result.status is Status.SUCCESS and result.cost < self._handed_out.pop(key, -math.inf)
        if is_written:
            self._latest = key
            if not is_dummy:
                insort(self._best, (result.cost, key))
        while len(self._best) > self._bound.count:
            self._drop(self._best.pop()[1])

    def tidy(self) -> None:
        """Delete what is too much or was given up while it was written, and forget what was never written."""
        for key in self._unwanted:
            self._file(key).unlink(missing_ok=True)
        self._unwanted.clear()
        if not self.is_complete:
            self._best = [entry for entry in self._best if entry[1] != self._latest]
        self._latest = None
        while self._takes_too_much():
            self._drop(self._best.pop()[1])

    def _takes_too_much(self) -> bool:
        # A single model may be larger than the bound: without it there would be no result.
        takes_more = len(self._best) > 1 and self._size() > self._bound.mebibytes
        self._is_full = self._is_full or takes_more
        return takes_more

    def _drop(self, key: TrialKey) -> None:
        self._sizes.pop(key, None)
        if key == self._latest:
            self._latest = None
            self._unwanted.append(key)
        else:
            self._file(key).unlink(missing_ok=True)

    def _file(self, key: TrialKey) -> Path:
        return self._directory / f"{key}.skops"

    def _size(self) -> float:
        if self._bound.mebibytes == math.inf:
            return 0.0
        for _, key in self._best:
            # A file is there in full or not at all, so one look at it is enough.
            if key not in self._sizes and (file := self._file(key)).exists():
                self._sizes[key] = file.stat().st_size / _MIB
        return sum(self._sizes.values())
