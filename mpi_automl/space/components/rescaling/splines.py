"""Numerical columns become smooth pieces of curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.hyperparameters import Choice, Integer
from mpi_automl.space.registry import register


@register
class Splines(Component):
    """B-splines (Eilers and Marx, 1996) for each column, so that linear learners can bend."""

    step = "rescaling"
    name = "splines"
    properties = Properties(output_nonnegative="yes", expands=True, widens=True, preference=20, max_columns=200)
    hyperparameters = (
        Integer("n_knots", 3, 20, 5),
        Integer("degree", 1, 3, 3),
        Choice("knots", ("quantile", "uniform")),
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer; beyond the training rows the curves go on straight."""
        from sklearn.preprocessing import SplineTransformer

        return SplineTransformer(**values, extrapolation="linear", include_bias=False)
