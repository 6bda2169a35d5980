"""A learner whose trials take a second and next to no core time."""

import time

from mpi_automl.space.component import CLASSIFICATION, Component, Properties
from mpi_automl.space.registry import register


@register
class Unhurried(Component):
    """Naive Bayes that is waited for."""

    step = "classifier"
    name = "unhurried"
    properties = Properties(tasks=CLASSIFICATION)

    def build(self, values, context):
        from sklearn.naive_bayes import GaussianNB

        time.sleep(1.0)
        return GaussianNB()
