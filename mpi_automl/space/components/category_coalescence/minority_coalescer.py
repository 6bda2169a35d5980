"""Rare categories of a column are merged into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, Properties
from mpi_automl.space.hyperparameters import Float
from mpi_automl.space.registry import register


@register
class MinorityCoalescer(Component):
    """Merging of categories that are rarer than a share of the training rows.

    The encoders of scikit-learn do it themselves, so the share is handed to the encoding through
    `Context.fraction`.
    """

    step = "category_coalescence"
    name = "minority_coalescer"
    properties = Properties(sparse=True, missing=True, preference=1)
    hyperparameters = (Float("minimum_fraction", 0.0001, 0.5, 0.01, log=True),)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Nothing of its own to do."""
        return None
