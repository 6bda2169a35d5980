"""Multilayer perceptron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import REGRESSION, Component, Context, Properties
from mpi_automl.space.components import _mlp
from mpi_automl.space.registry import register


@register
class MultilayerPerceptron(Component):
    """A neural network of one to three hidden layers, trained by Adam (Kingma and Ba, 2015)."""

    step = "regressor"
    name = "mlp"
    properties = Properties(
        tasks=REGRESSION, sparse=True, sample_weight=False, nonlinear=True, staged_fitting=_mlp.EPOCHS, preference=35
    )
    hyperparameters = _mlp.hyperparameters("tanh")

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.standardized import StandardizedMLPRegressor

        return StandardizedMLPRegressor(**_mlp.arguments(values, context))
