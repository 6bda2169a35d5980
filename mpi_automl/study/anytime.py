"""How good the best single model of each variant was at each moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mpi_automl.metrics.registry import get_metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.study.comparison import Comparison


# Of fewer runs the range is shown: a confidence interval says little where Student's factor is 4 (three) or 13 (two).
_FEW_RUNS = 4


@dataclass(frozen=True, eq=False)
class Anytime:
    """How good the best single model was at each moment, of one variant.

    Attributes
    ----------
    seconds : ndarray, shape (n_moments,)
    mean, low, high : ndarray, shape (n_moments,)
        Mean, and its 95 % confidence band (of fewer than four runs, their range); NaN before every run has a model.
    """

    seconds: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def table_curves(comparison: Comparison, table: str, moments: int = 120) -> dict[str, Anytime]:
    """Test scores of the incumbents on one table, mean over its runs, by variant."""
    rows = comparison.runs[comparison.runs["table"] == table]
    return {name: _band(grid, values) for name, grid, values in _steps(rows, moments)}


def mean_curves(comparison: Comparison, moments: int = 120) -> dict[str, Anytime]:
    """Share of the way from the first model to the best of all that was left, mean over the tables, by variant.

    The best of all is the best test score that any incumbent of the table had, the first model the worst of the first
    ones. The band is a bootstrap over the tables.
    """
    collected: dict[str, list[NDArray[np.float64]]] = {}
    grid = np.empty(0)
    for table in comparison.tables:
        rows = comparison.runs[comparison.runs["table"] == table]
        steps = list(_steps(rows, moments, _longest(comparison.runs)))
        if not steps:
            continue
        signs = 1.0 if get_metric(rows["optimised"].dropna().iloc[0], _task_type(rows)).greater_is_better else -1.0
        everything = signs * np.concatenate([values for _, _, values in steps])
        best, worst = np.nanmax(everything), np.nanmin(everything)
        if best <= worst:
            continue
        grid = steps[0][1]
        for name, _, values in steps:
            left = (best - signs * values) / (best - worst)
            collected.setdefault(name, []).append(left.mean(axis=0))
    return {name: _bootstrapped(grid, np.array(values)) for name, values in collected.items()}


def _task_type(rows: pd.DataFrame) -> Any:
    from mpi_automl.data.task import TaskType

    return TaskType(rows["task_type"].iloc[0])


def _longest(rows: pd.DataFrame) -> float:
    return float(rows["time"].max())


def _steps(
    rows: pd.DataFrame, moments: int, longest: float | None = None
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """For each variant with curves: its name, moments, and values of its runs, shape (n_runs, n_moments)."""
    if "curve_seconds" not in rows:
        return
    grid = np.linspace(0.0, longest or _longest(rows), moments)
    for name, runs in rows.groupby("variant", sort=False):
        with_curve = [run for _, run in runs.iterrows() if len(run["curve_seconds"])]
        if with_curve:
            yield str(name), grid, np.array([_stepped(run, grid) for run in with_curve])


def _stepped(run: Mapping[str, Any] | pd.Series, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    seconds, values = np.asarray(run["curve_seconds"]), pd.Series(run["curve_test"]).ffill().to_numpy(float)
    position = np.searchsorted(seconds, grid, side="right") - 1
    return np.where(position >= 0, values[np.maximum(position, 0)], np.nan)


def _band(grid: NDArray[np.float64], values: NDArray[np.float64]) -> Anytime:
    """Mean of runs, with Student's interval; a few runs would give one without end, so it is then their range."""
    from scipy.stats import t

    mean = values.mean(axis=0)
    if len(values) < _FEW_RUNS:
        return Anytime(grid, mean, values.min(axis=0), values.max(axis=0))
    half = t.ppf(0.975, len(values) - 1) * values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return Anytime(grid, mean, mean - half, mean + half)


def _bootstrapped(grid: NDArray[np.float64], values: NDArray[np.float64], draws: int = 1000) -> Anytime:
    rng = np.random.default_rng(1)
    means = values[rng.integers(len(values), size=(draws, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return Anytime(grid, values.mean(axis=0), low, high)
