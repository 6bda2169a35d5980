"""How the predictions of members become the prediction of the ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mpi_automl.ensemble.scaling import LogitScaling, softmax
from mpi_automl.errors import UserError
from mpi_automl.metrics.score_functions import CLIP
from mpi_automl.trial import TrialKey

Predictions = NDArray[np.float32]


class MemberCombination(Protocol):
    """Combines members' predictions, one member at a time so that not all need to be in memory."""

    @property
    def weights(self) -> dict[TrialKey, float]:
        """How much each member counts, heaviest first; they sum to 1."""

    def contribution(self, key: TrialKey, predictions: Predictions) -> NDArray[np.float64]:
        """What one member contributes, from its predictions of shape (n_rows, n_outputs)."""

    def finish(self, total: NDArray[np.float64]) -> NDArray[np.float64]:
        """The ensemble's prediction, shape (n_rows, n_outputs), from the sum of all contributions."""

    def to_mapping(self) -> dict[str, Any]:
        """The combination as JSON can hold it."""


def combine(combination: MemberCombination, predictions: Mapping[TrialKey, Predictions]) -> NDArray[np.float64]:
    """Combine the predictions of all members.

    Parameters
    ----------
    combination : MemberCombination
    predictions : mapping of TrialKey to ndarray of shape (n_rows, n_outputs)
        Of all members at least.
    """
    first, *others = combination.weights
    total = combination.contribution(first, predictions[first])
    for key in others:
        total += combination.contribution(key, predictions[key])
    return combination.finish(total)


@dataclass(frozen=True)
class WeightedMean:
    """The mean of the members' predictions.

    Attributes
    ----------
    weights : dict of TrialKey to float
        Heaviest first; they sum to 1.
    """

    weights: dict[TrialKey, float]

    def contribution(self, key: TrialKey, predictions: Predictions) -> NDArray[np.float64]:
        """See `MemberCombination.contribution`."""
        return np.asarray(self.weights[key] * predictions.astype(np.float64))

    def finish(self, total: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `MemberCombination.finish`."""
        return total

    def to_mapping(self) -> dict[str, Any]:
        """See `MemberCombination.to_mapping`."""
        return {"kind": "mean", "weights": {str(key): weight for key, weight in self.weights.items()}}


@dataclass(frozen=True, eq=False)
class LinearStack:
    """A linear model on the members' predictions (stacking; Wolpert, 1992).

    Attributes
    ----------
    coefficients : dict of TrialKey to ndarray of float64, shape (n_outputs, n_outputs)
        From a member's predictions (columns of the left side) to the ensemble's.
    intercept : ndarray of float64, shape (n_outputs,)
    link : {"softmax", "sigmoid", "identity"}
        What makes predictions out of the linear model. It works on log-probabilities for ``softmax`` (classes), on
        log-odds for ``sigmoid`` (labels) and on the values for ``identity``.
    """

    coefficients: dict[TrialKey, NDArray[np.float64]]
    intercept: NDArray[np.float64]
    link: str

    @property
    def weights(self) -> dict[TrialKey, float]:
        """Share of each member in the sum of absolute coefficients."""
        sizes = {key: float(np.abs(matrix).sum()) for key, matrix in self.coefficients.items()}
        total = sum(sizes.values()) or 1.0
        return {key: sizes[key] / total for key in sorted(sizes, key=lambda key: -sizes[key])}

    def contribution(self, key: TrialKey, predictions: Predictions) -> NDArray[np.float64]:
        """See `MemberCombination.contribution`."""
        return np.asarray(linear_features(predictions, self.link) @ self.coefficients[key])

    def finish(self, total: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `MemberCombination.finish`."""
        total = total + self.intercept
        if self.link == "identity":
            return total
        if self.link == "sigmoid":
            return np.asarray(1.0 / (1.0 + np.exp(-total)))
        return softmax(total)

    def to_mapping(self) -> dict[str, Any]:
        """See `MemberCombination.to_mapping`."""
        coefficients = {str(key): matrix.tolist() for key, matrix in self.coefficients.items()}
        return {
            "kind": "linear",
            "link": self.link,
            "intercept": self.intercept.tolist(),
            "coefficients": coefficients,
        }


@dataclass(frozen=True)
class Calibrated:
    """A combination whose probabilities are scaled.

    Attributes
    ----------
    combination : MemberCombination
    scaling : LogitScaling
    """

    combination: MemberCombination
    scaling: LogitScaling

    @property
    def weights(self) -> dict[TrialKey, float]:
        """See `MemberCombination.weights`."""
        return self.combination.weights

    def contribution(self, key: TrialKey, predictions: Predictions) -> NDArray[np.float64]:
        """See `MemberCombination.contribution`."""
        return self.combination.contribution(key, predictions)

    def finish(self, total: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `MemberCombination.finish`."""
        return self.scaling(self.combination.finish(total))

    def to_mapping(self) -> dict[str, Any]:
        """See `MemberCombination.to_mapping`."""
        return self.combination.to_mapping() | {"calibration": self.scaling.to_mapping()}


def linear_features(predictions: Predictions, link: str) -> NDArray[np.float64]:
    """What the linear model of a `LinearStack` works on."""
    values = predictions.astype(np.float64)
    if link == "identity":
        return values
    # The logarithm of 0 is not finite.
    clipped = np.clip(values, CLIP, 1.0 - CLIP)
    return np.asarray(np.log(clipped) if link == "softmax" else np.log(clipped / (1.0 - clipped)))


def from_mapping(mapping: Mapping[str, Any]) -> MemberCombination:
    """The combination that `to_mapping` described.

    Raises
    ------
    UserError
        If it is not one.
    """
    try:
        if "calibration" in mapping:
            scaling = LogitScaling.from_mapping(mapping["calibration"])
            plain = {name: value for name, value in mapping.items() if name != "calibration"}
            return Calibrated(from_mapping(plain), scaling)
        if mapping["kind"] == "mean":
            weights = {parse_key(text): float(weight) for text, weight in mapping["weights"].items()}
            return WeightedMean(dict(sorted(weights.items(), key=lambda item: -item[1])))
        if mapping["kind"] == "linear" and mapping["link"] in ("softmax", "sigmoid", "identity"):
            coefficients = {parse_key(text): _floats(matrix) for text, matrix in mapping["coefficients"].items()}
            return LinearStack(coefficients, _floats(mapping["intercept"]), mapping["link"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"The description of the ensemble cannot be read ({error}); its file is damaged.") from error
    raise UserError("The ensemble is of a kind that this release does not know; use the release that made it.")


def parse_key(text: str) -> TrialKey:
    """The trial key that is written as leg-rank-number."""
    leg, rank, number = (int(part) for part in text.split("-"))
    return TrialKey(leg, rank, number)


def _floats(values: Any) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)
