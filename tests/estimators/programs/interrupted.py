"""Fits that are interrupted: ``interrupted.py WAY OUT``."""

import signal
import sys

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_val_score

from mpi_automl import AutoMLClassifier

# Shells start what runs in the background with SIGINT ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
way, out = sys.argv[1:]
X, y = load_breast_cancer(return_X_y=True)
LONG = {
    "time": 300,
    "trial_time": 20,
    "ensemble_size": 3,
    "include": ("classifier:decision_tree", "classifier:gaussian_nb"),
}


class Counted(AutoMLClassifier):
    def fit(self, X, y, **more):
        print("fit", flush=True)
        return super().fit(X, y, **more)


if way == "cross_val_score":
    cross_val_score(Counted(**LONG), X, y, cv=3)
elif way == "loop":
    for number in range(3):
        Counted(out=f"{out}-{number}", **LONG).fit(X, y)
elif way == "n_jobs":
    automl = Counted(n_jobs=2, out=out, **LONG)
    try:
        automl.fit(X, y)
    except KeyboardInterrupt as error:
        print(error)
        print("score", automl.score(X, y))
elif way == "ranks":
    Counted(out=out, **LONG).fit(X, y)
    print("the fit returned")
