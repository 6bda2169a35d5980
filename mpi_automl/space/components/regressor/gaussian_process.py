"""Gaussian process regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import REGRESSION, Component, Context, Properties, encoded_columns
from mpi_automl.space.components import _svm
from mpi_automl.space.hyperparameters import Float
from mpi_automl.space.registry import register

MAX_ROWS = 5_000
"""Rows; the time grows with their cube."""


@register
class GaussianProcess(Component):
    """A Gaussian process whose kernel has a length scale for each feature (Rasmussen and Williams, 2006)."""

    step = "regressor"
    name = "gaussian_process"
    properties = Properties(tasks=REGRESSION, nonlinear=True, preference=55)
    hyperparameters = (
        Float("alpha", 1e-12, 1.0, 1e-8, log=True),
        Float("thetaL", 1e-10, 1e-3, 1e-6, log=True),
        Float("thetaU", 1.0, 1e5, 1e5, log=True),
    )

    def unsuitable(self, profile: Profile) -> str:
        """The gradient of the kernel has a value for each pair of rows and each feature."""
        if profile.n_rows > MAX_ROWS:
            return f"is for tables of at most {MAX_ROWS:,} rows, and this one has {profile.n_rows:,}"
        return _svm.too_many_pairs(profile, encoded_columns(profile))

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from mpi_automl.space.estimators.gaussian_process import AnisotropicGaussianProcess

        return AnisotropicGaussianProcess(
            alpha=values["alpha"], shortest=values["thetaL"], longest=values["thetaU"], random_state=context.seed
        )
