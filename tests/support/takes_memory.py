"""Learners that use known amounts of memory."""

from __future__ import annotations

import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class TakesMemory(ClassifierMixin, BaseEstimator):
    """Holds so many MiB for a while."""

    def __init__(self, mebibytes: int = 1) -> None:
        self.mebibytes = mebibytes

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        kept = [np.ones(2**17) for _ in range(self.mebibytes)]
        time.sleep(0.2 + 0.0 * len(kept))
        return self

    def predict_proba(self, X):
        return np.full((X.shape[0], len(self.classes_)), 1.0 / len(self.classes_))


class ReadsEverything(TakesMemory):
    """Touches every page of its table."""

    def fit(self, X, y):
        self.sum_ = float(X.sum())
        return super().fit(X, y)
