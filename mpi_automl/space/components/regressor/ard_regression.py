"""Bayesian linear regression that prunes features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import SINGLE_REGRESSION, Component, Context, Properties, encoded_columns
from mpi_automl.space.hyperparameters import Float
from mpi_automl.space.registry import register


@register
class AutomaticRelevance(Component):
    """Automatic relevance determination (MacKay, 1994)."""

    step = "regressor"
    name = "ard_regression"
    properties = Properties(tasks=SINGLE_REGRESSION, max_columns=1_000, preference=44)
    hyperparameters = (
        Float("alpha_1", 1e-10, 1e-3, 1e-6, log=True),
        Float("alpha_2", 1e-10, 1e-3, 1e-6, log=True),
        Float("lambda_1", 1e-10, 1e-3, 1e-6, log=True),
        Float("lambda_2", 1e-10, 1e-3, 1e-6, log=True),
        Float("threshold_lambda", 1e3, 1e5, 1e4, log=True),
        Float("tol", 1e-5, 0.1, 1e-3, log=True),
    )

    def unsuitable(self, profile: Profile) -> str:
        """Inverts a matrix of the size of the encoded columns in every iteration."""
        most = self.properties.max_columns or 0
        return f"is for at most {most:,} encoded columns" if encoded_columns(profile) > most else ""

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from sklearn.linear_model import ARDRegression

        return ARDRegression(**values, max_iter=300)  # auto-sklearn's, and scikit-learn's own default
