"""Learners for measuring the overhead of trials."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class NotesMoments(ClassifierMixin, BaseEstimator):
    """Learns nothing; writes two times (seconds since the epoch) to a file."""

    def __init__(self, path: str = "") -> None:
        self.path = path

    def fit(self, X, y):
        self.started_ = time.time()
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        predictions = np.full((X.shape[0], len(self.classes_)), 1.0 / len(self.classes_))
        Path(self.path).write_bytes(np.array([self.started_, time.time()]).tobytes())
        return predictions


class Computes(NotesMoments):
    """Uses the processor for a given CPU time, in seconds."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds

    def fit(self, X, y):
        end = time.process_time() + self.seconds
        self.classes_ = np.unique(y)
        while time.process_time() < end:
            pass
        return self

    def predict_proba(self, X):
        return np.full((X.shape[0], len(self.classes_)), 1.0 / len(self.classes_))
