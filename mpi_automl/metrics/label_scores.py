"""Fast scorers of metrics of decided classes or labels, such as accuracy and F1.

Rows are in the order of their classes. One class after the other is scored, a few candidates at a time so that what is
worked on stays in a core's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.metrics.chunks import Workspace, candidate_chunks, class_slices, count_true
from mpi_automl.metrics.confusion import Counts, CountScore, Values
from mpi_automl.metrics.metric import Allowed, Costs, Metric, Outputs


class RecallScorer:
    """Metrics that only need to know which rows are correct: accuracy and balanced accuracy.

    A row is correct if its class beats all before it and is not beaten by those after it, as `argmax` decides.

    Parameters
    ----------
    outputs : ndarray of float32, shape (n_candidates, n_classes, n_rows)
    y : ndarray, shape (n_rows,)
        Class codes in ascending order.
    metric : Metric
    score : callable
        Makes values, shape (n_candidates,), of the correct rows of each class, shape (n_candidates, n_classes), and of
        all rows of each class, shape (n_classes,).
    """

    def __init__(
        self, outputs: Outputs, y: NDArray[Any], metric: Metric, score: Callable[[Counts, Counts], Values]
    ) -> None:
        self.outputs, self.metric, self.score = outputs, metric, score
        self.rows = np.bincount(y, minlength=outputs.shape[1])
        self.rows_of = class_slices(y, outputs.shape[1])

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.metric.Scorer.costs`."""
        n_candidates = len(self.outputs)
        running = np.ascontiguousarray(total.T, dtype=np.float32)
        correct = np.zeros((n_candidates, len(self.rows)), dtype=np.int64)
        workspace = Workspace()
        for code in np.flatnonzero(self.rows):
            rows = self.rows_of[code]
            for chunk in candidate_chunks(n_candidates, int(self.rows[code])):
                mask = _correct_rows(self.outputs[chunk, :, rows], running[:, rows], int(code), workspace)
                correct[chunk, code] = count_true(mask)
        return np.asarray(self.metric.cost_of(self.score(correct, self.rows)))


def _correct_rows(outputs: Outputs, running: NDArray[np.float32], code: int, workspace: Workspace) -> NDArray[np.bool_]:
    """Which rows of a class are decided for it, shape (n_candidates, n_rows padded to whole words)."""
    n_candidates, n_classes, n_rows = outputs.shape
    shape = n_candidates, n_rows
    own, highest, other = (workspace.array(name, shape, np.float32) for name in ("own", "highest", "other"))
    padded = workspace.mask("correct", shape)
    correct, beats = padded[:, :n_rows], workspace.array("beats", shape, np.bool_)
    np.add(outputs[:, code], running[code], out=own)
    correct[...] = True
    for codes, compare in ((range(code), np.greater), (range(code + 1, n_classes), np.greater_equal)):
        for position, rival in enumerate(codes):
            if position == 0:
                np.add(outputs[:, rival], running[rival], out=highest)
            else:
                np.add(outputs[:, rival], running[rival], out=other)
                np.maximum(highest, other, out=highest)
        if len(codes):
            np.logical_and(correct, compare(own, highest, out=beats), out=correct)
    return padded


class ConfusionScorer:
    """Metrics that follow from how many rows are of each class, predicted as each class, and both.

    Parameters
    ----------
    outputs : ndarray of float32, shape (n_candidates, n_classes, n_rows)
    y : ndarray, shape (n_rows,)
        Class codes in ascending order.
    metric : Metric
    score : CountScore
        With one value for each candidate.
    """

    def __init__(self, outputs: Outputs, y: NDArray[Any], metric: Metric, score: CountScore) -> None:
        self.outputs, self.metric, self.score = outputs, metric, score
        self.rows = np.bincount(y, minlength=outputs.shape[1])
        self.rows_of = class_slices(y, outputs.shape[1])

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.metric.Scorer.costs`."""
        n_candidates, n_classes, _ = self.outputs.shape
        running = np.ascontiguousarray(total.T, dtype=np.float32)
        predicted = np.zeros((n_candidates, n_classes), dtype=np.int64)
        correct = np.zeros_like(predicted)
        workspace = Workspace()
        for code in np.flatnonzero(self.rows):
            rows = self.rows_of[code]
            for chunk in candidate_chunks(n_candidates, int(self.rows[code])):
                counts = _predicted_counts(self.outputs[chunk, :, rows], running[:, rows], workspace)
                predicted[chunk] += counts
                correct[chunk, code] = counts[:, code]
        true = np.broadcast_to(self.rows, predicted.shape)
        return np.asarray(self.metric.cost_of(self.score(true, predicted, correct)))


def _predicted_counts(outputs: Outputs, running: NDArray[np.float32], workspace: Workspace) -> Counts:
    """Rows that are decided for each class, shape (n_candidates, n_classes).

    From the last class to the first: a class that is not below the highest so far takes the row, so that the first of
    equals has it in the end, as with `argmax`. Then those that are decided for a class or one before it are counted.
    """
    n_candidates, n_classes, n_rows = outputs.shape
    shape = n_candidates, n_rows
    highest, value = (workspace.array(name, shape, np.float32) for name in ("highest", "value"))
    takes = workspace.mask("takes", (n_classes - 1, *shape))
    np.add(outputs[:, -1], running[-1], out=highest)
    for code in range(n_classes - 2, -1, -1):
        np.add(outputs[:, code], running[code], out=value)
        np.greater_equal(value, highest, out=takes[code, :, :n_rows])
        if code > 0:
            np.maximum(highest, value, out=highest)
    up_to = np.zeros((n_candidates, n_classes + 1), dtype=np.int64)
    up_to[:, -1] = n_rows
    for code, mask in enumerate(takes):
        if code > 0:
            np.logical_or(takes[code - 1], mask, out=mask)
        up_to[:, code + 1] = count_true(mask)
    return np.diff(up_to, axis=1)


class MultilabelScorer:
    """Precision, recall, Jaccard and F where a row may have several labels.

    Parameters
    ----------
    outputs : ndarray of float32, shape (n_candidates, n_labels, n_rows)
    y : ndarray, shape (n_rows, n_labels)
        Label indicators.
    metric : Metric
    score : CountScore
        With one value for each candidate.
    """

    def __init__(self, outputs: Outputs, y: NDArray[Any], metric: Metric, score: CountScore) -> None:
        self.outputs, self.metric, self.score = outputs, metric, score
        self.rows = y.sum(axis=0)
        self.present = np.ascontiguousarray(y.T, dtype=bool)

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.metric.Scorer.costs`."""
        n_candidates, n_labels, n_rows = self.outputs.shape
        predicted = np.empty((n_candidates, n_labels), dtype=np.int64)
        correct = np.empty_like(predicted)
        workspace = Workspace()
        for label in range(n_labels):
            # A label is decided where the mean is above one half.
            threshold = (0.5 * (members + 1) - total[:, label]).astype(np.float32)
            for chunk in candidate_chunks(n_candidates, n_rows):
                some = self.outputs[chunk, label]
                padded = workspace.mask("decided", some.shape)
                decided = padded[:, :n_rows]
                np.greater(some, threshold, out=decided)
                predicted[chunk, label] = count_true(padded)
                np.logical_and(decided, self.present[label], out=decided)
                correct[chunk, label] = count_true(padded)
        true = np.broadcast_to(self.rows, predicted.shape)
        return np.asarray(self.metric.cost_of(self.score(true, predicted, correct)))
