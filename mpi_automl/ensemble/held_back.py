"""Scoring within twice the memory of the candidates' predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from copy import copy
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mpi_automl.ensemble.blocks import BLOCK_VALUES

WORTH_SAVING = 32 << 20
"""Bytes of predictions below which a few MiB more do not matter."""
_MOST_SHARE = 0.1
_PIECE = BLOCK_VALUES // 2


class Copying(Protocol):
    """A scorer that holds a copy of all predictions it is given."""

    def hold(self, predictions: NDArray[np.float32]) -> None:
        """Hold a copy of these predictions instead, of the same rows and outputs."""

    def costs(
        self, total: NDArray[np.float64], members: int, allowed: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """See `Scorer.costs`."""


class HoldingBack:
    """A scorer that holds a copy of most candidates, and copies the last ones, a few at a time, in every round.

    So much is not copied as a scorer needs to work with. Costs are the same, to the last bit.

    Parameters
    ----------
    make : callable
        Makes a scorer that copies all predictions it is given.
    predictions : ndarray of float32, shape (n_candidates, n_rows, n_outputs)
    work : int
        Bytes that the scorer needs for each value of a block.
    """

    def __init__(
        self, make: Callable[[NDArray[np.float32]], Copying], predictions: NDArray[np.float32], work: int
    ) -> None:
        one = predictions[0].nbytes
        # The sum of the members is held a few times, in twice the precision, and so may be the truth.
        needed = work * BLOCK_VALUES + 4 * _PIECE + 14 * one
        share = min(_MOST_SHARE, needed / predictions.nbytes)
        n_kept = len(predictions) - math.ceil(share * len(predictions))
        self.kept, self.rest = make(predictions[:n_kept]), predictions[n_kept:]
        self.other = copy(self.kept)
        self.other.hold(self.rest[:0])
        self.step = max(4, 4 * _PIECE // one)

    def costs(
        self, total: NDArray[np.float64], members: int, allowed: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """See `Scorer.costs`."""
        return np.concatenate(list(self._parts(total, members)))

    def _parts(self, total: NDArray[np.float64], members: int) -> Iterator[NDArray[np.float64]]:
        yield self.kept.costs(total, members)
        for start in range(0, len(self.rest), self.step):
            self.other.hold(self.rest[start : start + self.step])
            yield self.other.costs(total, members)
            self.other.hold(self.rest[:0])
