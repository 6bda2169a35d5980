"""What a fitted estimator tells of rows whose target is known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from mpi_automl.data.table import unknown_column
from mpi_automl.errors import UserError
from mpi_automl.estimators.checked_input import CheckedInputMixin
from mpi_automl.estimators.fitted_model import FittedModelMixin, check_origin
from mpi_automl.estimators.jobs import in_own_words
from mpi_automl.metrics.bootstrap import Bootstrap
from mpi_automl.option_types import names
from mpi_automl.parallel.world import World
from mpi_automl.runs.evaluate import Evaluation, Groups, baseline_prediction, evaluate_model
from mpi_automl.runs.run import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class EvaluationMixin(CheckedInputMixin, FittedModelMixin):
    """Gives an estimator `evaluate`."""

    def evaluate(
        self,
        X: Any,
        y: Any,
        *,
        by: Any = None,
        metrics: str | Sequence[str] = (),
        level: float = 0.95,
        resamples: int = 1000,
        seed: int = 0,
    ) -> Evaluation:
        """Score predictions by all metrics that fit, with bootstrap intervals, classes, groups and the baseline.

        It works in this process alone, also under a launcher.

        Parameters
        ----------
        X : DataFrame, ndarray or sparse matrix, shape (n_rows, n_columns)
            Rows with the columns of the training table.
        y : array-like, shape (n_rows,) or (n_rows, n_targets)
            True labels or values.
        by : str or array-like, shape (n_rows,), optional
            A column of the DataFrame `X`, or the group of each row: metrics are also computed for each group.
        metrics : str or sequence of str, default=()
            Names of metrics; by default all that fit the target, and for groups the one that the ensemble was selected
            by.
        level : float, default=0.95
            Confidence level of the intervals.
        resamples : int, default=1000
            Bootstrap resamples of the rows; 0 for no intervals.
        seed : int, default=0
            Seed of the resamples.

        Returns
        -------
        mpi_automl.runs.evaluate.Evaluation
            With the DataFrames ``metrics``, ``classes`` and ``groups``. The baseline is NaN when the run directory is
            gone.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the columns do not fit the training table, targets are missing, or a label, metric or column is unknown.
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        check_consistent_length(X, y)

        def evaluated() -> Evaluation:
            return evaluate_model(
                World(None, time.time()),
                self.model_,
                X,
                y,
                baseline=self._baseline(),
                metrics=names(metrics),
                groups=None if by is None else _groups(X, by),
                bootstrap=Bootstrap(level, resamples, seed),
            )

        evaluation: Evaluation = in_own_words(evaluated)
        return evaluation

    def _baseline(self) -> NDArray[np.float64] | None:
        """What the run's baseline predicts; None if the run is gone, which a fitted estimator outlives."""
        run = Run(self.run_directory_, plugins=self._trusted)
        try:
            check_origin(self.model_, run)
        except UserError:
            return None
        return baseline_prediction(run)


def _groups(X: Any, by: Any) -> Groups:
    """The groups of the rows, from a column or from one value for each row."""
    if not isinstance(by, str):
        check_consistent_length(X, by)
        return Groups(str(getattr(by, "name", None) or "group"), pd.Series(by).reset_index(drop=True))
    columns = [str(name) for name in getattr(X, "columns", ())]
    if by not in columns:
        raise unknown_column(by, columns, "by")
    return Groups(by, pd.Series(X[by]).reset_index(drop=True))
