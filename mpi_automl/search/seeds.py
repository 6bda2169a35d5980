"""Seeds: every random stream of a run is derived from one number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mpi_automl.trial import TrialKey

_RANKS, _TRIALS, _INITIAL = range(3)


def rank_seed(seed: int, rank: int, leg: int = 0) -> np.random.SeedSequence:
    """Seed of one rank's search; no two ranks and no two legs of a run share a stream.

    Parameters
    ----------
    seed : int
        Seed of the run, not negative.
    rank : int
    leg : int
        A resumed run searches on with other random numbers.
    """
    return np.random.SeedSequence(seed, spawn_key=(_RANKS, leg, rank))


def initial_seed(seed: int) -> np.random.SeedSequence:
    """Seed of the initial design, which is one and the same list on every rank."""
    return np.random.SeedSequence(seed, spawn_key=(_INITIAL,))


def trial_seed(seed: int, key: TrialKey) -> int:
    """Seed of everything random in one trial's pipeline, in [0, 2**31)."""
    sequence = np.random.SeedSequence(seed, spawn_key=(_TRIALS, *key))
    return int(sequence.generate_state(1)[0] >> 1)
