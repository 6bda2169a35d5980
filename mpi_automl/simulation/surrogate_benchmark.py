"""Surrogate benchmarks: what a trial of a recorded table would cost and how long it would take, without running it.

A regression model of recorded trials stands in for the evaluation, so that a study needs thousands of trials
in seconds (Eggensperger, Hutter, Hoos and Leyton-Brown 2015, "Efficient benchmarking of hyperparameter optimizers
via surrogates", section 3; like them we take random forests, which did best there).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.trial import Status

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TREES = 50
_FEATURES = 0.5
_LOWEST = 1e-6
_SHORTEST = 1e-3
_TIME_LIMIT_SHARE = 0.9


@dataclass(frozen=True)
class SimulatedOutcome:
    """What a trial came to.

    Attributes
    ----------
    status : Status
    cost : float
        NaN for a trial that failed.
    seconds : float
        Wall time.
    """

    status: Status
    cost: float
    seconds: float


class Benchmark(Protocol):
    """Says what a configuration would have come to."""

    def outcome(self, vector: Floats) -> SimulatedOutcome:
        """Status, cost and duration of the trial of a configuration, always the same."""
        ...  # a protocol's method has no body


@dataclass(frozen=True, eq=False)
class Trials:
    """Recorded trials.

    Attributes
    ----------
    vectors : ndarray of float64, shape (n, n_hyperparameters)
        NaN where a hyperparameter is inactive.
    costs : ndarray of float64, shape (n,)
        NaN where a trial failed.
    statuses : ndarray of int8, shape (n,)
    seconds : ndarray of float64, shape (n,)
    """

    vectors: Floats
    costs: Floats
    statuses: NDArray[np.int8]
    seconds: Floats


@dataclass(frozen=True, eq=False)
class Forest:
    """Regression trees as arrays: predicts single rows in a fraction of scikit-learn's time, and without importing it.

    Attributes
    ----------
    features : ndarray of int16, shape (n_trees, n_nodes)
        Column to look at; -1 in a leaf.
    thresholds, values : ndarray of float32, shape (n_trees, n_nodes)
    left, right : ndarray of int32, shape (n_trees, n_nodes)
    """

    features: NDArray[np.int16]
    thresholds: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    values: NDArray[np.float32]

    @classmethod
    def fit(cls, X: Floats, y: Floats, seed: int, trees: int = TREES) -> Forest:
        """Grow trees with scikit-learn.

        Parameters
        ----------
        X : ndarray of float64, shape (n, n_hyperparameters)
            NaN counts as a value below all others.
        y : ndarray of float64, shape (n,)
        seed : int
        trees : int
        """
        from sklearn.ensemble import RandomForestRegressor

        forest = RandomForestRegressor(trees, max_features=_FEATURES, random_state=seed).fit(_filled(X), y)
        grown = [estimator.tree_ for estimator in forest.estimators_]
        width = max(tree.node_count for tree in grown)

        def padded(name: str, kind: Any, fill: float) -> NDArray[Any]:
            table = np.full((len(grown), width), fill, dtype=kind)
            for row, tree in zip(table, grown, strict=True):
                row[: tree.node_count] = getattr(tree, name).reshape(tree.node_count)
            return table

        features = np.maximum(padded("feature", np.int16, -1), -1)
        links = padded("children_left", np.int32, 0), padded("children_right", np.int32, 0)
        return cls(features, padded("threshold", np.float32, 0), *links, padded("value", np.float32, 0))

    def predict(self, X: Floats) -> Floats:
        """Means over the trees, shape (n,), for rows of shape (n, n_hyperparameters)."""
        table = _filled(X)
        trees, rows = np.arange(len(self.features))[None], np.arange(len(table))[:, None]
        nodes = np.zeros((len(table), len(self.features)), dtype=np.int32)
        while True:
            features = self.features[trees, nodes]
            inner = features >= 0
            if not inner.any():
                means: Floats = self.values[trees, nodes].mean(axis=1, dtype=np.float64)
                return means
            goes_left = table[rows, features] <= self.thresholds[trees, nodes]
            nodes = np.where(inner, np.where(goes_left, self.left[trees, nodes], self.right[trees, nodes]), nodes)


def _filled(X: Floats) -> NDArray[np.float32]:
    return np.where(np.isnan(X), -1.0, X).astype(np.float32)


@dataclass(frozen=True, eq=False)
class SurrogateBenchmark:
    """Models of cost, duration and failure over the search space of a recorded table.

    Attributes
    ----------
    name : str
        Of the table.
    metric : str
    space_json : str
        The configuration space in ConfigSpace's own JSON.
    limit : float
        Seconds after which the recorded trials were stopped.
    dummy_cost : float
        What a trial without a configuration costs: the highest recorded cost.
    costs, seconds : Forest
        Of the logarithms of cost and duration.
    failures : Forest
        Of the share of failed trials.
    """

    name: str
    metric: str
    space_json: str
    limit: float
    dummy_cost: float
    costs: Forest
    seconds: Forest
    failures: Forest

    @classmethod
    def fit(
        cls, name: str, metric: str, space_json: str, limit: float, trials: Trials, seed: int = 0
    ) -> SurrogateBenchmark:
        """Fit the models to recorded trials.

        Costs are learned on a logarithmic scale, so that differences between good configurations count as much as
        those between bad ones. Trials that failed have a duration and no cost.

        Raises
        ------
        UserError
            If fewer than two of the trials have a cost.
        """
        good = np.isfinite(trials.costs)
        if good.sum() < 2:
            raise UserError(f"The recording of {name} has no two trials with a cost; record more of them.")
        costs = np.log(np.maximum(trials.costs[good], _LOWEST))
        return cls(
            name,
            metric,
            space_json,
            limit,
            float(trials.costs[good].max()),
            Forest.fit(trials.vectors[good], costs, seed),
            Forest.fit(trials.vectors, np.log(np.maximum(trials.seconds, _SHORTEST)), seed + 1),
            Forest.fit(trials.vectors, (~good).astype(np.float64), seed + 2),
        )

    @property
    def configspace(self) -> ConfigurationSpace:
        """The search space, a new object at each call."""
        import json

        from ConfigSpace import ConfigurationSpace

        return ConfigurationSpace.from_serialized_dict(json.loads(self.space_json))

    def outcome(self, vector: Floats) -> SimulatedOutcome:
        """Status, cost and duration of a configuration, shape (n_hyperparameters,); all NaN for the dummy."""
        if np.isnan(vector).all():
            return SimulatedOutcome(Status.SUCCESS, self.dummy_cost, _SHORTEST)
        row = vector[None]
        seconds = float(np.exp(self.seconds.predict(row)[0]))
        if self.failures.predict(row)[0] > 0.5:
            ran_out = seconds >= _TIME_LIMIT_SHARE * self.limit
            return SimulatedOutcome(Status.TIMEOUT if ran_out else Status.CRASHED, float("nan"), seconds)
        return SimulatedOutcome(Status.SUCCESS, float(np.exp(self.costs.predict(row)[0])), seconds)

    def save(self, path: Path) -> None:
        """Write it as a compressed ``.npz`` without pickles."""
        arrays: dict[str, Any] = {}
        for model in _MODELS:
            arrays.update({f"{model}.{part}": values for part, values in vars(getattr(self, model)).items()})
        arrays.update({name: np.array(getattr(self, name)) for name in _FACTS})
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> SurrogateBenchmark:
        """Read what `save` wrote.

        Raises
        ------
        UserError
            If the file is missing or is no benchmark.
        """
        try:
            with np.load(path) as file:
                facts: dict[str, Any] = {name: file[name].item() for name in _FACTS}
                parts = tuple(Forest.__dataclass_fields__)
                models: dict[str, Any] = {
                    model: Forest(*(file[f"{model}.{part}"] for part in parts)) for model in _MODELS
                }
        except (OSError, KeyError, ValueError) as error:
            raise UserError(f"{path} is no surrogate benchmark ({error}); make one with fit and save.") from None
        return cls(**facts, **models)


_MODELS = ("costs", "seconds", "failures")
_FACTS = ("name", "metric", "space_json", "limit", "dummy_cost")


class RecordedBenchmark:
    """Replays recorded trials exactly; knows no other configurations.

    Parameters
    ----------
    trials : Trials
        Of a configuration that occurs twice, the first trial counts.
    """

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._rows: dict[bytes, int] = {}
        for row, vector in enumerate(trials.vectors):
            self._rows.setdefault(_name(vector), row)

    def outcome(self, vector: Floats) -> SimulatedOutcome:
        """What the recorded trial came to.

        Raises
        ------
        UserError
            If the configuration was not recorded.
        """
        row = self._rows.get(_name(vector))
        if row is None:
            raise UserError("This configuration was not recorded; use a surrogate benchmark for any other.")
        trials = self._trials
        return SimulatedOutcome(Status(int(trials.statuses[row])), float(trials.costs[row]), float(trials.seconds[row]))


def _name(vector: Floats) -> bytes:
    return _filled(vector).tobytes()
