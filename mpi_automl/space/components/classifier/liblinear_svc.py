"""Linear support vector machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.components import _svm
from mpi_automl.space.hyperparameters import Categorical
from mpi_automl.space.registry import register


@register
class LinearSupportVector(Component):
    """LIBLINEAR (Fan et al., 2008); probabilities are squashed decision values."""

    step = "classifier"
    name = "liblinear_svc"
    properties = Properties(
        tasks=CLASSIFICATION,
        one_per_output=frozenset({TaskType.MULTILABEL}),
        sparse=True,
        sample_weight=True,
        preference=2,
    )
    hyperparameters = (
        _svm.SVM_C,
        Categorical("loss", ("squared_hinge", "hinge")),
        Categorical("penalty", ("l2", "l1")),
        _svm.LINEAR_TOLERANCE,
    )
    forbidden = ({"loss": ("hinge",), "penalty": ("l1",)},)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.softmax import ProbabilisticLinearSVC

        return ProbabilisticLinearSVC(**values, dual="auto", random_state=context.seed)
