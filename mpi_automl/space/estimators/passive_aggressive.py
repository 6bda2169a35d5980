"""Passive-aggressive classifiers, which scikit-learn has moved from one class to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.estimators.softmax import ProbabilisticSGDClassifier
from mpi_automl.space.versions import sklearn_at_least

RATES = {"hinge": "pa1", "squared_hinge": "pa2"}
"""The losses of the paper are learning rates of stochastic gradient descent since scikit-learn 1.8."""


def passive_aggressive(values: Mapping[str, Any], max_iter: int, seed: int) -> Any:
    """A classifier with ``C``, ``loss``, ``average`` and ``tol`` of `values`."""
    common = {"average": values["average"], "tol": values["tol"], "max_iter": max_iter, "random_state": seed}
    if sklearn_at_least(1, 8):
        rate = RATES[values["loss"]]
        return ProbabilisticSGDClassifier(loss="hinge", penalty=None, learning_rate=rate, eta0=values["C"], **common)
    from mpi_automl.space.estimators.passive_aggressive_class import ProbabilisticPassiveAggressive

    return ProbabilisticPassiveAggressive(C=values["C"], loss=values["loss"], **common)
