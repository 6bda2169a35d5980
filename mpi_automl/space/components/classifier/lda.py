"""Linear discriminant analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import CLASSIFICATION, Component, Context, Properties
from mpi_automl.space.hyperparameters import Categorical, Float
from mpi_automl.space.registry import register


@register
class LinearDiscriminant(Component):
    """Normally distributed classes with one covariance matrix, which can be shrunk."""

    step = "classifier"
    name = "lda"
    # The covariance matrix has columns x columns entries.
    properties = Properties(
        tasks=CLASSIFICATION, one_per_output=frozenset({TaskType.MULTILABEL}), max_columns=2_000, preference=45
    )
    hyperparameters = (
        Categorical("shrinkage", ("none", "auto", "manual")),
        Float("shrinkage_factor", 0.0, 1.0, 0.5, when={"shrinkage": ("manual",)}),
        Float("tol", 1e-5, 0.1, 1e-4, log=True, when={"shrinkage": ("none",)}),
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner; only the solver without shrinkage has a tolerance."""
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        shrinkage = values["shrinkage"]
        if shrinkage == "none":
            return LinearDiscriminantAnalysis(solver="svd", tol=values["tol"])
        return LinearDiscriminantAnalysis(
            solver="lsqr", shrinkage="auto" if shrinkage == "auto" else values["shrinkage_factor"]
        )
