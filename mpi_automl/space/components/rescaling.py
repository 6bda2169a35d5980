"""How numerical columns are scaled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context, NoOperation, Properties
from mpi_automl.space.hyperparameters import Categorical, Float, Hyperparameter, Integer, bounded
from mpi_automl.space.registry import register


@register
class Standardize(Component):
    """Standardisation; sparse columns are scaled but not centred, so that they stay sparse."""

    step = "rescaling"
    name = "standardize"
    properties = Properties(sparse=True, missing=True, preference=1)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the scaler."""
        from sklearn.preprocessing import StandardScaler

        return StandardScaler(with_mean=not context.sparse)


@register
class MinMax(Component):
    """Scaling by minimum and maximum; it would make sparse columns dense."""

    step = "rescaling"
    name = "minmax"
    properties = Properties(missing=True, output_nonnegative="yes", preference=2)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the scaler."""
        from sklearn.preprocessing import MinMaxScaler

        return MinMaxScaler()


@register
class Normalize(Component):
    """Every row is divided by its Euclidean length."""

    step = "rescaling"
    name = "normalize"
    properties = Properties(sparse=True, output_nonnegative="input", preference=3)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the scaler."""
        from sklearn.preprocessing import Normalizer

        return Normalizer()


@register
class PowerTransform(Component):
    """The transformation of Yeo and Johnson (2000), followed by standardisation."""

    step = "rescaling"
    name = "power_transformer"
    properties = Properties(missing=True, preference=4)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from sklearn.preprocessing import PowerTransformer

        return PowerTransformer()


@register
class RobustScale(Component):
    """Scaling by the range between two quantiles, which outliers do not move."""

    step = "rescaling"
    name = "robust_scaler"
    properties = Properties(sparse=True, missing=True, preference=5)
    hyperparameters = (
        Float("q_max", 0.7, 0.999, 0.75),
        Float("q_min", 0.001, 0.3, 0.25),
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the scaler; scikit-learn wants percent where the hyperparameters are shares."""
        from sklearn.preprocessing import RobustScaler

        percent = (100.0 * values["q_min"], 100.0 * values["q_max"])
        return RobustScaler(with_centering=not context.sparse, quantile_range=percent)


@register
class QuantileTransform(Component):
    """Values are replaced by their ranks, seen as quantiles of a distribution."""

    step = "rescaling"
    name = "quantile_transformer"
    properties = Properties(sparse=True, missing=True, preference=6)
    hyperparameters = (
        bounded("n_quantiles", 10, 2000, 1000, 2000),
        Categorical("output_distribution", ("normal", "uniform")),
    )

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """No more quantiles than half of the rows."""
        return (bounded("n_quantiles", 10, 2000, 1000, profile.n_rows // 2), self.hyperparameters[1])

    def unsuitable(self, profile: Profile) -> str:
        """On sparse data zeros have to be the smallest values."""
        if profile.is_sparse and not profile.is_nonnegative:
            return "cannot handle sparse data with negative values"
        return ""

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from mpi_automl.space.estimators.capped import CappedQuantileTransformer

        return CappedQuantileTransformer(
            n_quantiles=values["n_quantiles"],
            output_distribution=values["output_distribution"],
            random_state=context.seed,
        )


@register
class NoRescaling(NoOperation):
    """No rescaling."""

    step = "rescaling"
    name = "none"
    properties = Properties(sparse=True, missing=True, output_nonnegative="input", preference=7)


@register
class Splines(Component):
    """B-splines (Eilers and Marx, 1996) for each column, so that linear learners can bend."""

    step = "rescaling"
    name = "splines"
    # 200 columns become up to 4,200: 20 knots and the third degree make 21 of each.
    properties = Properties(output_nonnegative="yes", expands=True, widens=True, preference=20, max_columns=200)
    hyperparameters = (
        Integer("n_knots", 3, 20, 5),
        Integer("degree", 1, 3, 3),
        Categorical("knots", ("quantile", "uniform")),
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer; beyond the training rows the curves go on straight."""
        from sklearn.preprocessing import SplineTransformer

        return SplineTransformer(**values, extrapolation="linear", include_bias=False)
