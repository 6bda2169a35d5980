"""Feature preprocessors without hyperparameters: none, and sparse to dense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import MAX_CELLS, Component, Context, NoOperation, Properties
from mpi_automl.space.registry import register


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
        dense=False, sparse=True, output="dense", output_nonnegative="input", max_cells=MAX_CELLS, preference=20
    )

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the transformer."""
        from mpi_automl.space.estimators.densifier import Densifier

        return Densifier()
