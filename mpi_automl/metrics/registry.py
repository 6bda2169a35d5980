"""Finding a metric by its name: names, aliases, names with a number in them, and metrics of the user's own."""

from __future__ import annotations

import copyreg
import importlib
import re
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from mpi_automl.data.task import TaskType
from mpi_automl.data.units import TargetUnits
from mpi_automl.errors import UserError
from mpi_automl.metrics.catalogue import METRICS, pinball_loss, top_k_accuracy
from mpi_automl.metrics.defaults import DEFAULT_METRICS
from mpi_automl.metrics.metric import Metric

ALIASES = {
    "auc": "roc_auc",
    "roc_auc_ovr": "roc_auc",
    "brier": "brier_score",
    "kappa": "cohen_kappa",
    "mcc": "matthews_corrcoef",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "medae": "median_absolute_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_log_error",
    "pinball": "pinball_0.5",
    "rmse": "root_mean_squared_error",
    "rmsle": "root_mean_squared_log_error",
}


def get_metric(name: str, task_type: TaskType, units: TargetUnits | None = None) -> Metric:
    """Find a metric by its name.

    Parameters
    ----------
    name : str
        A name of `metric_names` or an alias (``rmse``); ``auto`` for the task type's default
        (`mpi_automl.metrics.defaults`); ``pinball_0.9`` with any quantile level, ``top_5_accuracy`` with any number; or
        the import path ``package.module:function`` of a `Metric` (see `mpi_automl.metrics.metric.metric`) or of a plain
        function on labels or values whose name ends, as in scikit-learn, in ``_score`` (greater is better, optimum 1)
        or in ``_error``, ``_loss`` or ``_deviance`` (smaller is better, optimum 0).
    task_type : TaskType
    units : TargetUnits, optional
        In which truth and predictions will be given (`Schema.units`); by default those of the table.

    Raises
    ------
    UserError
        If there is no such metric, or it is not defined for the task type.
    """
    if name == "auto":
        name = DEFAULT_METRICS[task_type]
    found = _find(name)
    if task_type not in found.task_types:
        defined = " and ".join(sorted(known.value for known in found.task_types))
        near = [other for other in metric_names(task_type) if other.startswith(name)]
        hint = f"such as {near[0]}" if near else f"which are {', '.join(metric_names(task_type))}"
        raise UserError(
            f"The metric {name} is for {defined} targets and this one is {task_type.value}; "
            f"choose one that fits, {hint}."
        )
    return found if units is None else replace(found, units=units)


def metric_names(task_type: TaskType) -> tuple[str, ...]:
    """Names of the package's metrics for a task type, sorted."""
    return tuple(sorted(name for name, known in METRICS.items() if task_type in known.task_types))


def _find(name: str) -> Metric:
    if ":" in name:
        return _imported(name)
    name = ALIASES.get(name, name)
    if name in METRICS:
        return METRICS[name]
    if match := re.fullmatch(r"pinball_(0?\.\d+)", name):
        return pinball_loss(float(match[1]))
    if match := re.fullmatch(r"top_([1-9]\d*)_accuracy", name):
        return top_k_accuracy(int(match[1]))
    near = get_close_matches(name, [*METRICS, *ALIASES], n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(METRICS))}."
    raise UserError(f"There is no metric {name}; {hint}")


def _imported(path: str) -> Metric:
    module_name, _, attribute = path.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"The metric {path} cannot be imported ({error}); give package.module:function, "
            f"with the package on PYTHONPATH."
        ) from error
    if isinstance(found, Metric):
        return replace(found, name=path)
    if callable(found) and attribute.endswith("_score"):
        return Metric(path, found, frozenset(TaskType))
    if callable(found) and attribute.endswith(("_error", "_loss", "_deviance")):
        return Metric(path, found, frozenset(TaskType), optimum=0.0, greater_is_better=False)
    raise UserError(
        f"The metric {path} does not say whether greater is better; end the function's name in _score, _error or "
        f"_loss, or declare it with the decorator of `from mpi_automl import metric`."
    )


def _unpickled(name: str, units: TargetUnits | None) -> Metric:
    return replace(_find(name), units=units)


# A metric is pickled by its name: functions of the user's own, and those made in place, cannot be pickled themselves.
copyreg.pickle(Metric, lambda metric: (_unpickled, (metric.name, metric.units)))
