"""Regularised logistic regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.components import _svm
from mpi_automl.space.hyperparameters import Categorical, Float
from mpi_automl.space.registry import register
from mpi_automl.space.versions import sklearn_at_least


@register
class LogisticRegression(Component):
    """Logistic regression with a penalty on the squares, or also on the absolute values, of the coefficients."""

    step = "classifier"
    name = "logistic_regression"
    properties = Properties(
        tasks=CLASSIFICATION,
        one_per_output=frozenset({TaskType.MULTILABEL}),
        sparse=True,
        sample_weight=True,
        preference=3,
    )
    hyperparameters = (
        Float("C", 1e-5, 1e4, 1.0, log=True),
        Categorical("penalty", ("l2", "elasticnet")),
        Float("l1_ratio", 0.01, 1.0, 0.5, when={"penalty": ("elasticnet",)}),
        _svm.LINEAR_TOLERANCE,
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner; the solver is the fastest one for the penalty."""
        from sklearn.linear_model import LogisticRegression as Learner

        share = values.get("l1_ratio", 0.0)
        named = {} if sklearn_at_least(1, 8) else {"penalty": values["penalty"]}
        return Learner(
            **named,
            C=values["C"],
            l1_ratio=share,
            solver="saga" if share else "lbfgs",
            tol=values["tol"],
            max_iter=500,  # saga needs more than scikit-learn's 100
            random_state=context.seed,
        )
