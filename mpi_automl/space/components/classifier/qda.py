"""Quadratic discriminant analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.hyperparameters import Float
from mpi_automl.space.registry import register
from mpi_automl.space.versions import sklearn_at_least


@register
class QuadraticDiscriminant(Component):
    """Normally distributed classes with a covariance matrix each, regularised."""

    step = "classifier"
    name = "qda"
    properties = Properties(
        tasks=CLASSIFICATION,
        one_per_output=frozenset({TaskType.MULTILABEL}),
        nonlinear=True,
        max_columns=1_000,  # each class has a matrix of columns x columns to invert
        preference=46,
    )
    hyperparameters = (Float("reg_param", 0.001, 1.0, 0.01),)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner; newer versions refuse classes with fewer rows than columns unless they shrink."""
        from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

        if sklearn_at_least(1, 8):
            return QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=values["reg_param"])
        return QuadraticDiscriminantAnalysis(reg_param=values["reg_param"])
