"""A search space without a search: the first entry of a vector is the number of a learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from mpi_automl.data.task import Profile
from mpi_automl.space.component import StagedFitting
from mpi_automl.space.space import Candidate


@dataclass(frozen=True, eq=False)
class PlainSpace:
    """Builds one of some given learners, each with its staged fitting."""

    profile: Profile
    learners: tuple[tuple[BaseEstimator, StagedFitting | None], ...]

    def build(self, vector: np.ndarray, seed: int, threads: int = 1, metric_kind: object = None) -> Candidate:
        learner, staged_fitting = self.learners[int(vector[0])]
        made: Any = clone(learner)
        if "random_state" in made.get_params():
            made.set_params(random_state=seed)
        name = "classifier" if self.profile.task_type.is_classification else "regressor"
        return Candidate(Pipeline([(name, made)]), staged_fitting, balanced=False)
