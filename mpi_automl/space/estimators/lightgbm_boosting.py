"""LightGBM with early stopping."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.space.estimators.early_stopped import EarlyStoppedClassifier, EarlyStoppedRegressor, Rows
from mpi_automl.space.estimators.early_stopping import StoppingRule


class _LightGBM:
    learner_: Any

    def _boost(
        self,
        rows: Rows,
        sample_weight: NDArray[np.float64] | None,
        validation: Rows | None,
        iterations: int,
        rule: StoppingRule,
    ) -> None:
        from lightgbm.callback import CallbackEnv, EarlyStopException

        def after_iteration(env: CallbackEnv) -> None:
            found = env.evaluation_result_list
            value = (1.0 - found[0][2] if found[0][3] else found[0][2]) if found else None
            if rule.should_stop(env.iteration + 1, value) or env.iteration + 1 == env.end_iteration:
                # LightGBM counts from 0; predictions then use the best iteration.
                raise EarlyStopException(rule.best_iteration - 1, found or [])

        self.learner_.set_params(n_estimators=iterations)
        watched = None if validation is None else [validation]
        self.learner_.fit(*rows, sample_weight=sample_weight, eval_set=watched, callbacks=[after_iteration])


class LightGBMClassifier(_LightGBM, EarlyStoppedClassifier):  # type: ignore[misc]
    """Early-stopped ``LGBMClassifier``."""


class LightGBMRegressor(_LightGBM, EarlyStoppedRegressor):  # type: ignore[misc]
    """Early-stopped ``LGBMRegressor``."""
