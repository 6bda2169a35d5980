"""LightGBM with early stopping."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from inspect import signature
from typing import Any

from numpy.typing import NDArray

from mpi_automl.space.estimators.early_stopped import BoostingRows, EarlyStoppedClassifier, EarlyStoppedRegressor
from mpi_automl.space.estimators.early_stopping import StoppingRule


class _LightGBM:
    learner_: Any
    categories: Sequence[int]

    def _boost(self, rows: BoostingRows, iterations: int, rule: StoppingRule) -> None:
        from lightgbm.callback import CallbackEnv, EarlyStopException

        def predict(env: CallbackEnv, n_rows: int) -> int:
            some = rows.training[0][:n_rows]
            booster: Any = env.model
            booster.predict(some, num_threads=self.learner_.n_jobs)
            return int(some.shape[0])

        def after_iteration(env: CallbackEnv) -> None:
            rule.measure(env.iteration + 1, partial(predict, env))
            found = env.evaluation_result_list
            value = (1.0 - found[0][2] if found[0][3] else found[0][2]) if found else None
            if rule.should_stop(env.iteration + 1, value) or env.iteration + 1 == env.end_iteration:
                # LightGBM counts from 0; predictions then use the best iteration.
                raise EarlyStopException(rule.best_iteration - 1, found or [])

        self.learner_.set_params(n_estimators=iterations)
        self.learner_.fit(
            *rows.training,
            sample_weight=rows.sample_weight,
            categorical_feature=list(self.categories) or "auto",
            callbacks=[after_iteration],
            **({} if rows.validation is None else _watched(self.learner_, *rows.validation)),
        )


def _watched(learner: Any, X: Any, y: NDArray[Any]) -> dict[str, Any]:
    """Arguments of ``fit`` that name the validation rows: LightGBM 4.7 has other names than versions before."""
    names = signature(learner.fit).parameters
    return {"eval_X": X, "eval_y": y} if "eval_X" in names else {"eval_set": [(X, y)]}


class LightGBMClassifier(_LightGBM, EarlyStoppedClassifier):
    """Early-stopped ``LGBMClassifier``."""


class LightGBMRegressor(_LightGBM, EarlyStoppedRegressor):
    """Early-stopped ``LGBMRegressor``."""
