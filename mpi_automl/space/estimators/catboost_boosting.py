"""CatBoost with early stopping, and categories as it wants them."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.space.estimators.early_stopped import BoostingRows, EarlyStoppedClassifier, EarlyStoppedRegressor
from mpi_automl.space.estimators.early_stopping import StoppingRule

_HIGHER_IS_BETTER = ("AUC",)


class _CatBoost:
    learner_: Any
    categories: Sequence[int]

    def _boost(self, rows: BoostingRows, iterations: int, rule: StoppingRule) -> None:
        watched = self.learner_.get_params().get("eval_metric")

        def after_iteration(info: SimpleNamespace) -> bool:
            values = info.metrics.get("validation") if info.metrics else None
            value = None if not values else values[watched or next(iter(values))][-1]
            if value is not None and watched in _HIGHER_IS_BETTER:
                value = 1.0 - value
            return not rule.should_stop(info.iteration, value)

        self.learner_.set_params(iterations=iterations)
        (X, y), watched_rows = rows.training, rows.validation
        self.learner_.fit(
            self._with_categories(X),
            y,
            cat_features=list(self.categories) or None,
            sample_weight=rows.sample_weight,
            eval_set=None if watched_rows is None else (self._with_categories(watched_rows[0]), watched_rows[1]),
            use_best_model=watched_rows is not None,
            callbacks=[SimpleNamespace(after_iteration=after_iteration)],
        )

    def _with_categories(self, X: Any) -> Any:
        """The table as a DataFrame in which category codes are integers: CatBoost refuses floats for categories."""
        if not self.categories:
            return X
        import pandas as pd

        table = pd.DataFrame(X, columns=range(X.shape[1]))
        return table.astype(dict.fromkeys(self.categories, np.int32))


class CatBoostClassifier(_CatBoost, EarlyStoppedClassifier):
    """Early-stopped ``CatBoostClassifier``."""

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, shape (n_rows, n_classes)."""
        return super().predict_proba(self._with_categories(X))


class CatBoostRegressor(_CatBoost, EarlyStoppedRegressor):
    """Early-stopped ``CatBoostRegressor``."""

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predictions, shape (n_rows,)."""
        return super().predict(self._with_categories(X))
