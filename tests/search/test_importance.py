"""Importance of hyperparameters: the one that decides is found."""

import numpy as np
from ConfigSpace import Categorical, ConfigurationSpace, Float

from mpi_automl.search.importance import hyperparameter_importance
from mpi_automl.trial import Status


def test_the_hyperparameter_that_decides_comes_first():
    space = ConfigurationSpace({"noise": (0.0, 1.0), "other": (0.0, 1.0)}, seed=1)
    space.add(Float("decides", (0.0, 1.0)), Categorical("kind", ["a", "b"]))
    vectors = np.array([configuration.get_array() for configuration in space.sample_configuration(150)])
    costs = vectors[:, list(space).index("decides")] ** 2
    statuses = np.full(150, Status.SUCCESS, dtype=np.uint8)
    found = hyperparameter_importance(space, vectors, costs, statuses)
    assert next(iter(found)) == "decides"
    assert found["decides"] > 0.5 > max(share for name, share in found.items() if name != "decides")


def test_few_trials_say_nothing():
    space = ConfigurationSpace({"a": (0.0, 1.0)})
    assert hyperparameter_importance(space, np.full((3, 1), 0.5), np.ones(3), np.ones(3, dtype=np.uint8)) == {}
