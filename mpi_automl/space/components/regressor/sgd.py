"""Linear regression by stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import REGRESSION, Component, Context, Properties
from mpi_automl.space.components import _sgd
from mpi_automl.space.hyperparameters import Categorical, Float
from mpi_automl.space.registry import register

ROBUST = ("huber", "epsilon_insensitive", "squared_epsilon_insensitive")


@register
class StochasticGradientDescent(Component):
    """Linear models with several losses and penalties, on standardised targets."""

    step = "regressor"
    name = "sgd"
    properties = Properties(
        tasks=REGRESSION,
        one_per_output=frozenset({TaskType.MULTIOUTPUT}),
        sparse=True,
        staged_fitting=_sgd.EPOCHS,
        preference=40,
    )
    hyperparameters = (
        *_sgd.hyperparameters(Categorical("loss", ("squared_error", *ROBUST)), 0.25),
        Float("epsilon", 1e-5, 0.1, 0.1, log=True, when={"loss": ROBUST}),
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.standardized import StandardizedSGDRegressor

        return StandardizedSGDRegressor(**_sgd.arguments(values, context))
