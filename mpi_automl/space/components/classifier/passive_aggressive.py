"""Passive-aggressive linear classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.components import _sgd, _svm
from mpi_automl.space.hyperparameters import Categorical, Float, flag
from mpi_automl.space.registry import register
from mpi_automl.space.versions import sklearn_at_least


@register
class PassiveAggressive(Component):
    """Updates just large enough to mend each mistake (Crammer et al., 2006): PA-I and PA-II."""

    step = "classifier"
    name = "passive_aggressive"
    properties = Properties(
        tasks=CLASSIFICATION,
        one_per_output=frozenset({TaskType.MULTILABEL}),
        sparse=True,
        sample_weight=sklearn_at_least(1, 8),
        staged_fitting=_sgd.EPOCHS,
        preference=41,
    )
    hyperparameters = (
        Float("C", 1e-5, 10.0, 1.0, log=True),
        flag("average", False),
        Categorical("loss", ("hinge", "squared_hinge")),
        _svm.LINEAR_TOLERANCE,
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.passive_aggressive import passive_aggressive

        return passive_aggressive(values, _sgd.EPOCHS.maximum, context.seed)
