"""When boosting stops: a patience that grows with the iterations, and a deadline."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

MAX_ITERATIONS = 10_000
"""Early stopping ends nearly every fit long before."""
FIRST_PATIENCE = 50
PATIENCE_SHARE = 0.2
"""Small learning rates improve slowly and late: the patience grows by this share of the iterations."""
LEAST_GAIN = 1e-3
"""Share of the loss: boosting that gains less within its patience does not pay for its time."""


SAMPLE_ROWS = 2_000
"""Rows on which the pace of predictions is measured."""
FIRST_MEASURED = 8
"""Iterations after which it is measured first, and then each time that their number has doubled."""


class StoppingRule:
    """Decides after every iteration whether boosting stops.

    Parameters
    ----------
    deadline : float
        On the clock of `time.monotonic`: predictions must have been made by then.
    predicted_rows : int
        Rows that are predicted after the fit.

    Attributes
    ----------
    best_iteration : int
        Number of iterations, counted from 1, with the best value so far; without values the last iteration.
    is_late : bool
        The deadline ended the fit.
    """

    def __init__(self, deadline: float = math.inf, predicted_rows: int = 0) -> None:
        self._deadline, self._predicted_rows = deadline, predicted_rows
        self._pace, self._measured_at = 0.0, FIRST_MEASURED // 2
        self._best_loss = self._reference = math.inf
        self._gained_at = 0
        self.best_iteration = 0
        self.is_late = False

    def should_stop(self, iteration: int, loss: float | None) -> bool:
        """Whether the fit ends with this iteration.

        Parameters
        ----------
        iteration : int
            Counted from 1.
        loss : float or None
            Of the validation rows, 0 at the optimum; None without such rows.
        """
        if loss is None:
            self.best_iteration = self._gained_at = iteration
        elif loss < self._best_loss or not self.best_iteration:
            self._best_loss, self.best_iteration = loss, iteration
            if not self._gained_at or self._reference - loss > LEAST_GAIN * abs(self._reference):
                self._reference, self._gained_at = loss, iteration
        self.is_late = time.monotonic() + self._pace * iteration * self._predicted_rows > self._deadline
        return self.is_late or iteration - self._gained_at > FIRST_PATIENCE + PATIENCE_SHARE * self._gained_at

    def measure(self, iteration: int, predict: Callable[[int], int]) -> None:
        """Measure from time to time how long predictions take, which for many rows and iterations is long.

        Parameters
        ----------
        iteration : int
            Counted from 1.
        predict : callable
            Predicts so many rows with all iterations so far, or as many as there are, and gives their number.
        """
        if self._deadline < math.inf and self._predicted_rows and iteration >= 2 * self._measured_at:
            started = time.monotonic()
            rows = predict(SAMPLE_ROWS)
            self._pace = (time.monotonic() - started) / max(rows * iteration, 1)
            self._measured_at = iteration
