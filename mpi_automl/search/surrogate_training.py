"""One surrogate after another: training on the run history, and what maximises its acquisition function."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.configuration_identity import identities
from mpi_automl.search.acquisition import AcquisitionOptimizerOptions, log_expected_improvement
from mpi_automl.search.candidates import Neighbourhood, local_search
from mpi_automl.search.encoding import Imputer, LogScale, observed_costs
from mpi_automl.search.surrogate import Surrogate
from mpi_automl.trial import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mpi_automl.search.history import History
    from mpi_automl.search.vectors import VectorSpace

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]
    Proposed = tuple[Floats, Origin]

MOST_TRIALS = 10_000
"""Above this number of trials the surrogate learns from a selection (`choose_rows`): a proposal takes 117 ms there."""
TREE_TRIALS = 2_500
"""Above this number each tree has its own selection, so that the trees together still see nearly all."""
TREES = 10
"""As in SMAC."""
_SAME = 0.01
"""Share of a hyperparameter's range below which a difference tells nothing new."""


def choose_rows(costs: Floats, most: int, rng: np.random.Generator) -> Indices:
    """Which trials to learn from when there are more than `most`.

    The best quarter of `most` and the latest quarter are always there, the rest is drawn from all
    others: what is best is never forgotten, and what is bad stays represented.

    Parameters
    ----------
    costs : ndarray of float64, shape (n,)
        In the order of the history.
    most : int
    rng : Generator

    Returns
    -------
    ndarray of int, ascending
    """
    n = len(costs)
    if n <= most:
        return np.arange(n)
    kept = np.zeros(n, dtype=np.bool_)
    kept[np.argsort(costs, kind="stable")[: most // 4]] = True
    kept[n - most // 4 :] = True
    others = np.flatnonzero(~kept)
    kept[rng.choice(others, most - int(kept.sum()), replace=False)] = True
    return np.flatnonzero(kept)


class Model:
    """The surrogate of a proposer and the proposals that come from it.

    Parameters
    ----------
    space : VectorSpace
    seed : SeedSequence
    options : AcquisitionOptimizerOptions
    """

    def __init__(
        self,
        space: VectorSpace,
        seed: np.random.SeedSequence,
        options: AcquisitionOptimizerOptions = AcquisitionOptimizerOptions(),  # noqa: B008  # frozen
    ) -> None:
        sampling, deciding = seed.spawn(2)
        self._space = space
        self._random = np.random.RandomState(np.random.MT19937(sampling))
        self._rng = np.random.default_rng(deciding)
        self._options = options
        self._impute = Imputer(space)
        self._neighbourhood = Neighbourhood(space)
        self._is_category = np.array([float(hp.upper_vectorized) > 1.0 for hp in space.hyperparameters])
        self._surrogate: Surrogate | None = None
        self._scale = LogScale(0.0, 1.0)
        self._best = 0.0
        self._queue: list[Proposed] = []
        self._taken: list[Floats] = []
        self._turn = int(self._rng.integers(2 * options.turns))

    @property
    def has_queue(self) -> bool:
        """Whether proposals are left from the last training."""
        return bool(self._queue)

    def train(self, history: History, busy: Floats) -> None:
        """Train on all finished trials, and on those that are running with the cost that is expected of them.

        Parameters
        ----------
        history : History
        busy : ndarray of float64, shape (n, n_hyperparameters)
            Configurations being evaluated, by this rank or others.
        """
        costs = observed_costs(history.costs, history.statuses, history.budgets)
        rows = np.flatnonzero(~np.isnan(costs) & ~np.isnan(history.vectors).all(axis=1))
        rows = rows[choose_rows(costs[rows], MOST_TRIALS, self._rng)]
        known, known_costs = self._impute(history.vectors[rows]), costs[rows]
        expected = self._expected_costs(busy, known_costs)
        self._scale = LogScale.of(known_costs)
        table = np.concatenate([known, self._impute(busy)])
        targets = self._scale.encode(np.concatenate([known_costs, expected]))
        surrogate = Surrogate(int(self._rng.integers(2**31 - TREES)))
        self._surrogate = surrogate.fit(table, targets, self._tree_rows(targets))
        means = surrogate.known_means[: len(rows)]
        self._best = float(means.min())
        self._queue, self._taken = self._in_turn(*self._maximise(history, rows, means)), []

    def _in_turn(self, maxima: list[Proposed], drawn: list[Proposed]) -> list[Proposed]:
        """Put what the last proposal leaves the turn to first."""
        turn = self._turn // 2 % self._options.turns
        maxima = maxima[turn:] + maxima[:turn]
        first, second = (maxima, drawn) if self._turn % 2 == 0 else (drawn, maxima)
        return [proposal for pair in zip_longest(first, second) for proposal in pair if proposal is not None]

    def _tree_rows(self, targets: Floats) -> list[Indices] | None:
        if len(targets) <= TREE_TRIALS:
            return None
        return [choose_rows(targets, TREE_TRIALS, self._rng) for _ in range(TREES)]

    def _expected_costs(self, busy: Floats, known_costs: Floats) -> Floats:
        if self._surrogate is None:
            return np.full(len(busy), np.median(known_costs))
        return self._scale.decode(self._surrogate.predict(self._impute(busy))[0]) if len(busy) else np.empty(0)

    def _acquisition(self, vectors: Floats) -> Floats:
        assert self._surrogate is not None
        mean, variance = self._surrogate.predict(self._impute(vectors))
        return log_expected_improvement(mean, variance, self._best)

    def _maximise(self, history: History, rows: Indices, means: Floats) -> tuple[list[Proposed], list[Proposed]]:
        """Where local searches ended, and the best of the random candidates; the highest acquisition values first."""
        options = self._options
        drawn = self._space.sample(options.random_candidates, self._random)
        values = self._acquisition(drawn)
        best_drawn = np.argsort(-values, kind="stable")[: max(options.random_starts, options.queue)]
        order = np.argsort(means, kind="stable")
        best_known = rows[_first_distinct(history.vectors[rows[order]], order, options.known_starts)]
        foreign = rows[history.is_foreign[rows]]
        best_foreign = foreign[np.argsort(history.costs[foreign], kind="stable")[: options.foreign_starts]]
        starts = np.concatenate(
            [drawn[best_drawn[: options.random_starts]], history.vectors[best_known], history.vectors[best_foreign]]
        )
        is_foreign = np.zeros(len(starts), dtype=np.bool_)
        is_foreign[options.random_starts :] = history.is_foreign[np.concatenate([best_known, best_foreign])]
        found = local_search(
            self._neighbourhood, self._acquisition, starts, self._rng, width=options.neighbours, steps=options.steps
        )
        origins = [Origin.FOREIGN if flag else Origin.MODEL for flag in is_foreign]
        maxima = [(found.vectors[i], origins[i]) for i in np.argsort(-found.values, kind="stable")]
        return maxima, [(vector, Origin.MODEL) for vector in drawn[best_drawn]]

    def take(self, known: Floats, busy: Floats) -> Iterator[Proposed]:
        """Proposals from the present model, in the order of their turns.

        None of them is nearly the same as one that is known or running, or was taken from this model before.

        Parameters
        ----------
        known, busy : ndarray of float64, shape (n, n_hyperparameters)
        """
        while self._queue:
            vector, origin = self._queue.pop(0)
            if not any(_resembles(vector, others) for others in (known, busy, np.array(self._taken))):
                self._taken.append(vector)
                self._turn += 1
                yield vector, origin


def _resembles(vector: Floats, others: Floats) -> bool:
    """Whether one of the others differs by less than `_SAME` in every hyperparameter."""
    rows = np.arange(len(others))
    for column, value in enumerate(vector):
        if not len(rows):
            return False
        values = others[rows, column]
        rows = rows[np.isnan(values) if np.isnan(value) else np.abs(values - value) < _SAME]
    return bool(len(rows))


def _first_distinct(ordered: Floats, positions: Indices, count: int) -> Indices:
    seen: dict[bytes, int] = {}
    for identity, position in zip(identities(ordered[: 4 * count]), positions, strict=False):
        seen.setdefault(identity, int(position))
    return np.array(list(seen.values())[:count], dtype=np.intp)
