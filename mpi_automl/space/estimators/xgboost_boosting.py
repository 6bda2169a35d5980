"""XGBoost with early stopping."""

from __future__ import annotations

from functools import partial
from typing import Any

from mpi_automl.space.estimators.early_stopped import BoostingRows, EarlyStoppedClassifier, EarlyStoppedRegressor
from mpi_automl.space.estimators.early_stopping import StoppingRule

_HIGHER_IS_BETTER = ("auc",)


class _XGBoost:
    learner_: Any

    def _boost(self, rows: BoostingRows, iterations: int, rule: StoppingRule) -> None:
        from xgboost.callback import TrainingCallback

        watched = self.learner_.eval_metric

        def predict(model: Any, n_rows: int) -> int:
            some = rows.training[0][:n_rows]
            model.inplace_predict(some)
            return int(some.shape[0])

        class Stop(TrainingCallback):
            def after_iteration(self, model: Any, epoch: int, evals_log: dict[str, Any]) -> bool:
                rule.measure(epoch + 1, partial(predict, model))
                value = None
                if evals_log:
                    values = next(iter(evals_log.values()))
                    value = next(iter(values.values()))[-1]
                    value = 1.0 - value if watched in _HIGHER_IS_BETTER else value
                return rule.should_stop(epoch + 1, value)

        self.learner_.set_params(n_estimators=iterations, callbacks=[Stop()])
        watched_rows = None if rows.validation is None else [rows.validation]
        self.learner_.fit(*rows.training, sample_weight=rows.sample_weight, eval_set=watched_rows, verbose=False)
        self.learner_.set_params(callbacks=None)
        # Predictions then use the iterations up to the best one.
        self.learner_.get_booster().set_attr(best_iteration=str(rule.best_iteration - 1))


class XGBoostClassifier(_XGBoost, EarlyStoppedClassifier):
    """Early-stopped ``XGBClassifier``."""


class XGBoostRegressor(_XGBoost, EarlyStoppedRegressor):
    """Early-stopped ``XGBRegressor``."""
