"""Support vector regression with a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import REGRESSION, Component, Context, Properties
from mpi_automl.space.components import _svm
from mpi_automl.space.hyperparameters import Categorical
from mpi_automl.space.registry import register


@register
class SupportVector(Component):
    """LIBSVM (Chang and Lin, 2011) on standardised targets."""

    step = "regressor"
    name = "libsvm_svr"
    properties = Properties(
        tasks=REGRESSION,
        one_per_output=frozenset({TaskType.MULTIOUTPUT}),
        sparse=True,
        nonlinear=True,
        max_rows=_svm.MAX_ROWS,
        preference=43,
    )
    hyperparameters = (
        _svm.SVM_C,
        _svm.EPSILON,
        Categorical("kernel", ("linear", "poly", "rbf", "sigmoid"), "rbf"),
        _svm.SHRINKING,
        _svm.KERNEL_TOLERANCE,
        *_svm.kernel_hyperparameters(0.1, ("poly", "rbf", "sigmoid")),
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.standardized import StandardizedSVR

        return StandardizedSVR(**values, cache_size=_svm.KERNEL_CACHE, max_iter=_svm.ITERATIONS)
