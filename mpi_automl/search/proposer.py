"""The proposer of a rank: which configuration to evaluate next, given all finished trials it knows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.configuration_identity import identities
from mpi_automl.search.encoding import observed_costs
from mpi_automl.search.history import History
from mpi_automl.search.vectors import VectorSpace
from mpi_automl.trial import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ConfigSpace import ConfigurationSpace
    from numpy.typing import ArrayLike, NDArray

    from mpi_automl.search.acquisition import AcquisitionOptimizerOptions
    from mpi_automl.search.surrogate_training import Model
    from mpi_automl.trial import TrialKey

    Floats = NDArray[np.float64]

# So many batches without a new configuration: what is left of the space, if anything, is not found by sampling.
_ATTEMPTS = 100


class SpaceExhaustedError(Exception):
    """Every configuration of a finite space is known or pending."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """A configuration to be evaluated.

    Attributes
    ----------
    vector : ndarray of float64, shape (n_hyperparameters,)
    origin : Origin
    seconds : float
        Wall time that proposing took.
    """

    vector: Floats
    origin: Origin
    seconds: float


class Proposer:
    """A SMAC loop by ask and tell, on arrays, for one rank.

    First come the initial configurations. Then, as in SMAC, a share of the proposals is random, and
    the others maximise the expected improvement under a random forest of all finished trials that
    this rank knows, its own and those of other ranks. Pending trials count with the cost the
    forest predicts for them, so that neither this rank's next proposals nor those of others repeat
    them. No configuration that is known or pending is proposed again.

    The same seed and the same sequence of calls give the same proposals. With `cpu_share`, durations
    of trials and measured times decide when the surrogate is retrained; leave it None, or give no
    durations, where a run has to be repeatable.

    Parameters
    ----------
    space : ConfigurationSpace
    seed : SeedSequence or int
        A rank's own (`mpi_automl.search.seeds.rank_seed`).
    initial : sequence of ndarray
        Configurations to propose first (`mpi_automl.search.initial.initial_design`).
    random_share : float
        Probability of a random proposal once there is a model; 0.2 is SMAC's.
    cpu_share : float, optional
        Share of its own trials' time that a rank may spend on training, in processor time: the next model waits
        until the trials since the last one have earned its cost, and until then proposals come from the last
        model. None trains on all trials known before every proposal.
    again : iterable of ndarray
        Those of `initial` that are proposed although they are known, such as the best of another run, whose
        models this one does not have.
    optimizer : AcquisitionOptimizerOptions, optional
        How the acquisition function is maximised.

    Attributes
    ----------
    history : History
    asked : dict of Origin to int
        Proposals so far by origin.
    trainings : int
        Surrogates trained so far.
    """

    def __init__(
        self,
        space: ConfigurationSpace,
        seed: np.random.SeedSequence | int,
        initial: Sequence[Floats] = (),
        *,
        random_share: float = 0.2,
        cpu_share: float | None = None,
        again: Iterable[Floats] = (),
        optimizer: AcquisitionOptimizerOptions | None = None,
    ) -> None:
        sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
        sampling, deciding, self._model_seed = sequence.spawn(3)
        self._space = VectorSpace(space)
        self._random = np.random.RandomState(np.random.MT19937(sampling))
        self._rng = np.random.default_rng(deciding)
        self._initial = [np.asarray(vector, dtype=np.float64) for vector in reversed(initial)]
        self._again = set(identities(np.array(list(again)).reshape(-1, len(self._space))))
        self._random_share = random_share
        self._cpu_share = cpu_share
        self._optimizer = optimizer
        self._default = identities(self._space.default[None])[0]
        self._waiting: dict[bytes, Floats] = {}
        self._pending: dict[bytes, Floats] = {}
        self._proposed: set[bytes] = set()
        self._model: Model | None = None
        self._is_prepared = True
        self._earned = self._price = 0.0
        self.history = History(len(self._space))
        self.asked = dict.fromkeys(Origin, 0)
        self.trainings = 0

    def prepare(self, *, random_meanwhile: bool) -> None:
        """Import in a thread what the surrogate needs, which takes seconds.

        Parameters
        ----------
        random_meanwhile : bool
            Until that is done, proposals are random instead of waiting for it.
        """
        self._is_prepared = not random_meanwhile
        Thread(target=self._import_model, daemon=True).start()

    def _import_model(self) -> None:
        import_module("mpi_automl.search.surrogate_training")
        self._is_prepared = True

    def ask(self) -> Proposal:
        """Propose a configuration that is neither known nor pending.

        Raises
        ------
        SpaceExhaustedError
            When a finite space has been searched out.
        """
        start = time.perf_counter()
        vector, origin = self._next()
        identity = identities(vector[None])[0]
        self._proposed.add(identity)
        self._waiting[identity] = vector
        self.asked[origin] += 1
        return Proposal(vector, origin, time.perf_counter() - start)

    def tell(
        self,
        vectors: ArrayLike,
        costs: ArrayLike,
        statuses: ArrayLike,
        keys: Sequence[TrialKey] | NDArray[np.int64],
        *,
        foreign: bool,
        seconds: ArrayLike | None = None,
        budgets: ArrayLike | None = None,
    ) -> int:
        """Learn from finished trials; those already known (by key) change nothing.

        Parameters
        ----------
        vectors : array_like of float64, shape (n, n_hyperparameters)
            All NaN for the dummy, which is recorded and not learned from.
        costs, statuses : array_like, shape (n,)
            Costs may be NaN where the status has none.
        keys : sequence of TrialKey, or int array of shape (n, 3)
        foreign : bool
            Whether other ranks ran them.
        seconds : array_like, shape (n,), optional
            Durations, for `cpu_share`.
        budgets : array_like, shape (n,), optional
            Shares of the full budget; 1 where not given.

        Returns
        -------
        int
            How many were new.
        """
        table = np.asarray(vectors, dtype=np.float64).reshape(-1, len(self._space))
        facts = {"seconds": seconds, "budgets": budgets}
        new = self.history.add(table, costs, statuses, keys, foreign=foreign, **facts)
        for identity in identities(table[new]):
            self._waiting.pop(identity, None)
        if self._cpu_share is not None and not foreign and seconds is not None:
            self._earned += self._cpu_share * float(np.nansum(np.asarray(seconds, dtype=np.float64)[new]))
        return len(new)

    def set_pending(self, pending: Mapping[TrialKey, Floats] | Iterable[Floats]) -> None:
        """Replace what is known about trials that run on other ranks.

        Parameters
        ----------
        pending : mapping of TrialKey to vector, or iterable of vectors
        """
        vectors = list(pending.values() if hasattr(pending, "values") else pending)
        rows = np.array(vectors, dtype=np.float64).reshape(-1, len(self._space))
        self._pending = dict(zip(identities(rows), rows, strict=True))

    def _is_new(self, identity: bytes) -> bool:
        return identity not in self._proposed and identity not in self._pending and not self.history.knows(identity)

    def _next(self) -> tuple[Floats, Origin]:
        while self._initial:
            vector = self._initial.pop()
            identity = identities(vector[None])[0]
            if self._is_new(identity) or (identity in self._again and identity not in self._proposed):
                return vector, Origin.DEFAULT if identity == self._default else Origin.INITIAL
        if self._rng.random() >= self._random_share and self._can_learn():
            for vector, origin in self._candidates():
                if self._is_new(identities(vector[None])[0]):
                    return vector, origin
        return self._random_vector(), Origin.RANDOM

    def _can_learn(self) -> bool:
        if not self._is_prepared:
            return False
        costs = observed_costs(self.history.costs, self.history.statuses, self.history.budgets)
        costs = costs[~np.isnan(costs) & ~np.isnan(self.history.vectors).all(axis=1)]
        return len(costs) > 1 and bool(costs.min() < costs.max())

    def _candidates(self) -> Iterable[tuple[Floats, Origin]]:
        if self._model is None:
            # SMAC and scikit-learn take seconds to import: not before there is something to learn.
            from mpi_automl.search.surrogate_training import Model

            options = () if self._optimizer is None else (self._optimizer,)
            self._model = Model(self._space, self._model_seed, *options)
        busy = np.array([*self._waiting.values(), *self._pending.values()]).reshape(-1, len(self._space))
        if self._cpu_share is None or self._earned >= self._price or not self._model.has_queue:
            # Not wall time: where a rank shares its core with its trial, training would seem to cost twice as much.
            start = time.thread_time()
            self._model.train(self.history, busy)
            self._earned, self._price = 0.0, time.thread_time() - start
            self.trainings += 1
        return self._model.take(self.history.vectors, busy)

    def _random_vector(self) -> Floats:
        for _ in range(_ATTEMPTS):
            vectors = self._space.sample(16, self._random)
            for vector, identity in zip(vectors, identities(vectors), strict=True):
                if self._is_new(identity):
                    found: Floats = vector
                    return found
        raise SpaceExhaustedError("Every configuration of the search space has been evaluated.")
