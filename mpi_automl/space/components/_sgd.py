"""What linear models by stochastic gradient descent have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Context, StagedFitting
from mpi_automl.space.hyperparameters import Categorical, Float, Hyperparameter, flag

EPOCHS = StagedFitting("max_iter", 1024, start=32)
"""1,024 are auto-sklearn's. Stages start from scratch: continued, the learning rate's schedule would start over."""


def hyperparameters(losses: Categorical, power_t: float) -> tuple[Hyperparameter, ...]:
    """Everything but what depends on the loss."""
    return (
        Float("alpha", 1e-7, 0.1, 1e-4, log=True),
        flag("average", False),
        Categorical("learning_rate", ("optimal", "invscaling", "constant"), "invscaling"),
        losses,
        Categorical("penalty", ("l1", "l2", "elasticnet"), "l2"),
        Float("tol", 1e-5, 0.1, 1e-4, log=True),
        Float("eta0", 1e-7, 0.1, 0.01, log=True, when={"learning_rate": ("invscaling", "constant")}),
        Float("l1_ratio", 1e-9, 1.0, 0.15, log=True, when={"penalty": ("elasticnet",)}),
        Float("power_t", 1e-5, 1.0, power_t, when={"learning_rate": ("invscaling",)}),
    )


def arguments(values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Arguments of scikit-learn's learners."""
    return {**values, "max_iter": EPOCHS.maximum, "random_state": context.seed}
