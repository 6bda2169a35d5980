"""A fitted model after forks, in threads and after a change of the directory; at the end nothing is left."""

import os
import pickle
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer

from mpi_automl import AutoMLClassifier

X, y = load_breast_cancer(return_X_y=True)
SMALL = {"time": 60, "trials": 2, "trial_time": 20, "ensemble_size": 3}
TREES = {"include": ("classifier:decision_tree", "classifier:gaussian_nb"), **SMALL}


def forks():
    automl = AutoMLClassifier(**TREES).fit(X, y)
    expected = automl.predict_proba(X)
    child = os.fork()
    if not child:
        # A forked process ends as Python processes do, with all that is registered for its end.
        sys.exit(0 if np.array_equal(automl.predict_proba(X), expected) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert np.array_equal(automl.predict_proba(X), expected)
    assert len(automl.leaderboard()) == 2
    child = os.fork()
    if not child:
        sys.exit(0 if AutoMLClassifier(**TREES).fit(X, y).score(X, y) > 0.8 else 1)
    assert os.waitpid(child, 0)[1] == 0


def threads():
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: AutoMLClassifier(**TREES).fit(X, y).score(X, y), range(2)))
    assert min(found) > 0.8
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def moves():
    automl = AutoMLClassifier(out="run", **TREES).fit(X, y)
    Path("elsewhere").mkdir()
    os.chdir("elsewhere")
    assert len(automl.leaderboard()) == 2
    assert automl.predict(X).shape == y.shape
    again = pickle.loads(pickle.dumps(automl))
    assert len(again.leaderboard()) == 2
    os.chdir("..")


for part in (forks, threads, moves):
    part()
    print(f"fine: {part.__name__}", flush=True)
