"""Whether a metric can be computed for a target: asked before anything is learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.errors import UserError
from mpi_automl.metrics.metric import Metric


def check_target(metric: Metric, y: NDArray[Any], names: Sequence[str], rows: str = "") -> None:
    """Refuse a target for which a metric is not defined, before anything is learned.

    Parameters
    ----------
    metric : Metric
    y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
        Encoded true values.
    names : sequence of str
        Of the targets.
    rows : str
        Which rows these are, for people.

    Raises
    ------
    UserError
        If a value is outside of the metric's domain, or the metric of values in this unit is beyond float64.
    """
    _check_size(metric, names)
    if metric.domain is None:
        return
    values = (y if metric.units is None else metric.units.restore(y)).reshape(len(y), -1)
    outside = np.argwhere(~metric.domain.holds(values))
    if not len(outside):
        return
    row, column = outside[0]
    works = "root_mean_squared_error" if (values < 0.0).any() else "root_mean_squared_log_error"
    raise UserError(
        f"The metric {metric.name} is defined for {metric.domain}, and target {names[column]} is "
        f"{values[row, column]:.6g} in row {row + 1} {rows}({len(np.unique(outside[:, 0]))} of {len(values)} rows); "
        f"--metric {works} fits this target."
    )


def _check_size(metric: Metric, names: Sequence[str]) -> None:
    if metric.units is None or not metric.degree:
        return
    for name, scale in zip(names, metric.units.scale, strict=True):
        with np.errstate(over="ignore", under="ignore"):
            factor = np.float64(scale) ** metric.degree
        if not np.finfo(np.float64).tiny <= factor < np.inf:
            raise UserError(
                f"The metric {metric.name} cannot be computed for target {name}: squares of numbers near {scale:.2g} "
                "are beyond float64; --metric root_mean_squared_error can."
            )
