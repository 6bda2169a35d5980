"""LightGBM's gradient boosting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpi_automl.data.task import Profile
from mpi_automl.space.component import Component, Context
from mpi_automl.space.components import _boosting_packages, _lightgbm
from mpi_automl.space.hyperparameters import Hyperparameter
from mpi_automl.space.registry import register


@register
class LightGBM(Component):
    """Gradient boosting of leaf-wise trees (Ke et al., 2017)."""

    step = "classifier"
    name = "lightgbm"
    properties = _boosting_packages.properties("classifier", "lightgbm", 21, categories=True)
    hyperparameters = _lightgbm.HYPERPARAMETERS

    def declare(self, profile: Profile) -> tuple[Hyperparameter, ...]:
        """With the treatment of categories where the table has any."""
        return (*self.hyperparameters, *_lightgbm.CATEGORICAL) if any(profile.cardinalities) else self.hyperparameters

    def build(self, values: Mapping[str, Any], context: Context) -> Any:
        """Make the learner."""
        from lightgbm import LGBMClassifier

        from mpi_automl.space.estimators.lightgbm_boosting import LightGBMClassifier

        return LightGBMClassifier(LGBMClassifier(**_lightgbm.arguments(values, context)), context.categories)
