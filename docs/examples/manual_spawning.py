"""Four searches at once and an ensemble of what they found, in a script of one's own.

Breast cancer data; a quarter of the rows is held out. Run it with ``mpirun -n 4 python manual_spawning.py``.
"""

import sys

from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

from mpi_automl import AutoMLClassifier

if __name__ == "__main__":
    seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)

    # Every rank searches with a seed of its own and hears of the others' trials.
    automl = AutoMLClassifier(time=seconds, trial_time=15, ensemble_size=1, models_on_disk=50)
    automl.fit(X_train, y_train, dataset_name="breast cancer")

    # The run is finished; a new ensemble of 20 is built from the best 50 trials of all four ranks.
    automl.fit_ensemble(size=20, nbest=50)

    # mpi4py is imported late: importing it starts MPI, and fit starts a helper process before that.
    from mpi4py import MPI

    if MPI.COMM_WORLD.rank == 0:
        ranks = automl.leaderboard()["mpi_rank"].nunique()
        print(automl.leaderboard(ensemble_only=True)[["ensemble_weight", "type", "value", "mpi_rank"]])
        print(f"Ranks: {ranks}")
        print(f"Accuracy on the held-out quarter: {accuracy_score(y_test, automl.predict(X_test)):.3f}")
