"""Categories become the mean target of their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.space.component import (
    BINARY_OR_MULTICLASS,
    SINGLE_REGRESSION,
    Component,
    Context,
    Properties,
)
from mpi_automl.space.estimators.codes import category_codes
from mpi_automl.space.registry import register

TARGETS = {
    TaskType.BINARY: "binary",
    TaskType.MULTICLASS: "multiclass",
    TaskType.REGRESSION: "continuous",
}


@register
class TargetEncoding(Component):
    """Target encoding with shrinkage (Micci-Barreca, 2001), cross-fitted so that no row sees its own target."""

    step = "categorical_encoding"
    name = "target_encoding"
    properties = Properties(tasks=BINARY_OR_MULTICLASS | SINGLE_REGRESSION, missing=True, max_outputs=20, preference=4)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the encoder, after merging rare categories if that is wanted."""
        from mpi_automl.space.estimators.target_encoding import target_encoder

        encoder = target_encoder(TARGETS[context.profile.task_type], context.seed)
        if context.fraction is None:
            return encoder
        from sklearn.pipeline import make_pipeline

        return make_pipeline(category_codes(context.fraction), encoder)
