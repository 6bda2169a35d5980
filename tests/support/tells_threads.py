"""A learner that tells how many threads it would have."""

from __future__ import annotations

import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from threadpoolctl import threadpool_info


class TellsThreads(ClassifierMixin, BaseEstimator):
    """Fails, and says in its reason how many threads BLAS, OpenMP and joblib would take."""

    def fit(self, X, y):
        np.linalg.svd(X)
        pools = {pool["user_api"]: pool["num_threads"] for pool in threadpool_info()}
        raise ValueError(f"blas {pools['blas']}, openmp {pools['openmp']}, joblib {joblib.effective_n_jobs(-1)}")
