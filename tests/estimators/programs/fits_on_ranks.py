"""Fits of single ranks without a directory of their own, and a collective fit in threads."""

import threading
from pathlib import Path

from mpi4py import MPI
from sklearn.datasets import load_breast_cancer

from mpi_automl import AutoMLClassifier

X, y = load_breast_cancer(return_X_y=True)
TREES = {"time": 60, "trials": 2, "trial_time": 20, "include": ("classifier:decision_tree", "classifier:gaussian_nb")}
comm = MPI.COMM_WORLD

alone = AutoMLClassifier(**TREES)
comm.Barrier()
alone.fit(X, y, comm=MPI.COMM_SELF)
places = comm.allgather(alone.run_directory_)
assert len(set(places)) == comm.size, places
assert all(Path(place).is_absolute() for place in places)

together = AutoMLClassifier(**TREES)
failures = []


def fit():
    try:
        together.fit(X, y)
    except BaseException as error:  # noqa: BLE001  # a thread's exception is lost
        failures.append(error)


thread = threading.Thread(target=fit)
thread.start()
thread.join()
assert not failures, failures
assert set(together.leaderboard()["mpi_rank"]) == set(range(comm.size))
comm.Barrier()
if comm.rank == 0:
    print("fine: one run for each rank, and one of all in threads")
