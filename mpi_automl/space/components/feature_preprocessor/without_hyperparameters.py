"""Feature preprocessors without hyperparameters: none, and sparse to dense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context, NoOperation, Properties
from mpi_automl.space.registry import register

LARGEST_TABLE = 2**26
"""Values of the dense array, 512 MiB."""


@register
class NoPreprocessing(NoOperation):
    """No feature preprocessing."""

    step = "feature_preprocessor"
    name = "no_preprocessing"
    properties = Properties(sparse=True, missing=True, output_nonnegative="input", preference=1, weight=4.0)


@register
class ToDense(Component):
    """Makes a dense array of a sparse matrix, for learners that need one."""

    step = "feature_preprocessor"
    name = "densifier"
    properties = Properties(
        dense=False, sparse=True, output="dense", output_nonnegative="input", max_cells=LARGEST_TABLE, preference=20
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from mpi_automl.space.estimators.densifier import Densifier

        return Densifier()
