"""The run history of a rank: every finished trial it knows, its own and those of others, as growing arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.configuration_identity import identities
from mpi_automl.trial import Status, TrialKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


class History:
    """Finished trials in the order in which they were added; a trial added twice counts once.

    Parameters
    ----------
    n_hyperparameters : int

    Attributes
    ----------
    own, foreign : int
        Trials of this rank and of other ranks.
    repeated : int
        Trials that were added again.
    """

    def __init__(self, n_hyperparameters: int) -> None:
        self._n = 0
        self._vectors = np.empty((64, n_hyperparameters))
        self._costs = np.empty(64)
        self._statuses = np.empty(64, dtype=np.int8)
        self._keys = np.empty((64, 3), dtype=np.int64)
        self._seconds = np.empty(64)
        self._budgets = np.empty(64)
        self._foreign = np.empty(64, dtype=np.bool_)
        self._rows: dict[TrialKey, int] = {}
        self._identities: set[bytes] = set()
        self.own = self.foreign = self.repeated = 0

    def __len__(self) -> int:
        return self._n

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    @property
    def vectors(self) -> Floats:
        """Configurations, shape (n, n_hyperparameters)."""
        return self._vectors[: self._n]

    @property
    def costs(self) -> Floats:
        """Costs, shape (n,); NaN where a trial has none."""
        return self._costs[: self._n]

    @property
    def statuses(self) -> NDArray[np.int8]:
        """Numbers of `Status`, shape (n,)."""
        return self._statuses[: self._n]

    @property
    def keys(self) -> NDArray[np.int64]:
        """Leg, rank and number of each trial, shape (n, 3)."""
        return self._keys[: self._n]

    @property
    def seconds(self) -> Floats:
        """Durations in seconds, shape (n,); NaN where not given."""
        return self._seconds[: self._n]

    @property
    def budgets(self) -> Floats:
        """Shares of the full budget that the trials had, shape (n,)."""
        return self._budgets[: self._n]

    @property
    def is_foreign(self) -> NDArray[np.bool_]:
        """Which trials another rank ran, shape (n,)."""
        return self._foreign[: self._n]

    def knows(self, identity: bytes) -> bool:
        """Whether a configuration with this identity has been added, see `mpi_automl.configuration_identity`."""
        return identity in self._identities

    def add(
        self,
        vectors: Floats,
        costs: ArrayLike,
        statuses: ArrayLike,
        keys: Sequence[tuple[int, int, int]] | NDArray[np.int64],
        *,
        foreign: bool,
        seconds: ArrayLike | None = None,
        budgets: ArrayLike | None = None,
    ) -> NDArray[np.intp]:
        """Add finished trials and leave out those already known by their key.

        Parameters
        ----------
        vectors : ndarray of float64, shape (n, n_hyperparameters)
        costs, statuses : array_like, shape (n,)
        keys : sequence of TrialKey, or int array of shape (n, 3)
        foreign : bool
        seconds, budgets : array_like, shape (n,), optional

        Returns
        -------
        ndarray of int
            Which of the trials were new.
        """
        named = [TrialKey(*map(int, key)) for key in keys]
        new: list[int] = []
        for i, key in enumerate(named):
            if key not in self._rows:
                self._rows[key] = self._n + len(new)
                new.append(i)
        fresh = np.array(new, dtype=np.intp)
        self._reserve(len(new))
        rows = slice(self._n, self._n + len(new))
        self._vectors[rows] = np.asarray(vectors, dtype=np.float64).reshape(-1, self._vectors.shape[1])[fresh]
        self._costs[rows] = np.asarray(costs, dtype=np.float64)[fresh]
        self._statuses[rows] = np.asarray(statuses)[fresh]
        self._keys[rows] = np.array([named[i] for i in new], dtype=np.int64).reshape(-1, 3)
        self._seconds[rows] = np.nan if seconds is None else np.asarray(seconds)[fresh]
        self._budgets[rows] = 1.0 if budgets is None else np.asarray(budgets, dtype=np.float64)[fresh]
        self._foreign[rows] = foreign
        self._identities.update(identities(self._vectors[rows]))
        self._count(len(named), len(new), foreign=foreign)
        return fresh

    def _count(self, added: int, new: int, *, foreign: bool) -> None:
        self._n += new
        self.repeated += added - new
        if foreign:
            self.foreign += new
        else:
            self.own += new

    def _reserve(self, more: int) -> None:
        capacity = len(self._costs)
        if self._n + more <= capacity:
            return
        capacity = max(2 * capacity, self._n + more)
        for name in ("_vectors", "_costs", "_statuses", "_keys", "_seconds", "_budgets", "_foreign"):
            old = getattr(self, name)
            grown = np.empty((capacity, *old.shape[1:]), dtype=old.dtype)
            grown[: self._n] = old[: self._n]
            setattr(self, name, grown)

    def best(self, *, foreign: bool | None = None) -> int | None:
        """Row of the successful trial with the lowest cost; None if there is none.

        Parameters
        ----------
        foreign : bool, optional
            Only trials of others, or only own ones.
        """
        usable = np.isfinite(self.costs) & (self.statuses == Status.SUCCESS)
        if foreign is not None:
            usable &= self.is_foreign == foreign
        rows = np.flatnonzero(usable)
        return int(rows[np.argmin(self.costs[rows])]) if len(rows) else None
