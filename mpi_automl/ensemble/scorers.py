"""Costs of an ensemble with each candidate added, computed for all candidates at once.

A scorer holds a share of the candidates' predictions in the layout its metric is fastest in: one copy, so that a
share takes at most twice its size. `Scorer.costs` is a pure function of the running sum of the members'
predictions. The cost of a candidate does not depend, to the last bit, on which others are in the share.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mpi_automl.data.task import TaskType
from mpi_automl.ensemble import confusion
from mpi_automl.ensemble.blocks import WORD, Scratch, blocks, class_major, count_true, pieces
from mpi_automl.ensemble.held_back import WORTH_SAVING, Copying, HoldingBack
from mpi_automl.ensemble.log_losses import LogLossScorer
from mpi_automl.evaluation.metrics import Metric
from mpi_automl.evaluation.scoring import indicators

Share = NDArray[np.float32]
Costs = NDArray[np.float64]
Allowed = NDArray[np.bool_] | None
_SHORT = 128
Combine = Callable[[Costs, NDArray[np.float64]], Costs]


class Scorer(Protocol):
    """Scores a share of the candidates."""

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """Cost of the ensemble's mean prediction if each candidate were added to it.

        Parameters
        ----------
        total : ndarray of float64, shape (n_rows, n_outputs)
            Sum of the members' predictions.
        members : int
            Number of members so far, repetitions counted.
        allowed : ndarray of bool, shape (n_candidates,), optional
            If given, only the best of these are wanted: another candidate may have any cost that is above theirs.

        Returns
        -------
        ndarray of float64, shape (n_candidates,)
            Infinity where the metric is not defined.
        """


def make_scorer(predictions: Share, y: NDArray[Any], metric: Metric, task_type: TaskType) -> Scorer:
    """Choose the fastest scorer for a metric.

    Parameters
    ----------
    predictions : ndarray of float32, shape (n_candidates, n_rows, n_outputs)
    y : ndarray, shape (n_rows,) or (n_rows, n_outputs)
    metric : Metric
    task_type : TaskType
    """
    name = metric.name
    if not len(predictions):
        return _NoScorer()
    copying = _copying(predictions.shape[2], y, metric, task_type)
    if copying is not None:
        make, work = copying
        return make(predictions) if predictions.nbytes < WORTH_SAVING else HoldingBack(make, predictions, work)
    if task_type.is_classification and task_type is not TaskType.MULTILABEL:
        if name == "log_loss":
            return LogLossScorer(predictions, y, metric)
        if name == "roc_auc":
            from mpi_automl.ensemble.areas import AreaScorer

            return AreaScorer(predictions, y, metric)
    return AnyScorer(predictions, y, metric, task_type)


def _copying(
    n_outputs: int, y: NDArray[Any], metric: Metric, task_type: TaskType
) -> tuple[Callable[[Share], Copying], int] | None:
    """What makes a scorer that copies all predictions, and the bytes it needs for a value that it works on."""
    name = metric.name
    if task_type is TaskType.MULTILABEL:
        if confusion.from_counts(name, multilabel=True):
            return partial(LabelScorer, y=y, metric=metric), 2
        if name == "brier_score":
            return partial(ErrorScorer, truth=y, metric=metric, combine=_mean), 4
    elif task_type.is_classification:
        if name in ("accuracy", "balanced_accuracy"):
            return partial(RecallScorer, y=y, metric=metric), 14
        if confusion.from_counts(name, multilabel=False):
            return partial(ConfusionScorer, y=y, metric=metric), 8 + n_outputs
        if name == "brier_score":
            truth, combine = indicators(y, n_outputs), _mean if n_outputs == 2 else _sum
            return partial(ErrorScorer, truth=truth, metric=metric, combine=combine), 4
    elif name in _ERRORS and not (name == "r2" and np.ptp(y, axis=0).min() == 0.0):
        return partial(ErrorScorer, truth=y.reshape(len(y), -1), metric=metric, combine=_ERRORS[name]), 4
    return None


class _NoScorer:
    """Of a share without candidates."""

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        return np.empty(0)


class AnyScorer:
    """Any metric: one call per candidate."""

    def __init__(self, predictions: Share, y: NDArray[Any], metric: Metric, task_type: TaskType) -> None:
        self.predictions, self.y, self.metric, self.task_type = predictions, y, metric, task_type

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `Scorer.costs`."""
        return np.array([self._cost((total + added) / (members + 1)) for added in self.predictions])

    def _cost(self, mean: NDArray[np.float64]) -> float:
        try:
            cost = self.metric.cost(self.y, mean, self.task_type)
        except ValueError:
            return float("inf")
        return cost if np.isfinite(cost) else float("inf")


class RecallScorer:
    """Metrics that need only to know which rows are right: accuracy and balanced accuracy.

    Rows are grouped by class. A row is right if its class beats all before it and is not beaten by those after it,
    as `argmax` would have it.
    """

    def __init__(self, predictions: Share, y: NDArray[Any], metric: Metric) -> None:
        n_classes = predictions.shape[2]
        self.metric = metric
        self.rows = np.bincount(y, minlength=n_classes)
        self.groups = {code: np.flatnonzero(y == code) for code in range(n_classes) if self.rows[code]}
        self.hold(predictions)

    def hold(self, predictions: Share) -> None:
        """See `HoldingBack`."""
        self.n_candidates = len(predictions)
        shape = predictions.shape[2], self.n_candidates
        self.shares = {code: np.empty((*shape, self.rows[code]), dtype=np.float32) for code in self.groups}
        order, borders = np.concatenate(list(self.groups.values())), np.cumsum(self.rows[self.rows > 0])[:-1]
        for block in blocks(len(predictions), predictions[:1].size):
            outputs = np.take(predictions[block], order, axis=1).transpose(2, 0, 1)
            for share, part in zip(self.shares.values(), np.split(outputs, borders, axis=2), strict=True):
                share[:, block] = part

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `Scorer.costs`."""
        recognised = np.zeros((self.n_candidates, len(self.rows)), dtype=np.int64)
        scratch = Scratch()
        for code, share in self.shares.items():
            running = np.ascontiguousarray(total[self.groups[code]].T, dtype=np.float32)
            for block in blocks(self.n_candidates, share.shape[2]):
                recognised[block, code] = count_true(_wins(share[:, block], running, code, scratch))
        values = getattr(confusion, self.metric.name)(recognised, self.rows)
        return np.asarray(self.metric.cost_of(values))


def _wins(share: Share, running: NDArray[np.float32], code: int, scratch: Scratch) -> NDArray[np.bool_]:
    shape = share.shape[1:]
    own, most, other = (scratch.array(name, shape, np.float32) for name in ("own", "most", "other"))
    padded = scratch.mask("wins", shape)
    wins, beaten = padded[:, : shape[1]], scratch.array("beaten", shape, np.bool_)
    np.add(share[code], running[code], out=own)
    wins[...] = True
    for codes, beats in ((range(code), np.greater), (range(code + 1, len(share)), np.greater_equal)):
        for position, rival in enumerate(codes):
            if position == 0:
                np.add(share[rival], running[rival], out=most)
            else:
                np.add(share[rival], running[rival], out=other)
                np.maximum(most, other, out=most)
        if len(codes):
            np.logical_and(wins, beats(own, most, out=beaten), out=wins)
    return padded


class ConfusionScorer:
    """Metrics that follow from how many rows are of each class, predicted as each class, and both.

    Rows are grouped by class, and each group is filled up to whole words as `count_true` wants it. Where there is no
    row all classes are equal, so that these places count for the first class; they are taken off in the end.
    """

    def __init__(self, predictions: Share, y: NDArray[Any], metric: Metric) -> None:
        values = confusion.from_counts(metric.name, multilabel=False)
        assert values is not None
        self.metric, self.values = metric, values
        self.rows = np.bincount(y, minlength=predictions.shape[2])
        self.n_filled = -self.rows % WORD
        ends = np.cumsum(self.rows + self.n_filled)
        starts = ends - self.rows - self.n_filled
        self.groups = [slice(*ends_of_group) for ends_of_group in zip(starts, ends, strict=True)]
        self.n_places = int(ends[-1])
        self.order = np.argsort(y, kind="stable")
        self.places = np.arange(len(y)) + np.repeat(starts - np.cumsum(self.rows) + self.rows, self.rows)
        self.unused = np.setdiff1d(np.arange(self.n_places), self.places)
        self.hold(predictions)

    def hold(self, predictions: Share) -> None:
        """See `HoldingBack`. Outputs apart, the rows of all candidates at their places and zeros at all others."""
        n_candidates, _, n_outputs = predictions.shape
        spread = np.zeros(self.n_places, dtype=np.intp)
        spread[self.places] = self.order
        self.share: Share = np.empty((n_outputs, n_candidates, self.n_places), dtype=np.float32)
        for block in blocks(n_candidates, predictions[:1].size):
            self.share[:, block] = np.take(predictions[block], spread, axis=1).transpose(2, 0, 1)
        self.share[:, :, self.unused] = 0.0

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `Scorer.costs`."""
        n_classes, n_candidates, n_places = self.share.shape
        running = np.zeros((n_classes, n_places), dtype=np.float32)
        running[:, self.places] = total[self.order].T
        predicted = np.empty((n_candidates, n_classes), dtype=np.int64)
        right = np.empty_like(predicted)
        scratch = Scratch()
        for block in blocks(n_candidates, n_places):
            settled = _settled(self.share[:, block], running, scratch)
            predicted[block], right[block] = self._counts(settled)
        true = np.broadcast_to(self.rows, predicted.shape)
        return np.asarray(self.metric.cost_of(self.values(true, predicted, right)))

    def _counts(self, settled: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows decided for each class, and those that are of it: settled with it, but not with those before."""
        n_classes, n_candidates, n_places = len(self.rows), settled.shape[1], settled.shape[2]
        up_to = np.zeros((n_candidates, n_classes + 1), dtype=np.int64)
        right = np.zeros((n_candidates, n_classes), dtype=np.int64)
        up_to[:, -1] = n_places
        right[:, -1] = self.rows[-1] + self.n_filled[-1]
        for code, mask in enumerate(settled):
            up_to[:, code + 1] = count_true(mask)
            right[:, code] += count_true(mask[:, self.groups[code]])
            right[:, code + 1] -= count_true(mask[:, self.groups[code + 1]])
        predicted = np.diff(up_to, axis=1)
        predicted[:, 0] -= self.n_filled.sum()
        right[:, 0] -= self.n_filled[0]
        return predicted, right


def _settled(share: Share, running: NDArray[np.float32], scratch: Scratch) -> NDArray[np.bool_]:
    """Which rows are decided for a class or one before it, for all classes but the last.

    From the last class to the first: a class that is not below the most so far takes the row, so that the first of
    equals has it in the end, as with `argmax`.
    """
    n_classes, *shape = share.shape
    most, value = (scratch.array(name, tuple(shape), np.float32) for name in ("most", "value"))
    settled = scratch.array("settled", (n_classes - 1, *shape), np.bool_)
    np.add(share[-1], running[-1], out=most)
    for code in range(n_classes - 2, -1, -1):
        np.add(share[code], running[code], out=value)
        np.greater_equal(value, most, out=settled[code])
        if code > 0:
            np.maximum(most, value, out=most)
    for before, code in zip(settled, settled[1:], strict=False):
        np.logical_or(before, code, out=code)
    return settled


class LabelScorer:
    """Precision, recall, Jaccard and F where a row may have several labels."""

    def __init__(self, predictions: Share, y: NDArray[Any], metric: Metric) -> None:
        values = confusion.from_counts(metric.name, multilabel=True)
        assert values is not None
        self.metric, self.values = metric, values
        self.rows = y.sum(axis=0)
        self.present = np.ascontiguousarray(y.T, dtype=bool)
        self.hold(predictions)

    def hold(self, predictions: Share) -> None:
        """See `HoldingBack`."""
        self.share = class_major(predictions)

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `Scorer.costs`."""
        n_labels, n_candidates, n_rows = self.share.shape
        predicted = np.empty((n_candidates, n_labels), dtype=np.int64)
        right = np.empty_like(predicted)
        scratch = Scratch()
        for label in range(n_labels):
            bar = (0.5 * (members + 1) - total[:, label]).astype(np.float32)
            for block in blocks(n_candidates, n_rows):
                padded = scratch.mask("decided", self.share[label, block].shape)
                decided = padded[:, :n_rows]
                np.greater(self.share[label, block], bar, out=decided)
                predicted[block, label] = count_true(padded)
                np.logical_and(decided, self.present[label], out=decided)
                right[block, label] = count_true(padded)
        true = np.broadcast_to(self.rows, predicted.shape)
        return np.asarray(self.metric.cost_of(self.values(true, predicted, right)))


class ErrorScorer:
    """Metrics of the differences between predictions and truth: squared and absolute errors, R2, Brier score.

    `combine` makes a value out of the mean errors of each output, shape (n_candidates, n_outputs), and the variances
    of the truth, shape (n_outputs,).
    """

    def __init__(self, predictions: Share, truth: NDArray[Any], metric: Metric, combine: Combine) -> None:
        self.metric, self.truth, self.combine = metric, truth.astype(np.float64), combine
        self.absolute = metric.name == "mean_absolute_error"
        self.variances = self.truth.var(axis=0)
        self.hold(predictions)

    def hold(self, predictions: Share) -> None:
        """See `HoldingBack`."""
        self.share = np.empty((predictions.shape[2], *predictions.shape[:2]), dtype=np.float32)
        for output, errors in enumerate(self.share):
            for block in blocks(len(predictions), predictions[:1].size):
                some = predictions[block, :, output]
                np.subtract(some, self.truth[:, output], out=errors[block], casting="same_kind")

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `Scorer.costs`."""
        n_outputs, n_candidates, n_rows = self.share.shape
        running = np.ascontiguousarray((total - members * self.truth).T, dtype=np.float32)
        sums = np.zeros((n_candidates, n_outputs))
        scratch = Scratch()
        for output in range(n_outputs):
            for piece in pieces(n_rows):
                for block in blocks(n_candidates, piece.stop - piece.start):
                    some = self.share[output, block, piece]
                    errors = scratch.array("errors", some.shape, np.float32)
                    np.add(some, running[output, piece], out=errors)
                    sums[block, output] += self._row_sums(errors)
        means = sums / n_rows / (members + 1) ** (1 if self.absolute else 2)
        return np.asarray(self.metric.cost_of(self.combine(means, self.variances)))

    def _row_sums(self, errors: NDArray[np.float32]) -> Costs:
        """Sums in float32 over 128 rows at most, and in float64 over these."""
        n_candidates, width = errors.shape
        if self.absolute:
            np.abs(errors, out=errors)
        whole = width // _SHORT * _SHORT
        parts = errors[:, :whole].reshape(n_candidates, whole // _SHORT, _SHORT)
        rest = errors[:, whole:].astype(np.float64)
        if self.absolute:
            return np.asarray(parts.sum(axis=2).astype(np.float64).sum(axis=1) + rest.sum(axis=1))
        short = np.einsum("ijk,ijk->ij", parts, parts)
        return np.asarray(short.astype(np.float64).sum(axis=1) + (rest * rest).sum(axis=1))


def _mean(means: Costs, variances: NDArray[np.float64]) -> Costs:
    return np.asarray(means.mean(axis=1))


def _sum(means: Costs, variances: NDArray[np.float64]) -> Costs:
    return np.asarray(means.sum(axis=1))


def _mean_root(means: Costs, variances: NDArray[np.float64]) -> Costs:
    return np.asarray(np.sqrt(means).mean(axis=1))


def _explained(means: Costs, variances: NDArray[np.float64]) -> Costs:
    return np.asarray((1.0 - means / variances).mean(axis=1))


_ERRORS: dict[str, Combine] = {
    "mean_squared_error": _mean,
    "mean_absolute_error": _mean,
    "root_mean_squared_error": _mean_root,
    "r2": _explained,
}
