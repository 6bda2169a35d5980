"""Which hyperparameters mattered: permutation importance over the run history, by the surrogate's forest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.search.encoding import Imputer, LogScale, observed_costs
from mpi_automl.search.surrogate import Surrogate
from mpi_automl.search.vectors import VectorSpace

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace
    from numpy.typing import NDArray

FEWEST_TRIALS = 20
_FOLDS = 5
_REPEATS = 3


def hyperparameter_importance(
    space: ConfigurationSpace,
    vectors: NDArray[np.float64],
    costs: NDArray[np.float64],
    statuses: NDArray[np.uint8],
    budgets: NDArray[np.float64] | None = None,
) -> dict[str, float]:
    """How much worse the surrogate predicts costs when the values of a hyperparameter are shuffled.

    The forest that proposes configurations is trained on four fifths of the trials and predicts the others, five times
    in turn (Breiman 2001, "Random forests", section 10, on rows held out). Costs are on the logarithmic scale of
    the surrogate, and failed trials count as the worst cost seen, so a hyperparameter that makes trials fail is
    important.

    Parameters
    ----------
    space : ConfigurationSpace
    vectors : ndarray of float64, shape (n_trials, n_hyperparameters)
    costs : ndarray of float64, shape (n_trials,)
    statuses : ndarray of int, shape (n_trials,)
    budgets : ndarray of float64, shape (n_trials,), optional
        Of several, one is looked at, see `mpi_automl.search.encoding.observed_costs`.

    Returns
    -------
    dict of str to float
        Growth of the mean squared error as a share of the costs' variance, greatest first; empty with fewer than
        `FEWEST_TRIALS` trials or equal costs.
    """
    seen = observed_costs(costs, statuses.astype(np.int8), budgets)
    rows = np.flatnonzero(~np.isnan(seen) & ~np.isnan(vectors).all(axis=1))
    if len(rows) < FEWEST_TRIALS or np.ptp(seen[rows]) == 0.0:
        return {}
    table = Imputer(VectorSpace(space))(vectors[rows])
    targets = LogScale.of(seen[rows]).encode(seen[rows])
    rng = np.random.default_rng(0)
    folds = rng.permutation(len(rows)) % _FOLDS
    growth = np.zeros(table.shape[1])
    for fold in range(_FOLDS):
        inside = folds == fold
        surrogate = Surrogate(fold).fit(table[~inside], targets[~inside])
        growth += _growth(surrogate, table[inside], targets[inside], rng) * inside.sum()
    shares = growth / len(rows) / targets.var()
    order = np.argsort(-shares, kind="stable")
    names = list(space)
    return {names[position]: float(shares[position]) for position in order}


def _growth(
    surrogate: Surrogate, table: NDArray[np.float32], targets: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    def error(rows: NDArray[np.float32]) -> float:
        return float(((surrogate.predict(rows)[0] - targets) ** 2).mean())

    before = error(table)
    growth = np.zeros(table.shape[1])
    for column in np.flatnonzero(np.ptp(table, axis=0) > 0):
        for _ in range(_REPEATS):
            shuffled = table.copy()
            shuffled[:, column] = rng.permutation(table[:, column])
            growth[column] += (error(shuffled) - before) / _REPEATS
    return growth
