"""Elastic net regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import REGRESSION, Component, Context, Properties
from mpi_automl.space.components import _svm
from mpi_automl.space.hyperparameters import Float
from mpi_automl.space.registry import register


@register
class ElasticNet(Component):
    """Penalties on squares and absolute values (Zou and Hastie, 2005), on standardised targets."""

    step = "regressor"
    name = "elastic_net"
    properties = Properties(tasks=REGRESSION, sparse=True, preference=4)
    hyperparameters = (
        Float("alpha", 1e-5, 10.0, 0.01, log=True),
        Float("l1_ratio", 0.01, 1.0, 0.5),
        _svm.LINEAR_TOLERANCE,
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.standardized import StandardizedElasticNet

        return StandardizedElasticNet(**values, max_iter=2_000, random_state=context.seed)  # twice scikit-learn's
