"""Which of a rank's fitted models stay on disk."""

from __future__ import annotations

from bisect import insort
from pathlib import Path

from mpi_automl.trial import Origin, Result, TrialKey

_MIB = 2**20


class KeptModels:
    """The models of a rank's best trials, a bounded number of them.

    The dummy's model is kept on top: it is the result when nothing beats it.

    Parameters
    ----------
    directory : Path
        Where models lie as ``<key>.skops``.
    most : int
        How many to keep.
    limit : float
        MiB that they may take. A model is written after its trial has ended, so they may take more
        by the size of one until the next trial ends.
    """

    def __init__(self, directory: Path, most: int, limit: float = float("inf")) -> None:
        self._directory = directory
        self._most = most
        self._limit = limit
        self._best: list[tuple[float, TrialKey]] = []
        self._latest: TrialKey | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every model that is kept has been written; the last one may be under way."""
        return self._latest is None or self._file(self._latest).exists()

    @property
    def threshold(self) -> float:
        """Cost below which the next trial's model is to be kept."""
        if self._most == 0:
            return float("-inf")
        return self._best[-1][0] if len(self._best) >= self._most else float("inf")

    def note(self, result: Result) -> None:
        """Take in a trial; the models that must give way are deleted."""
        is_dummy = result.trial.origin is Origin.DUMMY
        if result.has_cost and (is_dummy or result.cost < self.threshold):
            self._latest = result.trial.key
            if not is_dummy:
                insort(self._best, (result.cost, result.trial.key))
        while len(self._best) > self._most or (len(self._best) > 1 and self._size() > self._limit):
            _, key = self._best.pop()
            self._file(key).unlink(missing_ok=True)
            self._latest = None if key == self._latest else self._latest

    def _file(self, key: TrialKey) -> Path:
        return self._directory / f"{key}.skops"

    def _size(self) -> float:
        if self._limit == float("inf"):
            return 0.0
        files = (self._file(key) for _, key in self._best)
        return sum(file.stat().st_size for file in files if file.exists()) / _MIB
