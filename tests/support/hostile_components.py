"""A plugin that registers the hostile learners as one component of the search space."""

from __future__ import annotations

from hostile import ACTS, Hostile

from mpi_automl.space.component import CLASSIFICATION, Component, Properties
from mpi_automl.space.hyperparameters import Categorical
from mpi_automl.space.registry import register


@register
class HostileComponent(Component):
    """Any of the acts, as a hyperparameter."""

    step = "classifier"
    name = "hostile"
    properties = Properties(tasks=CLASSIFICATION, preference=1000)
    hyperparameters = (Categorical("kind", tuple(ACTS)),)

    def build(self, values, context):
        return Hostile(values["kind"], context.seed)
