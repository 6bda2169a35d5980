"""Ridge regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import REGRESSION, Component, Context, Properties
from mpi_automl.space.hyperparameters import Float
from mpi_automl.space.registry import register


@register
class Ridge(Component):
    """Linear regression with a penalty on the squares of the coefficients."""

    step = "regressor"
    name = "ridge"
    properties = Properties(tasks=REGRESSION, sparse=True, sample_weight=True, preference=3)
    hyperparameters = (Float("alpha", 1e-5, 1e4, 1.0, log=True),)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from sklearn.linear_model import Ridge as Learner

        return Learner(**values, random_state=context.seed)
