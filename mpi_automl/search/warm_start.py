"""Configurations of one search space in terms of another, by the names of their hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.configuration_identity import identities

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from mpi_automl.search.vectors import VectorSpace

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Translation:
    """What became of configurations of another space.

    Attributes
    ----------
    vectors : ndarray of float64, shape (n, n_hyperparameters)
        Valid and distinct configurations of this space, in the order given.
    left_out : int
        Configurations that have no counterpart: a component that this space does not have, or a forbidden combination.
    changed : int
        Values that are not legal here: numbers went to the nearer bound, anything else to the default.
    unknown : int
        Values of hyperparameters that this space does not have.
    """

    vectors: Floats
    left_out: int
    changed: int
    unknown: int

    @property
    def is_exact(self) -> bool:
        """Whether every configuration is here what it was there."""
        return not (self.left_out or self.changed or self.unknown)


def translate(
    space: VectorSpace, configurations: Iterable[Mapping[str, Any]], fixed: Mapping[str, str] | None = None
) -> Translation:
    """Find the counterparts of configurations that are given by names and values.

    Hyperparameters that a configuration does not name have their defaults.

    Parameters
    ----------
    space : VectorSpace
    configurations : iterable of mapping of str to Any
    fixed : mapping of str to str, optional
        Choices of this space that are no hyperparameters because there is only one component.
    """
    translator = _Translator(space, fixed or {})
    found = [vector for vector in map(translator.vector, configurations) if vector is not None]
    rows = np.array(found).reshape(-1, len(space))
    first = dict(zip(reversed(identities(rows)), range(len(rows) - 1, -1, -1), strict=True))
    return Translation(rows[sorted(first.values())], translator.left_out, translator.changed, translator.unknown)


class _Translator:
    """Translates and counts what gets lost."""

    def __init__(self, space: VectorSpace, fixed: Mapping[str, str]) -> None:
        self._space, self._fixed = space, fixed
        self._positions = {name: i for i, name in enumerate(space.names)}
        self.left_out = self.changed = self.unknown = 0

    def vector(self, configuration: Mapping[str, Any]) -> Floats | None:
        before = self.changed, self.unknown
        found = self._counterpart(configuration)
        if found is None:
            self.changed, self.unknown = before
            self.left_out += 1
        return found

    def _counterpart(self, configuration: Mapping[str, Any]) -> Floats | None:
        column = self._space.defaults[:, None].copy()
        for name, value in configuration.items():
            if name not in self._positions:
                if self._fixed.get(name, value) != value:
                    return None
                self.unknown += name not in self._fixed
                continue
            encoded = self._encoded(self._space.hyperparameters[self._positions[name]], value)
            if encoded is not None:
                column[self._positions[name], 0] = encoded
            elif self._space.is_parent[self._positions[name]]:
                return None
        self._space.apply_conditions(column)
        if self._space.is_forbidden(column)[0]:
            return None
        vector: Floats = column[:, 0]
        return vector

    def _encoded(self, hp: Any, value: Any) -> float | None:
        """The value as the vector holds it; None where there is none like it."""
        if hp.legal_value(value):
            return float(hp.to_vector(value))
        self.changed += 1
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (is_number and hasattr(hp, "lower")):
            return None
        nearest = type(hp.lower)(min(max(value, hp.lower), hp.upper))
        return float(hp.to_vector(nearest)) if hp.legal_value(nearest) else None
