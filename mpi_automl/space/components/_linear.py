"""What linear models have in common."""

from __future__ import annotations

from mpi_automl.space.hyperparameters import Float

TOLERANCE = Float("tol", 1e-5, 0.1, 1e-4, log=True)
SVM_C = Float("C", 0.03125, 32768.0, 1.0, log=True)
EPSILON = Float("epsilon", 0.001, 1.0, 0.1, log=True)
