"""When boosting stops: a patience that grows with the iterations, and a deadline."""

from __future__ import annotations

import math
import time

MAX_ITERATIONS = 10_000
"""Early stopping ends nearly every fit long before."""
FIRST_PATIENCE = 50
PATIENCE_SHARE = 0.2
"""Small learning rates improve slowly and late: the patience grows by this share of the iterations."""
LEAST_GAIN = 1e-3
"""Share of the loss: boosting that gains less within its patience does not pay for its time."""


class StoppingRule:
    """Decides after every iteration whether boosting stops.

    Parameters
    ----------
    deadline : float
        On the clock of `time.monotonic`.

    Attributes
    ----------
    best_iteration : int
        Number of iterations, counted from 1, with the best value so far; without values the last iteration.
    is_late : bool
        The deadline ended the fit.
    """

    def __init__(self, deadline: float = math.inf) -> None:
        self._deadline = deadline
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
        self.is_late = time.monotonic() > self._deadline
        return self.is_late or iteration - self._gained_at > FIRST_PATIENCE + PATIENCE_SHARE * self._gained_at
