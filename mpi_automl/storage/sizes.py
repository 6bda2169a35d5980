"""Sizes of a store, known before its first trial.

Names and record types of the datasets are in `mpi_automl.storage.schema`, their shapes in
`mpi_automl.storage.create.slab_shapes`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.storage import schema

_MIB = 2**20
# Room costs no disk until it is used, and a rank with more trials goes on in overflow files.
_MINIMUM_TRIALS, _MAXIMUM_TRIALS = 256, 20_000
_TRIALS_PER_SECOND = 2.0
_EXTRA_SLOTS = 2
"""One slot for the dummy, which never gives way, and one that is free to be written into."""


@dataclass(frozen=True)
class StoreLayout:
    """Sizes of everything in the store of one leg.

    Attributes
    ----------
    ranks : int
    trials_per_rank : int
        Records that a rank has room for; further ones go to overflow files.
    predictions_per_rank : int
        Trials of each rank whose predictions are kept (the best ones).
    n_validation, n_test : int
        Rows of a prediction; `n_test` may be 0.
    n_outputs : int
        Columns of a prediction.
    n_hyperparameters : int
        Length of a configuration's vector.
    n_scores : int
        Further metrics of a record.
    dtype : str
        Type of a stored prediction.
    """

    ranks: int
    trials_per_rank: int
    predictions_per_rank: int
    n_validation: int
    n_test: int
    n_outputs: int
    n_hyperparameters: int
    n_scores: int = 0
    dtype: str = "float32"

    @property
    def slots(self) -> int:
        """Predictions that a rank has room for on disk."""
        return self.predictions_per_rank + _EXTRA_SLOTS

    @property
    def record_nbytes(self) -> int:
        """Bytes of one trial's record and vector."""
        return schema.record_dtype(self.n_scores).itemsize + 8 * self.n_hyperparameters

    @property
    def prediction_nbytes(self) -> int:
        """Bytes of one trial's predictions, for validation and test rows."""
        return (self.n_validation + self.n_test) * self.n_outputs * np.dtype(self.dtype).itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of the whole store when all room is used; on disk it is sparse until then."""
        per_rank = self.trials_per_rank * self.record_nbytes + self.slots * self.prediction_nbytes
        return self.ranks * per_rank

    def describe(self) -> str:
        """The sizes in one line for people."""
        kept, room = self.predictions_per_rank, self.nbytes / _MIB
        return (
            f"room for {self.trials_per_rank:,} trials per rank, predictions of the best {kept:,} of each rank, "
            f"at most {room:,.1f} MiB"
        )

    def within(self, limit: float) -> StoreLayout:
        """The same layout with as many predictions per rank as fit into a limit.

        Parameters
        ----------
        limit : float
            MiB for the whole store.

        Raises
        ------
        UserError
            If not even one prediction per rank fits.
        """
        records = self.ranks * self.trials_per_rank * self.record_nbytes
        per_kept = max(1, self.ranks * self.prediction_nbytes)
        kept = int((limit * _MIB - records) // per_kept) - _EXTRA_SLOTS
        if kept < 1:
            least = (records + (1 + _EXTRA_SLOTS) * per_kept) / _MIB
            raise UserError(
                f"The store would get {limit:,.1f} MiB of disk and needs at least {least:,.1f} MiB; "
                "allow more with --disk-limit or use fewer ranks."
            )
        return replace(self, predictions_per_rank=min(kept, self.predictions_per_rank))


def trials_for(seconds: float) -> int:
    """Room for records that a rank is given for a leg of so many seconds.

    The room costs no disk until it is used. A rank with more trials than this continues in overflow
    files, so the number need not be an upper bound.
    """
    return min(_MAXIMUM_TRIALS, max(_MINIMUM_TRIALS, math.ceil(seconds * _TRIALS_PER_SECOND)))
