"""Linear support vector regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import REGRESSION, Component, Context, Properties
from mpi_automl.space.components import _svm
from mpi_automl.space.hyperparameters import Categorical
from mpi_automl.space.registry import register


@register
class LinearSupportVector(Component):
    """LIBLINEAR (Fan et al., 2008) on standardised targets."""

    step = "regressor"
    name = "liblinear_svr"
    properties = Properties(
        tasks=REGRESSION, one_per_output=frozenset({TaskType.MULTIOUTPUT}), sparse=True, preference=42
    )
    hyperparameters = (
        _svm.SVM_C,
        _svm.EPSILON,
        Categorical("loss", ("squared_epsilon_insensitive", "epsilon_insensitive")),
        _svm.LINEAR_TOLERANCE,
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.standardized import StandardizedLinearSVR

        return StandardizedLinearSVR(**values, dual="auto", random_state=context.seed)
