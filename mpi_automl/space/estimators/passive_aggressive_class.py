"""The passive-aggressive classifier of scikit-learn before 1.8; later ones are about to lose the class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import PassiveAggressiveClassifier

from mpi_automl.space.estimators.softmax import decision_probabilities


class ProbabilisticPassiveAggressive(PassiveAggressiveClassifier):  # type: ignore[misc]
    """`PassiveAggressiveClassifier` with ``predict_proba``."""

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Squashed decision values, shape (n_rows, n_classes)."""
        return decision_probabilities(self.decision_function(X))
