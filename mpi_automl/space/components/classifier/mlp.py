"""Multilayer perceptron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.components import _mlp
from mpi_automl.space.registry import register
from mpi_automl.space.versions import sklearn_at_least


@register
class MultilayerPerceptron(Component):
    """A neural network of one to three hidden layers, trained by Adam (Kingma and Ba, 2015)."""

    step = "classifier"
    name = "mlp"
    properties = Properties(
        tasks=CLASSIFICATION,
        sparse=True,
        sample_weight=sklearn_at_least(1, 7),
        nonlinear=True,
        staged_fitting=_mlp.EPOCHS,
        preference=35,
    )
    hyperparameters = _mlp.hyperparameters("relu")

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.staged import StagedMLPClassifier

        return StagedMLPClassifier(**_mlp.arguments(values, context))
