"""An approximate feature map of a kernel from some of the rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.components import _svm
from mpi_automl.space.hyperparameters import Categorical, Hyperparameter, bounded
from mpi_automl.space.registry import register

MAX_BASIS = 5_000
"""Rows that the map is made from; the time grows with their cube."""


@register
class NystroemSampler(Component):
    """The method of Nystroem (Williams and Seeger, 2001)."""

    step = "feature_preprocessor"
    name = "nystroem_sampler"
    properties = Properties(sparse=True, output="dense", expands=True, preference=35)
    hyperparameters = (
        Categorical("kernel", ("rbf", "poly", "sigmoid", "cosine", "chi2")),
        bounded("n_components", 50, 10_000, 100, 10_000, log=True),
        *_svm.kernel_hyperparameters(0.1, ("poly", "rbf", "sigmoid", "chi2")),
    )

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """No more components than a third of the rows; the kernel chi2 needs dense data."""
        most = min(profile.n_rows // 3, MAX_BASIS)
        components = bounded("n_components", 50, 10_000, 100, most, log=True)
        if not profile.is_sparse:
            return (self.hyperparameters[0], components, *self.hyperparameters[2:])
        kernel = Categorical("kernel", ("rbf", "poly", "sigmoid", "cosine"))
        return (kernel, components, *_svm.kernel_hyperparameters(0.1, ("poly", "rbf", "sigmoid")))

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer; the kernel chi2 needs amounts, which scaling to 0 and more gives it."""
        from sklearn.kernel_approximation import Nystroem

        sampler = Nystroem(**values, random_state=context.seed, n_jobs=context.threads)
        if values["kernel"] != "chi2":
            return sampler
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import MinMaxScaler

        return make_pipeline(MinMaxScaler(clip=True), sampler)
