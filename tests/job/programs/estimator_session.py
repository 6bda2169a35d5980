"""Fit an estimator for the time that the scheduler leaves, on all ranks of a communicator: OUT."""

import sys

from mpi4py import MPI
from sklearn.datasets import load_breast_cancer

from mpi_automl import AutoMLClassifier

X, y = load_breast_cancer(return_X_y=True)
options = {"time": "auto", "trials": 1, "include": ("classifier:gaussian_nb",), "out": sys.argv[1]}
AutoMLClassifier(**options).fit(X, y, comm=MPI.COMM_WORLD)
