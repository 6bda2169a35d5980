"""Failures planted on one rank, at each place where ranks are about to meet: ``planted_failures.py RUN``.

RUN is a finished run of the built-in example. All cases run in one launch; every rank prints a line for each, with what
it raised. A case in which a rank waits ends the program, as the others do not come to the barrier after it.
"""

import sys
import time
from argparse import Namespace
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import numpy as np
from mpi4py import MPI

from mpi_automl import AutoMLClassifier
from mpi_automl.errors import UserError
from mpi_automl.parallel.world import World

RANK = MPI.COMM_WORLD.rank
RUN = Path(sys.argv[1])
PLACE = RUN.parent
X = np.random.default_rng(0).random((60, 3))
y = (X[:, 0] > 0.5).astype(int)


@contextmanager
def planted(target, error, ranks):
    """Have a function raise on some ranks."""
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner = import_module(module)
    for step in owners:
        owner = getattr(owner, step)
    original = vars(owner)[name] if isinstance(owner, type) else getattr(owner, name)

    def fail(*arguments, **named):
        raise error

    if RANK in ranks:
        setattr(owner, name, fail)
    try:
        yield
    finally:
        setattr(owner, name, original)


def estimator(name, **more):
    parameters = {"time": 40, "trials": 1, "include": ["classifier:gaussian_nb"], "out": str(PLACE / name), **more}
    return AutoMLClassifier(**parameters)


def fit_with(name, X, y, **more):
    return lambda: estimator(name, **more).fit(X, y)


def verb(name, **given):
    def work():
        arguments = {"directory": RUN, "plugins": (), "metric": None, **given}
        import_module(f"mpi_automl.cli.{name}").run(Namespace(**arguments))

    return work


def planted_in_fit(name, target, error, rank):
    def work():
        with planted(target, error, {rank}):
            estimator(name, store="per-rank").fit(X, y)

    return work


def planted_in(work, target, error, rank):
    def with_it():
        with planted(target, error, {rank}):
            work()

    return with_it


def refit_of(is_fitted_on):
    model = AutoMLClassifier(time=10)
    if RANK in is_fitted_on:
        model.fit_ensemble(directory=str(RUN), comm=MPI.COMM_SELF)
    return lambda: model.refit(X, y)


def ensemble_of_unfitted():
    AutoMLClassifier(time=10).fit_ensemble(directory=str(RUN) if RANK == 0 else None)


PLANTED = UserError("Planted.")
SHARE = verb("predict", table=str(PLACE / "rows.csv"), out=str(PLACE / "out.csv"), proba=False)
IMPORTANCE = verb("importance", table=str(PLACE / "rows.csv"), repeats=1)
EVALUATION = verb(
    "evaluate", table=str(PLACE / "rows.csv"), by=None, metrics="accuracy", level=0.9, resamples=100, seed=0, json=True
)
CASES = {
    "one class on rank 0": fit_with("a", X, y if RANK else 0 * y),
    "no data on rank 0": fit_with("b", X if RANK else None, y),
    "a parameter on rank 1": fit_with("c", X, y, trials=-1 if RANK else 1),
    "the server on rank 1": planted_in_fit(
        "d", "mpi_automl.estimators.servers:_TrialServers.lend", OSError("Planted."), 1
    ),
    "the task on rank 0": planted_in_fit("e", "mpi_automl.estimators.jobs:Data.task", PLANTED, 0),
    "the node's copy on rank 0": planted_in_fit("f", "mpi_automl.parallel.node_data:_write", PLANTED, 0),
    "the plan on rank 0": planted_in_fit("g", "mpi_automl.job.preparation:check_room", PLANTED, 0),
    "the log on rank 1": planted_in_fit("h", "mpi_automl.job.rank_log:RankLog.open", OSError("Planted."), 1),
    "the store on rank 1": planted_in_fit("i", "mpi_automl.storage.store:lay_out", OSError("Planted."), 1),
    "the selection on rank 0": planted_in_fit("j", "mpi_automl.job.conclusion:find_candidates", PLANTED, 0),
    "the conclusion on rank 0": planted_in_fit("k", "mpi_automl.job.conclusion:save_model", PLANTED, 0),
    "refit of a model that rank 1 has not": refit_of({0}),
    "refit of a model that rank 0 has not": refit_of({1}),
    "an ensemble of a run that rank 1 does not know": ensemble_of_unfitted,
    "predictions on rank 1": planted_in(SHARE, "mpi_automl.cli.predict:predicted_frame", PLANTED, 1),
    "writing predictions on rank 0": planted_in(SHARE, "mpi_automl.data.write:_write", OSError("Planted."), 0),
    "evaluation on rank 1": planted_in(EVALUATION, "mpi_automl.ensemble.model:EnsembleModel.predictions", PLANTED, 1),
    "importance on rank 1": planted_in(IMPORTANCE, "mpi_automl.runs.importance:_columns", PLANTED, 1),
    "rebuilding on rank 0": planted_in(
        lambda: AutoMLClassifier().fit_ensemble(directory=str(RUN)), "mpi_automl.runs.rebuild:take_over", PLANTED, 0
    ),
}

if __name__ == "__main__":
    world = World(MPI.COMM_WORLD, time.time())
    for name, work in CASES.items():
        try:
            work()
            ended = "no error"
        except (ValueError, UserError) as error:
            ended = f"{type(error).__name__}: {error}"
        # One write, as the ranks share the stream.
        sys.stdout.write(f"{name} | {RANK} | {' '.join(ended.split())}\n")
        sys.stdout.flush()
        world.wait(30.0)
    # Only rank 0 has data, as the documentation allows.
    fitted = estimator("last").fit(X if RANK == 0 else None, y if RANK == 0 else None)
    fitted.refit(X if RANK == 0 else None, y if RANK == 0 else None)
    sys.stdout.write(
        f"data on rank 0 alone | {RANK} | {fitted.n_features_in_} columns, score {fitted.score(X, y):.2f}\n"
    )
