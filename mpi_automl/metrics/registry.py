"""The metrics a run can optimise or report: what each needs, its task types, optimum and direction.

Inside the package only the cost counts, which is minimised and zero at the optimum. `Metric.value` is the number
as the literature has it (a log loss of 0.3), `Metric.score` the same with the sign turned where smaller is better.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType, decide
from mpi_automl.errors import UserError
from mpi_automl.metrics import scoring

_BINARY = frozenset({TaskType.BINARY})
_MULTICLASS = frozenset({TaskType.MULTICLASS})
_MULTILABEL = frozenset({TaskType.MULTILABEL})
_CLASSES = _BINARY | _MULTICLASS
_LABELS = _CLASSES | _MULTILABEL
_SINGLE = frozenset({TaskType.REGRESSION})
_VALUES = _SINGLE | {TaskType.MULTIOUTPUT}


class Needs(str, Enum):
    """What the function of a metric takes as its second argument."""

    LABELS = "labels"
    """Codes of the decided classes, label indicators, or values: shaped as `y`."""
    PROBABILITIES = "probabilities"
    """All predictions, shape (n_rows, n_outputs)."""
    THRESHOLDS = "thresholds"
    """For two classes the probabilities of the second one, shape (n_rows,); else as probabilities."""


@dataclass(frozen=True)
class Metric:
    """A way to score predictions.

    Attributes
    ----------
    name : str
        Its name, or the import path of a user's own.
    function : callable
        Takes the true values and what `needs` says, both as float64 or int64 arrays; returns a float.
    task_types : frozenset of TaskType
        Where the metric is defined.
    needs : Needs
    optimum : float
        The best value there is, as `value` has it.
    greater_is_better : bool
    """

    name: str
    function: Callable[[NDArray[Any], NDArray[Any]], float]
    task_types: frozenset[TaskType]
    needs: Needs = Needs.LABELS
    optimum: float = 1.0
    greater_is_better: bool = True

    def value(self, y: NDArray[Any], predictions: NDArray[Any], task_type: TaskType) -> float:
        """The metric as the literature has it; NaN where it is not defined for these rows.

        Parameters
        ----------
        y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
            Class codes, label indicators or values.
        predictions : ndarray, shape (n_rows, n_outputs)
            Class or label probabilities, or values, of any float type.
        task_type : TaskType

        Raises
        ------
        ValueError
            If predictions are not finite, or outside of where the metric is defined.
        """
        if not np.isfinite(predictions).all():
            raise ValueError("the predictions contain NaN or infinity")
        return float(self.function(y, _prepared(predictions, self.needs, task_type)))

    def score(self, y: NDArray[Any], predictions: NDArray[Any], task_type: TaskType) -> float:
        """The value with the sign turned where smaller is better, so that greater is always better."""
        value = self.value(y, predictions, task_type)
        return value if self.greater_is_better else -value

    def cost(self, y: NDArray[Any], predictions: NDArray[Any], task_type: TaskType) -> float:
        """The distance to the optimum, to be minimised."""
        return float(self.cost_of(self.value(y, predictions, task_type)))

    def cost_of(self, value: Any) -> Any:
        """The cost that belongs to a value (or to an array of them)."""
        return self.optimum - value if self.greater_is_better else value - self.optimum

    def value_of(self, cost: Any) -> Any:
        """The value that belongs to a cost (or to an array of them)."""
        return self.optimum - cost if self.greater_is_better else cost + self.optimum

    def __reduce__(self) -> tuple[Callable[[str], Metric], tuple[str]]:
        return _find, (self.name,)


def _prepared(predictions: NDArray[Any], needs: Needs, task_type: TaskType) -> NDArray[Any]:
    if needs is Needs.LABELS:
        decided = decide(predictions, task_type)
        return decided if task_type.is_classification else decided.astype(np.float64)
    if needs is Needs.THRESHOLDS and task_type is TaskType.BINARY:
        predictions = predictions[:, 1]
    return predictions.astype(np.float64)


@dataclass(frozen=True)
class _ScikitLearn:
    """A function of scikit-learn's, imported when it is first called: importing this module must be quick."""

    name: str
    options: tuple[tuple[str, Any], ...] = ()

    def __call__(self, y: NDArray[Any], prepared: NDArray[Any]) -> float:
        function = getattr(importlib.import_module("sklearn.metrics"), self.name)
        return float(function(y, prepared, **dict(self.options)))


def metric(
    *,
    task_types: Iterable[TaskType | str] = tuple(TaskType),
    needs: Needs | str = Needs.LABELS,
    optimum: float = 1.0,
    greater_is_better: bool = True,
) -> Callable[[Callable[..., float]], Metric]:
    """Declare a function of the user's own as a metric (a decorator).

    Name it to a run by its import path, ``package.module:function``.

    Parameters
    ----------
    task_types : iterable of TaskType or str
        Where it is defined; by default everywhere.
    needs : {"labels", "probabilities", "thresholds"}
        What the function takes as its second argument, see `Needs`.
    optimum : float
        The best value there is.
    greater_is_better : bool

    Examples
    --------
    >>> @metric(task_types=["binary"], needs="thresholds", optimum=0.0, greater_is_better=False)
    ... def expected_loss(y, probability):
    ...     return float((5.0 * y * (1.0 - probability) + (1 - y) * probability).mean())
    """

    def declare(function: Callable[..., float]) -> Metric:
        path = f"{function.__module__}:{function.__qualname__}"
        types = frozenset(TaskType(task_type) for task_type in task_types)
        return Metric(path, function, types, Needs(needs), float(optimum), greater_is_better)

    return declare


def get_metric(name: str, task_type: TaskType) -> Metric:
    """Find a metric by its name.

    Parameters
    ----------
    name : str
        A name of `metric_names` or an alias (``rmse``); ``auto``; ``pinball_0.9`` with any quantile level,
        ``top_5_accuracy`` with any number; or the import path ``package.module:function`` of a `Metric`
        (see `metric`) or of a plain function on labels or values whose name ends, as in scikit-learn, in
        ``_score`` (greater is better, optimum 1) or in ``_error``, ``_loss`` or ``_deviance`` (smaller is
        better, optimum 0).
    task_type : TaskType

    Raises
    ------
    UserError
        If there is no such metric, or it is not defined for the task type.
    """
    if name == "auto":
        name = _DEFAULTS[task_type]
    found = _find(name)
    if task_type not in found.task_types:
        defined = " and ".join(sorted(known.value for known in found.task_types))
        near = [other for other in metric_names(task_type) if other.startswith(name)]
        hint = f"such as {near[0]}" if near else f"which are {', '.join(metric_names(task_type))}"
        raise UserError(
            f"The metric {name} is for {defined} targets and this one is {task_type.value}; "
            f"choose one that fits, {hint}."
        )
    return found


def metric_names(task_type: TaskType) -> tuple[str, ...]:
    """Names of the package's metrics for a task type, sorted."""
    return tuple(sorted(name for name, known in _METRICS.items() if task_type in known.task_types))


def _find(name: str) -> Metric:
    if ":" in name:
        return _imported(name)
    name = _ALIASES.get(name, name)
    if name in _METRICS:
        return _METRICS[name]
    if match := re.fullmatch(r"pinball_(0?\.\d+)", name):
        return _pinball(float(match[1]))
    if match := re.fullmatch(r"top_([1-9]\d*)_accuracy", name):
        return _top(int(match[1]))
    near = get_close_matches(name, [*_METRICS, *_ALIASES], n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(_METRICS))}."
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
        f"_loss, or declare it with mpi_automl.metrics.registry.metric."
    )


def _pinball(level: float) -> Metric:
    function = _ScikitLearn("mean_pinball_loss", (("alpha", level),))
    return Metric(f"pinball_{level:g}", function, _VALUES, optimum=0.0, greater_is_better=False)


@dataclass(frozen=True)
class _TopK:
    k: int

    def __call__(self, y: NDArray[Any], predictions: NDArray[Any]) -> float:
        return scoring.top_k_accuracy(y, predictions, self.k)


def _top(k: int) -> Metric:
    return Metric(f"top_{k}_accuracy", _TopK(k), _MULTICLASS, Needs.PROBABILITIES)


def _weighted_auc(y: NDArray[Any], predictions: NDArray[Any]) -> float:
    return scoring.roc_auc(y, predictions, weighted=True)


def _weighted_auc_ovo(y: NDArray[Any], predictions: NDArray[Any]) -> float:
    return scoring.roc_auc_ovo(y, predictions, weighted=True)


def _averaged() -> Iterable[Metric]:
    """Precision, recall, F and Jaccard: of the second of two classes, and averaged over classes, labels or rows.

    A row without labels for which none is predicted is right for F and Jaccard.
    """
    families: dict[str, tuple[str, tuple[tuple[str, Any], ...]]] = {
        "precision": ("precision_score", ()),
        "recall": ("recall_score", ()),
        "f1": ("f1_score", ()),
        "f2": ("fbeta_score", (("beta", 2.0),)),
        "f0.5": ("fbeta_score", (("beta", 0.5),)),
        "jaccard": ("jaccard_score", ()),
    }
    averages = {"binary": _BINARY, "macro": _LABELS, "micro": _LABELS, "weighted": _LABELS, "samples": _MULTILABEL}
    for family, (function, options) in families.items():
        for average, types in averages.items():
            name = family if average == "binary" else f"{family}_{average}"
            nothing = 1.0 if average == "samples" and family not in ("precision", "recall") else 0.0
            facts = (*options, ("average", average), ("zero_division", nothing))
            yield Metric(name, _ScikitLearn(function, facts), types)


def _classification() -> Iterable[Metric]:
    yield Metric("accuracy", scoring.accuracy, _LABELS)
    yield Metric("balanced_accuracy", scoring.balanced_accuracy, _CLASSES)
    yield Metric("matthews_corrcoef", _ScikitLearn("matthews_corrcoef"), _CLASSES)
    yield Metric("cohen_kappa", _ScikitLearn("cohen_kappa_score"), _CLASSES)
    for weights in ("linear", "quadratic"):
        yield Metric(f"cohen_kappa_{weights}", _ScikitLearn("cohen_kappa_score", (("weights", weights),)), _CLASSES)
    yield Metric("hamming_loss", _ScikitLearn("hamming_loss"), _LABELS, optimum=0.0, greater_is_better=False)
    yield Metric("zero_one_loss", _ScikitLearn("zero_one_loss"), _LABELS, optimum=0.0, greater_is_better=False)
    yield Metric("log_loss", scoring.log_loss, _LABELS, Needs.PROBABILITIES, 0.0, False)
    yield Metric("brier_score", scoring.brier_score, _LABELS, Needs.PROBABILITIES, 0.0, False)
    yield Metric("d2_log_loss", scoring.d2_log_loss, _CLASSES, Needs.PROBABILITIES)
    yield Metric("d2_brier_score", scoring.d2_brier, _CLASSES, Needs.PROBABILITIES)
    yield Metric("roc_auc", scoring.roc_auc, _LABELS, Needs.PROBABILITIES)
    yield Metric("roc_auc_weighted", _weighted_auc, _MULTICLASS | _MULTILABEL, Needs.PROBABILITIES)
    yield Metric("roc_auc_ovo", scoring.roc_auc_ovo, _MULTICLASS, Needs.PROBABILITIES)
    yield Metric("roc_auc_ovo_weighted", _weighted_auc_ovo, _MULTICLASS, Needs.PROBABILITIES)
    yield Metric("average_precision", scoring.average_precision, _LABELS, Needs.PROBABILITIES)
    yield from (_top(k) for k in (2, 3, 5))
    for name, function, optimum in (
        ("label_ranking_average_precision", "label_ranking_average_precision_score", 1.0),
        ("ndcg", "ndcg_score", 1.0),
        ("label_ranking_loss", "label_ranking_loss", 0.0),
    ):
        yield Metric(name, _ScikitLearn(function), _MULTILABEL, Needs.PROBABILITIES, optimum, optimum == 1.0)


def _regression() -> Iterable[Metric]:
    for name in (
        "mean_absolute_error",
        "mean_squared_error",
        "root_mean_squared_error",
        "mean_squared_log_error",
        "root_mean_squared_log_error",
        "median_absolute_error",
        "mean_absolute_percentage_error",
    ):
        yield Metric(name, _ScikitLearn(name), _VALUES, optimum=0.0, greater_is_better=False)
    for name in ("max_error", "mean_poisson_deviance", "mean_gamma_deviance"):
        yield Metric(name, _ScikitLearn(name), _SINGLE, optimum=0.0, greater_is_better=False)
    yield from (_pinball(level) for level in (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95))
    yield Metric("r2", _ScikitLearn("r2_score"), _VALUES)
    yield Metric("explained_variance", _ScikitLearn("explained_variance_score"), _VALUES)
    yield Metric("d2_absolute_error", _ScikitLearn("d2_absolute_error_score"), _VALUES)
    for name, power in (("d2_poisson", 1.0), ("d2_gamma", 2.0)):
        yield Metric(name, _ScikitLearn("d2_tweedie_score", (("power", power),)), _SINGLE)


_METRICS = {known.name: known for family in (_averaged, _classification, _regression) for known in family()}

_ALIASES = {
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

_DEFAULTS = {
    TaskType.BINARY: "accuracy",
    TaskType.MULTICLASS: "accuracy",
    TaskType.MULTILABEL: "f1_macro",
    TaskType.REGRESSION: "r2",
    TaskType.MULTIOUTPUT: "r2",
}
