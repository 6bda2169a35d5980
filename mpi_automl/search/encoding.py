"""From the run history to the surrogate's training data, as SMAC encodes it.

SMAC 2.4.1's hyperparameter optimisation facade imputes inactive hyperparameters
(``model/random_forest/abstract_random_forest.py``) and puts costs on a logarithmic scale
(``runhistory/encoder/log_scaled_encoder.py``); both are done here on whole arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import CategoricalHyperparameter, Constant, OrdinalHyperparameter

from mpi_automl.trial import WITH_COST, Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.search.vectors import VectorSpace

    Floats = NDArray[np.float64]

_PERCENTILE = 5
_TINY = 1e-10
_FAILED = (Status.CRASHED, Status.TIMEOUT, Status.MEMOUT)
FEWEST_TRIALS = 10
"""With so many trials of its own a budget can be learned from."""


class Imputer:
    """Replaces NaN by a value that trees can split off.

    An inactive number becomes -1, an inactive category or ordinal the first unused code, an inactive
    constant 1.

    Parameters
    ----------
    space : VectorSpace
    """

    def __init__(self, space: VectorSpace) -> None:
        self._values = np.array([_inactive_value(hp) for hp in space.hyperparameters], dtype=np.float32)

    def __call__(self, vectors: Floats) -> NDArray[np.float32]:
        """Vectors as the forest takes them: float32, shape (n, n_hyperparameters), no NaN."""
        table = np.array(vectors, dtype=np.float32, order="C")
        np.copyto(table, self._values, where=np.isnan(table))
        return table


def _inactive_value(hp: Any) -> float:
    if isinstance(hp, CategoricalHyperparameter):
        return float(len(hp.choices))
    if isinstance(hp, OrdinalHyperparameter):
        return float(len(hp.sequence))
    return 1.0 if isinstance(hp, Constant) else -1.0


def learned_budget(budgets: Floats) -> float:
    """The highest budget that `FEWEST_TRIALS` trials had; the most frequent one where none did.

    SMAC's multi-fidelity facade likewise takes the highest budget with enough trials (by default one) and leaves
    out all others: costs of different budgets are not comparable.

    Parameters
    ----------
    budgets : ndarray of float64, shape (n,)
        Of trials with a cost, at least one.
    """
    values, counts = np.unique(budgets, return_counts=True)
    enough = values[counts >= FEWEST_TRIALS]
    return float(enough[-1] if len(enough) else values[len(values) - 1 - np.argmax(counts[::-1])])


def observed_costs(costs: Floats, statuses: NDArray[np.int8], budgets: Floats | None = None) -> Floats:
    """Costs to learn from: failed trials get the highest cost of a successful one.

    SMAC takes a fixed cost of a crash from the user (infinite by default, which its forest refuses).
    The highest cost seen needs no knowledge of the metric and stays on its scale.

    Parameters
    ----------
    costs : ndarray of float64, shape (n,)
    statuses : ndarray of int, shape (n,)
    budgets : ndarray of float64, shape (n,), optional
        Only costs of one budget count (`learned_budget`), and failures with that or a smaller one: what failed with
        less would have failed with more.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where a trial says nothing: stopped by the end of the job, failed before any success, or of a budget that
        is not learned from.
    """
    seen = np.full(len(costs), np.nan)
    good = np.isin(statuses, WITH_COST) & np.isfinite(costs)
    failed = np.isin(statuses, (*_FAILED, *WITH_COST)) & ~good
    if budgets is not None and good.any():
        budget = learned_budget(budgets[good])
        good, failed = good & (budgets == budget), failed & (budgets <= budget)
    if good.any():
        seen[good] = costs[good]
        seen[failed] = costs[good].max()
    return seen


@dataclass(frozen=True)
class LogScale:
    """SMAC's logarithmic scale of costs.

    Costs are scaled linearly to (0, 1], where 0 is as far below the minimum as the fifth percentile is
    above it, before the logarithm is taken.

    Attributes
    ----------
    origin, highest : float
        Costs that are scaled to 0 and 1.
    """

    origin: float
    highest: float

    @classmethod
    def of(cls, costs: Floats) -> LogScale:
        """The scale for these costs: finite, at least one.

        Parameters
        ----------
        costs : ndarray of float64, shape (n,)
        """
        lowest, highest = float(costs.min()), float(costs.max())
        # Costs near 1e-9, as of errors in a tiny unit, need a step that is small among them.
        step = min(_TINY, 1e-6 * (highest - lowest))
        origin = lowest - (float(np.percentile(costs, _PERCENTILE)) - lowest) - step
        return cls(origin, highest if highest > origin else origin + 1.0)

    def encode(self, costs: Floats) -> Floats:
        """Logarithms of scaled costs, shape (n,)."""
        scaled = (costs - self.origin) / (self.highest - self.origin)
        return np.log(np.maximum(scaled, _TINY))

    def decode(self, logarithms: Floats) -> Floats:
        """Costs, shape (n,)."""
        costs: Floats = np.exp(logarithms) * (self.highest - self.origin) + self.origin
        return costs
