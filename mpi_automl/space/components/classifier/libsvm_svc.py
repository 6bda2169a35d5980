"""Support vector machine with a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import BINARY_OR_MULTICLASS, Component, Context, Properties
from mpi_automl.space.components import _svm
from mpi_automl.space.hyperparameters import Categorical
from mpi_automl.space.registry import register


@register
class SupportVector(Component):
    """LIBSVM (Chang and Lin, 2011); probabilities are squashed decision values."""

    step = "classifier"
    name = "libsvm_svc"
    properties = Properties(
        tasks=BINARY_OR_MULTICLASS,
        sparse=True,
        sample_weight=True,
        nonlinear=True,
        max_rows=_svm.MAX_ROWS,
        preference=5,
    )
    hyperparameters = (
        _svm.SVM_C,
        Categorical("kernel", ("rbf", "poly", "sigmoid")),
        _svm.SHRINKING,
        _svm.KERNEL_TOLERANCE,
        *_svm.kernel_hyperparameters(0.1, ("poly", "rbf", "sigmoid")),
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.softmax import ProbabilisticSVC

        return ProbabilisticSVC(
            **values, cache_size=_svm.KERNEL_CACHE, max_iter=_svm.ITERATIONS, random_state=context.seed
        )
