"""Learners that behave badly, registered from outside the package as a user's own would be."""

from __future__ import annotations

import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from mpi_automl.space.component import CLASSIFICATION, Component, Properties
from mpi_automl.space.registry import register


class _Planted(ClassifierMixin, BaseEstimator):
    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.misbehave()
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


class Raising(_Planted):
    def misbehave(self):
        raise ValueError("planted to fail")


class Endless(_Planted):
    def misbehave(self):
        while True:
            time.sleep(0.01)


class Greedy(_Planted):
    def misbehave(self):
        self.hoard = []
        while True:
            self.hoard.append(np.ones(2**20))


class _PlantedComponent(Component):
    step = "classifier"
    properties = Properties(tasks=CLASSIFICATION, missing=True, weight=0.5)
    learner: type

    def build(self, values, context):
        return self.learner()


@register
class RaisingComponent(_PlantedComponent):
    name = "raising"
    learner = Raising


@register
class EndlessComponent(_PlantedComponent):
    name = "endless"
    learner = Endless


@register
class GreedyComponent(_PlantedComponent):
    name = "greedy"
    learner = Greedy
