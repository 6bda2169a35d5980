"""Linear classifiers by stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.components import _sgd
from mpi_automl.space.hyperparameters import Categorical
from mpi_automl.space.registry import register


@register
class StochasticGradientDescent(Component):
    """Linear models with several losses and penalties; where the loss has no probabilities, see `softmax`."""

    step = "classifier"
    name = "sgd"
    properties = Properties(
        tasks=CLASSIFICATION,
        one_per_output=frozenset({TaskType.MULTILABEL}),
        sparse=True,
        sample_weight=True,
        staged_fitting=_sgd.EPOCHS,
        preference=4,
    )
    hyperparameters = _sgd.hyperparameters(
        Categorical("loss", ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"), "log_loss"), 0.5
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.softmax import ProbabilisticSGDClassifier

        return ProbabilisticSGDClassifier(**_sgd.arguments(values, context))
