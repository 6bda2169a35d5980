"""Naive Bayes on counts or other amounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.hyperparameters import Float, flag
from mpi_automl.space.registry import register


@register
class MultinomialNaiveBayes(Component):
    """Naive Bayes with a multinomial distribution; what little falls below zero in new rows counts as zero."""

    step = "classifier"
    name = "multinomial_nb"
    properties = Properties(
        tasks=CLASSIFICATION,
        one_per_output=frozenset({TaskType.MULTILABEL}),
        sparse=True,
        nonnegative=True,
        sample_weight=True,
        preference=71,
    )
    hyperparameters = (Float("alpha", 0.01, 100.0, 1.0, log=True), flag("fit_prior", True))

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.clipped import ClippedMultinomialNB

        return ClippedMultinomialNB(**values)
