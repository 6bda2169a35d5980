"""Naive Bayes on features that are above zero or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.hyperparameters import Float, flag
from mpi_automl.space.registry import register


@register
class BernoulliNaiveBayes(Component):
    """Naive Bayes with a Bernoulli distribution for each feature."""

    step = "classifier"
    name = "bernoulli_nb"
    properties = Properties(
        tasks=CLASSIFICATION,
        one_per_output=frozenset({TaskType.MULTILABEL}),
        sparse=True,
        sample_weight=True,
        preference=70,
    )
    hyperparameters = (Float("alpha", 0.01, 100.0, 1.0, log=True), flag("fit_prior", True))

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from sklearn.naive_bayes import BernoulliNB

        return BernoulliNB(**values)
