"""Permutation importance of the columns of a table (Breiman, 2001, section 10) for any way to predict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.schema import Schema


@dataclass(frozen=True)
class Importance:
    """How much worse predictions become when the values of a column are shuffled.

    Attributes
    ----------
    column : str
        Name in the raw table.
    mean, deviation : float
        Of the increase of the cost over the repetitions; a mean near zero, or below it, says that the column does not
        matter.
    """

    column: str
    mean: float
    deviation: float


def column_positions(schema: Schema) -> dict[str, list[int]]:
    """Positions among the encoded columns for each raw column that is learned from (a date has several)."""
    positions: dict[str, list[int]] = {}
    start = 0
    for column in schema.columns:
        width = len(column.encoded_names)
        positions[column.name] = list(range(start, start + width))
        start += width
    return positions


def permutation_importance(
    cost: Callable[[Any], float],
    encoded: Any,
    positions: Mapping[str, Sequence[int]],
    *,
    repeats: int = 5,
    seed: int = 0,
) -> list[Importance]:
    """Shuffle one column after the other and measure by how much the cost increases.

    A column's shuffles follow from the seed and its own name, so that columns can be dealt over processes and give the
    same result as in one.

    Parameters
    ----------
    cost : callable
        Cost of the predictions for an encoded table with these rows.
    encoded : ndarray, CSR matrix or DataFrame, shape (n_rows, n_encoded_columns)
        Rows that were not learned from.
    positions : mapping of str to sequence of int
        The columns of interest, as `column_positions` gives them, or this process's share of them.
    repeats : int
    seed : int

    Returns
    -------
    list of Importance
        Most important first.
    """
    before = cost(encoded)
    found = []
    for name, places in positions.items():
        generator = np.random.default_rng([seed, *name.encode("utf-8")])
        orders = [generator.permutation(encoded.shape[0]) for _ in range(repeats)]
        increases = np.array([cost(_shuffled(encoded, places, order)) for order in orders]) - before
        found.append(Importance(name, float(increases.mean()), float(increases.std())))
    return sorted(found, key=lambda importance: (-importance.mean, importance.column))


def _shuffled(encoded: Any, places: Sequence[int], order: NDArray[np.int64]) -> Any:
    """A copy with the values of some columns in another order of rows, the same for all of them."""
    if hasattr(encoded, "iloc"):
        columns = [encoded.iloc[:, place] for place in range(encoded.shape[1])]
        shuffled = {place: columns[place].iloc[order].set_axis(encoded.index) for place in places}
        return encoded.assign(**{encoded.columns[place]: column for place, column in shuffled.items()})
    if isinstance(encoded, np.ndarray):
        copy = encoded.copy()
        copy[:, places] = encoded[order][:, places]
        return copy
    wide = encoded.tolil(copy=True)
    wide[:, places] = encoded[order][:, places].tolil()
    return wide.tocsr()
