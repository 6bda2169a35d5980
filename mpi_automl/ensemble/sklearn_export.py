"""Members and ensembles as scikit-learn's own objects, to be used without a run directory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler

from mpi_automl.data.schema import Schema
from mpi_automl.data.task import TaskType
from mpi_automl.data.units import TargetUnits
from mpi_automl.ensemble.combination import Calibrated, WeightedMean
from mpi_automl.ensemble.model import EnsembleModel
from mpi_automl.ensemble.plain import as_plain
from mpi_automl.ensemble.scaling import LogitScaling
from mpi_automl.errors import UserError
from mpi_automl.trial import TrialKey

_PACKAGE = "mpi_automl."


class RawTableEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """First step of an exported pipeline: encodes raw tables as the training table was.

    Parameters
    ----------
    schema : str
        JSON text of a `mpi_automl.data.schema.Schema`.
    """

    def __init__(self, schema: str) -> None:
        self.schema = schema

    def fit(self, X: Any, y: Any = None) -> RawTableEncoder:
        """Do nothing: all there is to know is in the schema."""
        return self

    def transform(self, X: Any) -> Any:
        """Encode a DataFrame, array or sparse matrix with the columns of the training table."""
        return Schema.from_json(self.schema).encode(X)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class ScaledClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A fitted classifier whose probabilities are scaled, see `mpi_automl.ensemble.scaling.LogitScaling`.

    Parameters
    ----------
    classifier : estimator
        Fitted.
    temperature : float
    biases : list of float
    """

    def __init__(self, classifier: Any, temperature: float, biases: list[float]) -> None:
        self.classifier = classifier
        self.temperature = temperature
        self.biases = biases

    @property
    def classes_(self) -> Any:
        """The labels of the classes."""
        return self.classifier.classes_

    def fit(self, X: Any, y: Any = None) -> ScaledClassifier:
        """Do nothing: the classifier is fitted, and the scaling came from out-of-fold predictions."""
        return self

    def predict_proba(self, X: Any) -> Any:
        """Scaled probabilities of the classes, shape (n_rows, n_classes)."""
        return LogitScaling(self.temperature, tuple(self.biases))(self.classifier.predict_proba(X))

    def predict(self, X: Any) -> Any:
        """The most probable classes, shape (n_rows,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def __sklearn_is_fitted__(self) -> bool:
        return True


class RegressorInUnits(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A fitted pipeline whose predictions are in the units of the table.

    Parameters
    ----------
    regressor : estimator
        Fitted to standardised values.
    units : TargetUnits
    """

    def __init__(self, regressor: Any, units: TargetUnits) -> None:
        self.regressor = regressor
        self.units = units

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Values for encoded rows, shape (n_rows,) or (n_rows, n_targets)."""
        return self.units.restore(np.asarray(self.regressor.predict(X)))

    def __sklearn_is_fitted__(self) -> bool:
        return True


def in_units_of_table(pipeline: Any, units: TargetUnits | None) -> Any:
    """A fitted pipeline for people: one that predicts values does so in the units of the table."""
    return pipeline if units is None else RegressorInUnits(pipeline, units)


def to_sklearn(model: EnsembleModel, key: TrialKey | None = None, *, encoded: bool = False) -> Any:
    """An ensemble, or one member of it, as one fitted estimator of scikit-learn.

    A `VotingClassifier` with soft votes, or a `VotingRegressor`, holds all fitted pipelines with their weights; where
    the ensemble's probabilities are scaled, a `ScaledClassifier` holds it. A `TransformedTargetRegressor` turns
    predicted values into the units of the table. Steps of
    this package become scikit-learn's own where these predict the same (`mpi_automl.ensemble.plain`).

    Parameters
    ----------
    model : EnsembleModel
    key : TrialKey, optional
        Only this member.
    encoded : bool
        The estimator takes tables that are encoded already. Otherwise its first step is a `RawTableEncoder`, which
        belongs to this package.

    Raises
    ------
    UserError
        If the member is unknown, or scikit-learn has nothing that combines predictions in the same way.
    """
    if key is not None and key not in model.weights:
        raise UserError(f"Trial {key} is not a member; members are {', '.join(map(str, model.weights))}.")
    combination = model.combination
    scaling = combination.scaling if isinstance(combination, Calibrated) else None
    plain = combination.combination if isinstance(combination, Calibrated) else combination
    if key is None and not isinstance(plain, WeightedMean):
        raise UserError("A stacked ensemble cannot be exported; export a --member, or build the ensemble greedily.")
    weights = dict(model.weights) if key is None else {key: 1.0}
    pipelines, shares = [], []
    for member, weight in weights.items():
        own = model.pipelines(member)
        pipelines += own
        shares += [weight / len(own)] * len(own)
    final = _voting(model.schema, [as_plain(pipeline) for pipeline in pipelines], shares)
    if key is None and scaling is not None:
        final = ScaledClassifier(final, scaling.temperature, list(scaling.biases))
    if encoded:
        return final
    return Pipeline([("encode", RawTableEncoder(model.schema.to_json())), ("predict", final)])


def save_estimator(estimator: Any, path: Path) -> tuple[str, ...]:
    """Write an estimator by skops.

    Returns
    -------
    tuple of str
        Full names of this package's types in the file: where there are any, it can only be loaded with this package.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    import skops.io

    try:
        skops.io.dump(estimator, path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from None
    return tuple(sorted(name for name in skops.io.get_untrusted_types(file=path) if name.startswith(_PACKAGE)))


def _voting(schema: Schema, pipelines: Sequence[Any], shares: list[float]) -> Any:
    named = [(f"model_{number}", pipeline) for number, pipeline in enumerate(pipelines)]
    if schema.task_type is TaskType.REGRESSION:
        voting = VotingRegressor(named, weights=shares)
    elif schema.task_type in (TaskType.BINARY, TaskType.MULTICLASS):
        _check_votes(pipelines, schema.n_outputs)
        voting = VotingClassifier(named, voting="soft", weights=shares)
        voting.le_ = LabelEncoder()
        voting.le_.classes_ = voting.classes_ = np.asarray(schema.classes)
    else:
        raise UserError("scikit-learn cannot vote on several targets; use mpi-automl predict, or the run's model.")
    voting.estimators_ = list(pipelines)
    return voting if schema.units is None else _with_transformed_target(voting, schema.units)


def _with_transformed_target(regressor: VotingRegressor, units: TargetUnits) -> TransformedTargetRegressor:
    scaler = StandardScaler()
    scaler.mean_, scaler.scale_ = np.array(units.center), np.array(units.scale)
    scaler.var_, scaler.n_features_in_, scaler.n_samples_seen_ = scaler.scale_**2, 1, 1
    whole = TransformedTargetRegressor(regressor, transformer=scaler)
    whole.regressor_, whole.transformer_, whole._training_dim = regressor, scaler, 1
    return whole


def _check_votes(pipelines: Sequence[Any], n_classes: int) -> None:
    for pipeline in pipelines:
        if not hasattr(pipeline, "predict_proba"):
            name = type(pipeline.steps[-1][1] if hasattr(pipeline, "steps") else pipeline).__name__
            raise UserError(f"{name} gives no probabilities, so it cannot vote; export another --member.")
        if not np.array_equal(np.asarray(pipeline.classes_, dtype=float), np.arange(n_classes)):
            raise UserError("A model has not seen every class, so it cannot vote; use mpi-automl refit first.")
