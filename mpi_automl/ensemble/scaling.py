"""Scaling of probabilities on the scale of their logarithms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST = 1e-12
"""Probabilities below it are raised to it: the logarithm of 0 is not finite, and trees do give zeros."""


@dataclass(frozen=True)
class LogitScaling:
    """Temperature scaling (Guo, Pleiss, Sun and Weinberger, ICML 2017), with a bias for each class where it has some.

    The scaled probabilities are ``softmax(log(p) / temperature + biases)``. The temperature alone leaves the most
    probable class as it is, and for two classes the order of rows.

    Attributes
    ----------
    temperature : float
        Above 0; above 1 it draws probabilities together.
    biases : tuple of float
        One for each class, or none at all.
    """

    temperature: float
    biases: tuple[float, ...] = ()

    def __call__(self, probabilities: NDArray[Any]) -> NDArray[np.float64]:
        """Scale probabilities, shape (n_rows, n_classes)."""
        logits = log_probabilities(probabilities) / self.temperature
        if self.biases:
            logits += np.asarray(self.biases)
        return softmax(logits)

    def to_mapping(self) -> dict[str, Any]:
        """The scaling as JSON can hold it."""
        return {"temperature": self.temperature, "biases": list(self.biases)}

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> LogitScaling:
        """The scaling that `to_mapping` described.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is not one.
        """
        scaling = cls(float(mapping["temperature"]), tuple(float(bias) for bias in mapping["biases"]))
        if not (0.0 < scaling.temperature < np.inf and np.isfinite(scaling.biases).all()):
            raise ValueError("the calibration is not finite")
        return scaling


def log_probabilities(probabilities: NDArray[Any]) -> NDArray[np.float64]:
    """Logarithms of probabilities, all finite."""
    return np.asarray(np.log(np.maximum(probabilities.astype(np.float64), _LEAST)))


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of classes, shape (n_rows, n_classes), from what is proportional to their exponentials."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))
