"""Metrics of one's own, for ``--metric own_metrics:...``."""

import numpy as np

from mpi_automl import metric
from mpi_automl.data.task import TaskType


@metric(task_types=[TaskType.REGRESSION], optimum=0.0, greater_is_better=False)
def cost_of_error(y, predicted):
    """Mean error, where a prediction that is too low costs three times as much as one that is too high."""
    error = y - predicted
    return float(np.mean(np.where(error > 0, 3 * error, -error)))
