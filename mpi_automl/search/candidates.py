"""Candidates for the acquisition function: one-exchange neighbourhoods and local search on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)
from scipy.special import ndtr, ndtri

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mpi_automl.search.vectors import VectorSpace

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

SPREAD = 0.05
"""Standard deviation of a numerical neighbour on the unit scale, as in SMAC's local search."""
SAMPLES = 8
"""Neighbours of a configuration along one numerical hyperparameter, as in SMAC's local search."""


class Neighbourhood:
    """One-exchange neighbourhoods of many configurations at once.

    A neighbour differs in one active hyperparameter: another category, the next value of an ordinal,
    or a draw from a normal distribution around a number. What that switches on gets its default, what it
    switches off becomes inactive, and what is forbidden is left out. This is the neighbourhood of Hutter,
    Hoos and Leyton-Brown (2011), "Sequential model-based optimization for general algorithm
    configuration", section 4.3, as ConfigSpace has it.

    Parameters
    ----------
    space : VectorSpace
    """

    def __init__(self, space: VectorSpace) -> None:
        self._space = space
        hps = space.hyperparameters
        self._categories = np.array([len(hp.choices) if isinstance(hp, CategoricalHyperparameter) else 0 for hp in hps])
        self._ordinals = np.array([len(hp.sequence) if isinstance(hp, OrdinalHyperparameter) else 0 for hp in hps])
        discrete = (CategoricalHyperparameter, OrdinalHyperparameter, Constant)
        self._numbers = np.array([not isinstance(hp, discrete) for hp in hps], dtype=np.bool_)
        self._integers = [i for i, hp in enumerate(hps) if isinstance(hp, IntegerHyperparameter)]
        self._lower = np.array([float(hp.lower_vectorized) for hp in hps])
        self._upper = np.array([float(hp.upper_vectorized) for hp in hps])

    def around(
        self, vectors: Floats, width: int, rng: np.random.Generator, spread: float = SPREAD
    ) -> tuple[Floats, Indices]:
        """Draw up to `width` neighbours of every configuration.

        Parameters
        ----------
        vectors : ndarray of float64, shape (n, n_hyperparameters)
        width : int
        rng : Generator
        spread : float
            Standard deviation of numerical neighbours on the unit scale.

        Returns
        -------
        neighbours : ndarray of float64, shape (m, n_hyperparameters)
        owners : ndarray of int, shape (m,), ascending
            The row of `vectors` that each is a neighbour of.
        """
        drawn = [self._other_numbers(vectors, rng, spread), self._other_categories(vectors), self._steps(vectors)]
        owners, positions, values = (np.concatenate(part) for part in zip(*drawn, strict=True))
        order = np.lexsort((rng.random(len(owners)), owners))
        owners, positions, values = owners[order], positions[order], values[order]
        kept = np.arange(len(owners)) - np.searchsorted(owners, owners) < width
        owners, positions, values = owners[kept], positions[kept], values[kept]
        neighbours = vectors[owners]
        neighbours[np.arange(len(owners)), positions] = values
        self._apply_conditions(neighbours, positions)
        allowed = ~self._space.is_forbidden(neighbours.T)
        return neighbours[allowed], owners[allowed]

    def _apply_conditions(self, neighbours: Floats, positions: Indices) -> None:
        rows = np.flatnonzero(self._space.is_parent[positions])
        if len(rows):
            columns = np.ascontiguousarray(neighbours[rows].T)
            self._space.apply_conditions(columns)
            neighbours[rows] = columns.T

    def _other_numbers(
        self, vectors: Floats, rng: np.random.Generator, spread: float
    ) -> tuple[Indices, Indices, Floats]:
        owners, positions = np.nonzero(self._numbers & ~np.isnan(vectors))
        owners, positions = np.repeat(owners, SAMPLES), np.repeat(positions, SAMPLES)
        old = vectors[owners, positions]
        values = _truncated_normal(old, spread, self._lower[positions], self._upper[positions], rng)
        changed = np.ones(len(values), dtype=np.bool_)
        for i in self._integers:
            rows = np.flatnonzero(positions == i)
            if len(rows):
                hp = self._space.hyperparameters[i]
                values[rows] = hp.to_vector(hp.to_value(values[rows]))
                changed[rows] = np.abs(values[rows] - old[rows]) > 1e-9
        return owners[changed], positions[changed], values[changed]

    def _other_categories(self, vectors: Floats) -> tuple[Indices, Indices, Floats]:
        owners, positions = np.nonzero((self._categories > 1) & ~np.isnan(vectors))
        sizes = self._categories[positions]
        starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
        owners, positions = np.repeat(owners, sizes), np.repeat(positions, sizes)
        values = (np.arange(len(owners)) - starts).astype(np.float64)
        changed = values != vectors[owners, positions]
        return owners[changed], positions[changed], values[changed]

    def _steps(self, vectors: Floats) -> tuple[Indices, Indices, Floats]:
        owners, positions = np.nonzero((self._ordinals > 1) & ~np.isnan(vectors))
        values = np.concatenate([vectors[owners, positions] - 1, vectors[owners, positions] + 1])
        owners, positions = np.tile(owners, 2), np.tile(positions, 2)
        inside = (values >= 0) & (values < self._ordinals[positions])
        return owners[inside], positions[inside], values[inside]


def _truncated_normal(mean: Floats, spread: float, lower: Floats, upper: Floats, rng: np.random.Generator) -> Floats:
    low, high = ndtr((lower - mean) / spread), ndtr((upper - mean) / spread)
    drawn = mean + spread * ndtri(low + (high - low) * rng.random(len(mean)))
    clipped: Floats = np.clip(drawn, lower, upper)
    return clipped


@dataclass(frozen=True, eq=False)
class Maxima:
    """Where local searches ended.

    Attributes
    ----------
    vectors : ndarray of float64, shape (n, n_hyperparameters)
        One for each start.
    values : ndarray of float64, shape (n,)
        Acquisition values.
    """

    vectors: Floats
    values: Floats


def local_search(
    neighbourhood: Neighbourhood,
    acquisition: Callable[[Floats], Floats],
    starts: Floats,
    rng: np.random.Generator,
    *,
    width: int,
    steps: int,
    patience: int = 2,
) -> Maxima:
    """Local search from several configurations in step: each moves to its best neighbour while that improves.

    SMAC's local search takes the first better neighbour, one start at a time; taking the best of
    `width` drawn neighbours for all starts together needs far fewer calls of the surrogate.

    Parameters
    ----------
    neighbourhood : Neighbourhood
    acquisition : callable
        Values, shape (m,), of configurations, shape (m, n_hyperparameters); the higher the better.
    starts : ndarray of float64, shape (n, n_hyperparameters)
    rng : Generator
    width : int
        Neighbours drawn for each start and step.
    steps : int
        At most so many steps.
    patience : int
        A search ends after so many steps in a row without improvement.
    """
    vectors, values = starts.copy(), acquisition(starts)
    failures = np.zeros(len(vectors), dtype=np.int64)
    for _ in range(steps):
        active = np.flatnonzero(failures < patience)
        if not len(active):
            break
        neighbours, owners = neighbourhood.around(vectors[active], width, rng)
        failures[active] += 1
        if not len(neighbours):
            continue
        scores = acquisition(neighbours)
        # The last row of each owner, ordered by score, is its best neighbour.
        order = np.lexsort((scores, owners))
        best = order[np.searchsorted(owners[order], np.unique(owners), side="right") - 1]
        better = best[scores[best] > values[active[owners[best]]]]
        moved = active[owners[better]]
        vectors[moved], values[moved], failures[moved] = neighbours[better], scores[better], 0
    return Maxima(vectors, values)
