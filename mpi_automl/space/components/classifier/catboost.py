"""CatBoost's gradient boosting, if the package is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.space.component import Component, Context
from mpi_automl.space.components import _boosting_packages, _catboost
from mpi_automl.space.registry import register


@register
class CatBoost(Component):
    """Ordered boosting of symmetric trees (Prokhorenkova et al., 2018)."""

    step = "classifier"
    name = "catboost"
    properties = _boosting_packages.properties("classifier", "catboost", "classifier__iterations", 23)
    hyperparameters = _catboost.HYPERPARAMETERS

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from catboost import CatBoostClassifier

        from mpi_automl.space.estimators.cloned import RecodedClassifier

        return RecodedClassifier(CatBoostClassifier(**_catboost.arguments(values, context)))
