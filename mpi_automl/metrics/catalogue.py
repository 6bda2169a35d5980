"""The package's metrics: each with its function, task types, optimum, direction and fast form.

Add a metric here. Its fast form (`mpi_automl.metrics.metric.Metric.fast_scorers`) is optional: without one, ensemble
selection calls the metric's function once for each candidate.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType
from mpi_automl.metrics import confusion, score_functions
from mpi_automl.metrics.domain import Domain
from mpi_automl.metrics.label_scores import ConfusionScorer, MultilabelScorer, RecallScorer
from mpi_automl.metrics.log_loss import LogLossScorer
from mpi_automl.metrics.metric import Metric, Needs, ScorerFactory
from mpi_automl.metrics.regression_scores import (
    RegressionScorer,
    brier_scorer,
    mean_absolute_error,
    mean_squared_error,
    r2_scorer,
    root_mean_squared_error,
)
from mpi_automl.metrics.roc_auc import RocAucScorer

_BINARY = frozenset({TaskType.BINARY})
_MULTICLASS = frozenset({TaskType.MULTICLASS})
_MULTILABEL = frozenset({TaskType.MULTILABEL})
_CLASSES = _BINARY | _MULTICLASS
_LABELS = _CLASSES | _MULTILABEL
_SINGLE = frozenset({TaskType.REGRESSION})
_VALUES = _SINGLE | {TaskType.MULTIOUTPUT}

_AMOUNTS = Domain(floor=0.0)
_COUNTS = Domain(floor=1e-6)
_POSITIVE = Domain(zero=False, floor=0.1)
_NOT_ZERO = Domain(zero=False, negative=True)

_MEANS = ("mean_absolute_error", "mean_squared_error", "mean_squared_log_error", "mean_absolute_percentage_error")
"""Errors that are means over rows."""


@dataclass(frozen=True)
class _ScikitLearn:
    """A function of scikit-learn's, imported when it is first called: importing this module must be quick."""

    name: str
    options: tuple[tuple[str, Any], ...] = ()

    def __call__(self, y: NDArray[Any], prepared: NDArray[Any]) -> float:
        function = getattr(importlib.import_module("sklearn.metrics"), self.name)
        return float(function(y, prepared, **dict(self.options)))

    def of_rows(self, y: NDArray[Any], predictions: NDArray[Any]) -> NDArray[Any]:
        """An error of values for each row, shape (n_rows,): each is an output of its own for scikit-learn."""
        function = getattr(importlib.import_module("sklearn.metrics"), self.name)
        flat = (values.reshape(1, -1) for values in (y, predictions))
        errors: NDArray[Any] = function(*flat, multioutput="raw_values", **dict(self.options))
        return np.asarray(errors.reshape(len(y), -1).mean(axis=1))

    def of_single_rows(self, y: NDArray[Any], predictions: NDArray[Any]) -> NDArray[Any]:
        """A mean over rows for each row, shape (n_rows,), in as many calls."""
        return np.array([self(y[[row]], predictions[[row]]) for row in range(len(y))])


def pinball_loss(level: float) -> Metric:
    """The pinball loss of a quantile level in (0, 1)."""
    function = _ScikitLearn("mean_pinball_loss", (("alpha", level),))
    facts: dict[str, Any] = {"optimum": 0.0, "greater_is_better": False, "row_function": function.of_rows}
    return Metric(f"pinball_{level:g}", function, _VALUES, degree=1, **facts)


def top_k_accuracy(k: int) -> Metric:
    """Whether the true class is among the `k` most probable ones."""
    function, hits = partial(score_functions.top_k_accuracy, k=k), partial(score_functions.top_k_hits, k=k)
    return Metric(f"top_{k}_accuracy", function, _MULTICLASS, Needs.PROBABILITIES, row_function=hits)


def _averaged() -> Iterable[Metric]:
    """Precision, recall, F and Jaccard: of the second of two classes, and averaged over classes, labels or rows.

    A row without labels for which none is predicted is right for F and Jaccard.
    """
    families: dict[str, tuple[str, tuple[tuple[str, Any], ...], confusion.CountScore]] = {
        "precision": ("precision_score", (), confusion.precision),
        "recall": ("recall_score", (), confusion.recall),
        "f1": ("f1_score", (), confusion.f_score(1.0)),
        "f2": ("fbeta_score", (("beta", 2.0),), confusion.f_score(2.0)),
        "f0.5": ("fbeta_score", (("beta", 0.5),), confusion.f_score(0.5)),
        "jaccard": ("jaccard_score", (), confusion.jaccard),
    }
    averages = {"binary": _BINARY, "macro": _LABELS, "micro": _LABELS, "weighted": _LABELS, "samples": _MULTILABEL}
    for family, (function, options, of_counts) in families.items():
        for average, types in averages.items():
            name = family if average == "binary" else f"{family}_{average}"
            nothing = 1.0 if average == "samples" and family not in ("precision", "recall") else 0.0
            facts = (*options, ("average", average), ("zero_division", nothing))
            # A mean over rows does not follow from counts of classes.
            if average == "samples":
                of_rows = partial(confusion.of_rows, score=of_counts, nothing=nothing)
                yield Metric(name, _ScikitLearn(function, facts), types, row_function=of_rows)
            else:
                scorers = _count_scorers(of_counts, average)
                yield Metric(name, _ScikitLearn(function, facts), types, fast_scorers=scorers)


def _count_scorers(of_counts: confusion.CountScore, average: str) -> dict[TaskType, ScorerFactory]:
    of_classes = partial(ConfusionScorer, score=confusion.averaged(of_counts, average))
    of_labels = partial(MultilabelScorer, score=confusion.averaged(of_counts, average, every_class=True))
    return {TaskType.BINARY: of_classes, TaskType.MULTICLASS: of_classes, TaskType.MULTILABEL: of_labels}


def _decisions() -> Iterable[Metric]:
    """Metrics of the decided classes or labels."""
    accuracy = dict.fromkeys(_CLASSES, partial(RecallScorer, score=confusion.accuracy))
    balanced_accuracy = dict.fromkeys(_CLASSES, partial(RecallScorer, score=confusion.balanced_accuracy))
    matthews_corrcoef = dict.fromkeys(_CLASSES, partial(ConfusionScorer, score=confusion.matthews_corrcoef))
    cohen_kappa = dict.fromkeys(_CLASSES, partial(ConfusionScorer, score=confusion.cohen_kappa))
    right = score_functions.right_rows
    yield Metric("accuracy", score_functions.accuracy, _LABELS, fast_scorers=accuracy, row_function=right)
    yield Metric("balanced_accuracy", score_functions.balanced_accuracy, _CLASSES, fast_scorers=balanced_accuracy)
    yield Metric("matthews_corrcoef", _ScikitLearn("matthews_corrcoef"), _CLASSES, fast_scorers=matthews_corrcoef)
    yield Metric("cohen_kappa", _ScikitLearn("cohen_kappa_score"), _CLASSES, fast_scorers=cohen_kappa)
    for weights in ("linear", "quadratic"):
        yield Metric(f"cohen_kappa_{weights}", _ScikitLearn("cohen_kappa_score", (("weights", weights),)), _CLASSES)
    wrong = {"hamming_loss": score_functions.wrong_shares, "zero_one_loss": score_functions.wrong_rows}
    for name, of_rows in wrong.items():
        yield Metric(name, _ScikitLearn(name), _LABELS, optimum=0.0, greater_is_better=False, row_function=of_rows)


def _probabilities() -> Iterable[Metric]:
    """Metrics of the probabilities of classes or labels."""
    log_loss = dict.fromkeys(_CLASSES, LogLossScorer)
    brier_score = dict.fromkeys(_LABELS, brier_scorer)
    roc_auc = dict.fromkeys(_CLASSES, RocAucScorer)
    several = _MULTICLASS | _MULTILABEL
    weighted = partial(score_functions.roc_auc, weighted=True)
    ovo_weighted = partial(score_functions.roc_auc_ovo, weighted=True)
    for name, function, of_rows, scorers in (
        ("log_loss", score_functions.log_loss, score_functions.log_losses, log_loss),
        ("brier_score", score_functions.brier_score, score_functions.brier_scores, brier_score),
    ):
        yield Metric(name, function, _LABELS, Needs.PROBABILITIES, 0.0, False, scorers, row_function=of_rows)
    yield Metric("d2_log_loss", score_functions.d2_log_loss, _CLASSES, Needs.PROBABILITIES)
    yield Metric("d2_brier_score", score_functions.d2_brier, _CLASSES, Needs.PROBABILITIES)
    yield Metric("roc_auc", score_functions.roc_auc, _LABELS, Needs.PROBABILITIES, fast_scorers=roc_auc)
    yield Metric("roc_auc_weighted", weighted, several, Needs.PROBABILITIES)
    yield Metric("roc_auc_ovo", score_functions.roc_auc_ovo, _MULTICLASS, Needs.PROBABILITIES)
    yield Metric("roc_auc_ovo_weighted", ovo_weighted, _MULTICLASS, Needs.PROBABILITIES)
    yield Metric("average_precision", score_functions.average_precision, _LABELS, Needs.PROBABILITIES)
    yield from (top_k_accuracy(k) for k in (2, 3, 5))
    for name, ranking, optimum in (
        ("label_ranking_average_precision", _ScikitLearn("label_ranking_average_precision_score"), 1.0),
        ("ndcg", _ScikitLearn("ndcg_score"), 1.0),
        ("label_ranking_loss", _ScikitLearn("label_ranking_loss"), 0.0),
    ):
        facts: dict[str, Any] = {"greater_is_better": optimum == 1.0, "row_function": ranking.of_single_rows}
        yield Metric(name, ranking, _MULTILABEL, Needs.PROBABILITIES, optimum, **facts)


def _values() -> Iterable[Metric]:
    """Metrics of regression."""
    errors: dict[str, tuple[int | None, Domain | None, ScorerFactory | None]] = {
        "mean_absolute_error": (1, None, partial(RegressionScorer, aggregate=mean_absolute_error, is_absolute=True)),
        "mean_squared_error": (2, None, partial(RegressionScorer, aggregate=mean_squared_error)),
        "root_mean_squared_error": (1, None, partial(RegressionScorer, aggregate=root_mean_squared_error)),
        "mean_squared_log_error": (None, _AMOUNTS, None),
        "root_mean_squared_log_error": (None, _AMOUNTS, None),
        "median_absolute_error": (1, None, None),
        "mean_absolute_percentage_error": (None, _NOT_ZERO, None),
    }
    for name, (degree, domain, scorer) in errors.items():
        scorers = {} if scorer is None else dict.fromkeys(_VALUES, scorer)
        function = _ScikitLearn(name)
        of_rows = function.of_rows if name in _MEANS else None
        yield Metric(name, function, _VALUES, Needs.LABELS, 0.0, False, scorers, degree, domain, row_function=of_rows)
    yield Metric("max_error", _ScikitLearn("max_error"), _SINGLE, optimum=0.0, greater_is_better=False, degree=1)
    yield from (pinball_loss(level) for level in (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95))
    yield Metric("r2", _ScikitLearn("r2_score"), _VALUES, fast_scorers=dict.fromkeys(_VALUES, r2_scorer), degree=0)
    for name in ("explained_variance", "d2_absolute_error"):
        yield Metric(name, _ScikitLearn(f"{name}_score"), _VALUES, degree=0)
    for name, power, domain in (("poisson", 1.0, _COUNTS), ("gamma", 2.0, _POSITIVE)):
        deviance = _ScikitLearn(f"mean_{name}_deviance")
        explained = _ScikitLearn("d2_tweedie_score", (("power", power),))
        yield Metric(f"mean_{name}_deviance", deviance, _SINGLE, Needs.LABELS, 0.0, False, domain=domain)
        yield Metric(f"d2_{name}", explained, _SINGLE, domain=domain)


METRICS = {known.name: known for family in (_averaged, _decisions, _probabilities, _values) for known in family()}
"""All metrics with a name of their own; `pinball_loss` and `top_k_accuracy` make more."""
