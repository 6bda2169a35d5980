"""The surrogate: SMAC's random forest, on arrays and on one core.

What it is trained on is decided in `mpi_automl.search.surrogate_training`, and when in `mpi_automl.search.proposer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from smac.constants import N_TREES, VERY_SMALL_NUMBER
from smac.model.random_forest.random_forest import EPMRandomForest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Surrogate:
    """SMAC's random forest for logarithms of costs, with its slow parts replaced.

    The trees, their settings and what a leaf means are SMAC 2.4.1's (facade for hyperparameter
    optimisation): a leaf predicts the logarithm of its mean cost. SMAC fills in the leaves one by
    one, which takes longer than growing the trees, and starts a pool of threads for every
    prediction; here both are a few array operations. Trees grow depth first: SMAC's bound of
    2**20 leaves makes scikit-learn reserve that many nodes for each tree, and never binds.

    One setting differs: a third of the hyperparameters is looked at for a split (Breiman 2001, "Random
    forests", section 11), where SMAC looks at all of them. It takes a third of the time, and
    no loss was detected on synthetic functions (`docs/performance/search.md`).

    Parameters
    ----------
    seed : int
    max_features : float
        Share of the hyperparameters looked at for a split; 1 is SMAC's.
    """

    def __init__(self, seed: int, *, max_features: float = 1 / 3) -> None:
        self._seed = seed
        self._max_features = max_features
        self._trees: list[tuple[Any, Floats]] = []

    def _fit_trees(self, X: NDArray[np.float32], y: Floats, n_trees: int, seed: int) -> EPMRandomForest:
        forest = EPMRandomForest(
            n_estimators=n_trees,
            min_samples_split=2,
            min_samples_leaf=1,
            min_impurity_decrease=1e-8,
            max_features=self._max_features,
            bootstrap=True,
            n_jobs=1,
            random_state=seed,
        )
        forest.fit(X, y)
        return forest

    def fit(self, X: NDArray[np.float32], y: Floats, subsets: Sequence[NDArray[np.intp]] | None = None) -> Surrogate:
        """Grow the trees.

        Parameters
        ----------
        X : ndarray of float32, shape (n, n_hyperparameters)
            Imputed vectors.
        y : ndarray of float64, shape (n,)
            Logarithms of costs.
        subsets : sequence of ndarray of int, optional
            The rows that each tree draws from; all rows for each of SMAC's ten trees by default.
        """
        costs = np.exp(y)
        known = np.zeros(len(X))
        for tree, drawn in self._grown(X, y, subsets):
            leaf = tree.apply(X)
            counts = np.bincount(leaf[drawn], minlength=tree.node_count)
            sums = np.bincount(leaf[drawn], weights=costs[drawn], minlength=tree.node_count)
            values = np.log(sums / np.maximum(counts, 1), where=counts > 0, out=np.zeros(len(counts)))
            self._trees.append((tree, values))
            known += values[leaf]
        self._known_means: Floats = known / len(self._trees)
        return self

    def _grown(
        self, X: NDArray[np.float32], y: Floats, subsets: Sequence[NDArray[np.intp]] | None
    ) -> Iterator[tuple[Any, NDArray[np.intp]]]:
        if subsets is None:
            forest = self._fit_trees(X, y, N_TREES, self._seed)
            for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
                yield tree.tree_, drawn
        else:
            for k, rows in enumerate(subsets):
                forest = self._fit_trees(X[rows], y[rows], 1, self._seed + k)
                yield forest.estimators_[0].tree_, rows[forest.estimators_samples_[0]]

    @property
    def known_means(self) -> Floats:
        """Predicted means of the rows given to `fit`, shape (n,)."""
        return self._known_means

    def predict(self, X: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Mean and variance over the trees, each of shape (n,).

        Parameters
        ----------
        X : ndarray of float32, shape (n, n_hyperparameters), C-contiguous
        """
        values = np.array([leaves[tree.apply(X)] for tree, leaves in self._trees])
        return values.mean(axis=0), np.maximum(values.var(axis=0), VERY_SMALL_NUMBER)
