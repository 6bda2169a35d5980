"""CatBoost's gradient boosting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context
from mpi_automl.space.components import _boosting_packages, _catboost
from mpi_automl.space.hyperparameters import Hyperparameter
from mpi_automl.space.registry import register


@register
class CatBoost(Component):
    """Ordered boosting of symmetric trees (Prokhorenkova et al., 2018)."""

    step = "classifier"
    name = "catboost"
    properties = _boosting_packages.properties("classifier", "catboost", 23, categories=True)
    hyperparameters = _catboost.HYPERPARAMETERS

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """With the treatment of categories where the table has any."""
        return (*self.hyperparameters, *_catboost.CATEGORICAL) if any(profile.cardinalities) else self.hyperparameters

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from catboost import CatBoostClassifier as Native

        from mpi_automl.space.estimators.catboost_boosting import CatBoostClassifier

        return CatBoostClassifier(Native(**_catboost.arguments(values, context)), context.categories)
