"""Naive Bayes on normally distributed features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.hyperparameters import Float
from mpi_automl.space.registry import register


@register
class GaussianNaiveBayes(Component):
    """Naive Bayes with a normal distribution for each feature."""

    step = "classifier"
    name = "gaussian_nb"
    properties = Properties(
        tasks=CLASSIFICATION,
        one_per_output=frozenset({TaskType.MULTILABEL}),
        sample_weight=True,
        nonlinear=True,
        preference=72,
    )
    hyperparameters = (Float("var_smoothing", 1e-11, 0.1, 1e-9, log=True),)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from sklearn.naive_bayes import GaussianNB

        return GaussianNB(**values)
