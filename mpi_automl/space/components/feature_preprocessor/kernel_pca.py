"""Principal components in the feature space of a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.components import _svm
from mpi_automl.space.hyperparameters import Categorical, Float, Hyperparameter, Integer, bounded
from mpi_automl.space.registry import register


@register
class KernelPrincipalComponents(Component):
    """Kernel principal component analysis (Schoelkopf, Smola and Mueller, 1998).

    Only with kernels that are positive semi-definite: not the sigmoid, nor polynomials with a negative offset.
    """

    step = "feature_preprocessor"
    name = "kernel_pca"
    properties = Properties(sparse=True, output="dense", expands=True, preference=33)
    hyperparameters = (
        Categorical("kernel", ("rbf", "poly", "cosine")),
        bounded("n_components", 10, 2000, 100, 2000),
        Float("coef0", 0.0, 1.0, 0.0, when={"kernel": ("poly",)}),
        Integer("degree", 2, 5, 3, when={"kernel": ("poly",)}),
        Float("gamma", 3.05175781e-05, 8.0, 0.01, log=True, when={"kernel": ("poly", "rbf")}),
    )

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """No more components than half of the rows."""
        components = bounded("n_components", 10, 2000, 100, profile.n_rows // 2)
        return (self.hyperparameters[0], components, *self.hyperparameters[2:])

    def unsuitable(self, profile: Profile) -> str:
        """The kernel has a value for each pair of rows."""
        return _svm.too_many_pairs(profile, 1)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer; a solver for few components is used where they are few."""
        from mpi_automl.space.estimators.capped import CappedKernelPCA

        return CappedKernelPCA(
            **values, remove_zero_eig=True, eigen_solver="randomized", random_state=context.seed, n_jobs=context.threads
        )
