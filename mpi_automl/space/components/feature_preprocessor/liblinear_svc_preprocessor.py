"""Features that a sparse linear support vector machine uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import BINARY_OR_MULTICLASS, Component, Context, Properties
from mpi_automl.space.components import _svm
from mpi_automl.space.registry import register


@register
class LinearSelection(Component):
    """Keeps features with a coefficient other than zero under a penalty on absolute values."""

    step = "feature_preprocessor"
    name = "liblinear_svc_preprocessor"
    properties = Properties(tasks=BINARY_OR_MULTICLASS, sparse=True, output_nonnegative="input", preference=36)
    hyperparameters = (_svm.SVM_C, _svm.LINEAR_TOLERANCE)

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the selector; at least one feature is kept."""
        from sklearn.svm import LinearSVC

        from mpi_automl.space.estimators.feature_selection import SelectAtLeastOne

        learner = LinearSVC(
            C=values["C"],
            penalty="l1",
            dual=False,
            tol=values["tol"],
            class_weight="balanced" if context.balanced else None,
            random_state=context.seed,
        )
        return SelectAtLeastOne(learner)
