"""fit, fit_ensemble and refit on a communicator that is handed over; every rank runs this."""

from mpi4py import MPI
from sklearn.datasets import load_breast_cancer

from mpi_automl import AutoMLClassifier

comm = MPI.COMM_WORLD.Dup()
X, y = load_breast_cancer(return_X_y=True)
include = ("classifier:decision_tree", "classifier:gaussian_nb", "classifier:lda")
automl = AutoMLClassifier(time=60, trials=4, trial_time=20, include=include)
automl.fit(X, y, comm=comm).fit_ensemble(size=6, metric="log_loss", comm=comm)
members = automl.ensemble_
automl.refit(X, y, comm=comm)
assert automl.ensemble_ == members
assert {len(pipelines) for _, pipelines in automl.get_models_with_weights()} == {1}
answers = comm.gather(automl.predict_proba(X).tobytes(), root=0)
if comm.rank == 0:
    assert len(set(answers)) == 1
    assert (automl.predict(X) == y).mean() > 0.9
    print(f"fine: the same on {comm.size} ranks")
