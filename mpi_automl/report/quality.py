"""How good the predictions are: confusion, curves and calibration of classes, residuals of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.data.task import TaskType, decide
from mpi_automl.report import style
from mpi_automl.report.labels import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from mpi_automl.report.contents import Contents

_MOST_CLASSES = 16
_MOST_CURVES = 6
_MOST_TARGETS = 4
_MOST_DOTS = 2000
_CALIBRATION_BINS = 10


def draw_confusion(contents: Contents) -> Figure | None:
    """Rows by true and by predicted class; for labels, hits and misses of each."""
    found = contents.predicted
    if found is None or not contents.task_type.is_classification:
        return None
    decided = decide(found.predictions, contents.task_type)
    if contents.task_type is TaskType.MULTILABEL:
        return _label_counts(found.truth, decided, contents.run.schema.target_names)
    names = class_names(contents)
    counts, kept = _confusion(found.truth, decided, len(names))
    size = 1.6 + 0.42 * max(3, len(counts))
    figure = style.figure(height=min(style.WIDTH + 0.3, size))
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, vmin=0.0, vmax=1.0, cmap=style.SEQUENCE)
    for row, column in np.ndindex(*counts.shape):
        colour = "#ffffff" if shares[row, column] < 0.55 else "#000000"
        font = 9 if len(counts) <= 8 else 6
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=colour, fontsize=font)
    labels = [shown(names[code], 14) for code in kept]
    axes.set_xticks(range(len(kept)), labels, rotation=0 if len(kept) <= 3 else 60)
    axes.set_yticks(range(len(kept)), labels)
    axes.grid(visible=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    return figure


def class_names(contents: Contents) -> list[str]:
    """What the columns of a prediction stand for."""
    classes = contents.run.schema.classes
    names: Sequence[Any] = contents.run.schema.target_names if classes is None else list(classes)
    return [str(name) for name in names]


def _confusion(truth: NDArray[Any], decided: NDArray[Any], n_classes: int) -> tuple[NDArray[np.int64], list[int]]:
    """Counts of the most frequent classes, and which ones these are."""
    sizes = np.bincount(truth, minlength=n_classes)
    kept = sorted(np.argsort(-sizes, kind="stable")[:_MOST_CLASSES].tolist())
    counts = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(counts, (truth, decided), 1)
    return counts[np.ix_(kept, kept)], kept


def _label_counts(truth: NDArray[Any], decided: NDArray[Any], names: Sequence[str]) -> Figure:
    kept = list(range(min(len(names), _MOST_CLASSES)))
    figure = style.figure(height=1.3 + 0.3 * max(3, len(kept)))
    axes = figure.subplots()
    kinds = (
        ("found", style.Look(style.BLUE), (truth == 1) & (decided == 1)),
        ("missed", style.Look(style.ORANGE, "///"), (truth == 1) & (decided == 0)),
        ("wrongly found", style.Look(style.RED, "xxx"), (truth == 0) & (decided == 1)),
    )
    left = np.zeros(len(kept))
    for name, look, chosen in kinds:
        widths = chosen.sum(axis=0)[kept]
        axes.barh(
            kept, widths, left=left, height=0.7, color=look.colour, hatch=look.hatch, edgecolor=style.PAPER, label=name
        )
        left += widths
    axes.set_yticks(kept, [shown(names[label], 24) for label in kept])
    axes.set_ylim(len(kept) - 0.4, -0.6)
    axes.set_xlabel("rows")
    axes.grid(visible=False, axis="y")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def draw_roc(contents: Contents) -> Figure | None:
    """ROC curves: of the second of two classes, else of each class or label against the rest."""
    from sklearn.metrics import roc_curve

    curves = _one_against_rest(contents)
    if not curves:
        return None
    figure = style.figure(height=4.2)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=style.MUTED, linewidth=0.8, linestyle=":")
    for position, (name, present, scores) in enumerate(curves):
        false_rate, true_rate, _ = roc_curve(present, scores)
        label = f"{name} ({_area(false_rate, true_rate):.3f})"
        axes.plot(false_rate, true_rate, label=label, **style.line_look(position))
    _unit_square(axes, "false positive rate", "true positive rate")
    axes.legend(loc="lower right", title="area under the curve")
    return figure


def draw_precision_recall(contents: Contents) -> Figure | None:
    """Precision-recall curves of the same classes or labels."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    curves = _one_against_rest(contents)
    if not curves:
        return None
    figure = style.figure(height=4.2)
    axes = figure.subplots()
    for position, (name, present, scores) in enumerate(curves):
        precision, recall, _ = precision_recall_curve(present, scores)
        label = f"{name} ({average_precision_score(present, scores):.3f})"
        axes.plot(recall, precision, drawstyle="steps-post", label=label, **style.line_look(position))
    _unit_square(axes, "recall", "precision")
    axes.legend(loc="lower left", title="average precision")
    return figure


def _unit_square(axes: Axes, x_name: str, y_name: str) -> None:
    axes.set_xlabel(x_name)
    axes.set_ylabel(y_name)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.03)


def _area(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2.0))


def _one_against_rest(contents: Contents) -> list[tuple[str, NDArray[Any], NDArray[Any]]]:
    """Name, presence and score of each class or label that has rows with and without it; the most frequent ones."""
    from mpi_automl.metrics.score_functions import indicators

    found = contents.predicted
    if found is None or not contents.task_type.is_classification:
        return []
    present = indicators(found.truth, found.predictions.shape[1])
    names = class_names(contents)
    columns = [1] if contents.task_type is TaskType.BINARY else list(range(present.shape[1]))
    usable = [column for column in columns if 0 < present[:, column].sum() < len(present)]
    usable = sorted(usable, key=lambda column: -present[:, column].sum())[:_MOST_CURVES]
    return [(shown(names[column], 18), present[:, column], found.predictions[:, column]) for column in sorted(usable)]


def draw_calibration(contents: Contents) -> Figure | None:
    """How often predictions of a probability come true."""
    from sklearn.calibration import calibration_curve

    curves = _one_against_rest(contents)
    if not curves:
        return None
    figure = style.figure(height=4.2)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=style.MUTED, linewidth=0.8, linestyle=":", label="perfect")
    for position, (name, present, scores) in enumerate(curves):
        bins = min(_CALIBRATION_BINS, max(2, len(present) // 10))
        happened, said = calibration_curve(present, np.clip(scores, 0.0, 1.0), n_bins=bins, strategy="quantile")
        axes.plot(
            said, happened, marker=style.MARKERS[position % 7], markersize=4, label=name, **style.line_look(position)
        )
    _unit_square(axes, "predicted probability (bins with equally many rows)", "share that came true")
    axes.legend(loc="upper left")
    return figure


def draw_residuals(contents: Contents) -> Figure | None:
    """Predicted against true values, and how far they are apart."""
    found = contents.predicted
    if found is None or contents.task_type.is_classification:
        return None
    truth = found.truth.reshape(len(found.truth), -1)
    names = contents.run.schema.target_names
    shown_targets = min(truth.shape[1], _MOST_TARGETS)
    figure = style.figure(height=5.6 if shown_targets == 1 else 2.7 * shown_targets)
    panes = figure.subplots(2, 1) if shown_targets == 1 else figure.subplots(shown_targets, 2)
    for target, (values, residuals) in enumerate(np.asarray(panes).reshape(-1, 2)):
        true, predicted = truth[:, target], found.predictions[:, target].astype(np.float64)
        _draw_against(values, true, predicted)
        residuals.hist(predicted - true, bins=min(40, max(8, len(true) // 8)), color=style.BLUE)
        residuals.axvline(0.0, color=style.INK, linewidth=1)
        residuals.set_xlabel("predicted - true")
        residuals.set_ylabel("rows")
        if shown_targets > 1:
            values.set_title(shown(names[target], 24))
    return figure


def _draw_against(axes: Axes, true: NDArray[np.float64], predicted: NDArray[np.float64]) -> None:
    low, high = min(true.min(), predicted.min()), max(true.max(), predicted.max())
    axes.plot([low, high], [low, high], color=style.INK, linewidth=1)
    if len(true) > _MOST_DOTS:
        axes.hexbin(true, predicted, gridsize=40, bins="log", mincnt=1, cmap=style.SEQUENCE, rasterized=True)
    else:
        axes.scatter(true, predicted, s=9, alpha=0.6, color=style.BLUE, linewidth=0, rasterized=len(true) > 500)
    axes.set_xlabel("true")
    axes.set_ylabel("predicted")
