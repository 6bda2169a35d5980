"""Metrics of decisions, such as accuracy and F1, of an ensemble with each candidate added.

Rows are in the order of their classes, and one class after the other is gone through, a few candidates at a time so
that what is worked on stays in a core's cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi_automl.metrics import confusion
from mpi_automl.metrics.chunks import Scratch, blocks, class_slices, count_true
from mpi_automl.metrics.registry import Metric

Share = NDArray[np.float32]
Costs = NDArray[np.float64]
Allowed = NDArray[np.bool_] | None


class RecallScorer:
    """Metrics that need only to know which rows are right: accuracy and balanced accuracy.

    A row is right if its class beats all before it and is not beaten by those after it, as `argmax` would have it.
    """

    def __init__(self, share: Share, y: NDArray[Any], metric: Metric) -> None:
        self.share, self.metric = share, metric
        self.rows = np.bincount(y, minlength=share.shape[1])
        self.groups = class_slices(y, share.shape[1])

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.scorers.Scorer.costs`."""
        n_candidates = len(self.share)
        running = np.ascontiguousarray(total.T, dtype=np.float32)
        recognised = np.zeros((n_candidates, len(self.rows)), dtype=np.int64)
        scratch = Scratch()
        for code in np.flatnonzero(self.rows):
            rows = self.groups[code]
            for block in blocks(n_candidates, int(self.rows[code])):
                wins = _wins(self.share[block, :, rows], running[:, rows], int(code), scratch)
                recognised[block, code] = count_true(wins)
        values = getattr(confusion, self.metric.name)(recognised, self.rows)
        return np.asarray(self.metric.cost_of(values))


def _wins(share: Share, running: NDArray[np.float32], code: int, scratch: Scratch) -> NDArray[np.bool_]:
    n_candidates, n_classes, n_rows = share.shape
    shape = n_candidates, n_rows
    own, most, other = (scratch.array(name, shape, np.float32) for name in ("own", "most", "other"))
    padded = scratch.mask("wins", shape)
    wins, beaten = padded[:, :n_rows], scratch.array("beaten", shape, np.bool_)
    np.add(share[:, code], running[code], out=own)
    wins[...] = True
    for codes, beats in ((range(code), np.greater), (range(code + 1, n_classes), np.greater_equal)):
        for position, rival in enumerate(codes):
            if position == 0:
                np.add(share[:, rival], running[rival], out=most)
            else:
                np.add(share[:, rival], running[rival], out=other)
                np.maximum(most, other, out=most)
        if len(codes):
            np.logical_and(wins, beats(own, most, out=beaten), out=wins)
    return padded


class ConfusionScorer:
    """Metrics that follow from how many rows are of each class, predicted as each class, and both."""

    def __init__(self, share: Share, y: NDArray[Any], metric: Metric) -> None:
        values = confusion.from_counts(metric.name, multilabel=False)
        assert values is not None
        self.share, self.metric, self.values = share, metric, values
        self.rows = np.bincount(y, minlength=share.shape[1])
        self.groups = class_slices(y, share.shape[1])

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.scorers.Scorer.costs`."""
        n_candidates, n_classes, _ = self.share.shape
        running = np.ascontiguousarray(total.T, dtype=np.float32)
        predicted = np.zeros((n_candidates, n_classes), dtype=np.int64)
        right = np.zeros_like(predicted)
        scratch = Scratch()
        for code in np.flatnonzero(self.rows):
            rows = self.groups[code]
            for block in blocks(n_candidates, int(self.rows[code])):
                counts = _decided(self.share[block, :, rows], running[:, rows], scratch)
                predicted[block] += counts
                right[block, code] = counts[:, code]
        true = np.broadcast_to(self.rows, predicted.shape)
        return np.asarray(self.metric.cost_of(self.values(true, predicted, right)))


def _decided(share: Share, running: NDArray[np.float32], scratch: Scratch) -> NDArray[np.int64]:
    """Rows that are decided for each class, shape (n_candidates, n_classes).

    From the last class to the first: a class that is not below the most so far takes the row, so that the first of
    equals has it in the end, as with `argmax`. Then those that are decided for a class or one before it are counted.
    """
    n_candidates, n_classes, n_rows = share.shape
    shape = n_candidates, n_rows
    most, value = (scratch.array(name, shape, np.float32) for name in ("most", "value"))
    settled = scratch.mask("settled", (n_classes - 1, *shape))
    np.add(share[:, -1], running[-1], out=most)
    for code in range(n_classes - 2, -1, -1):
        np.add(share[:, code], running[code], out=value)
        np.greater_equal(value, most, out=settled[code, :, :n_rows])
        if code > 0:
            np.maximum(most, value, out=most)
    up_to = np.zeros((n_candidates, n_classes + 1), dtype=np.int64)
    up_to[:, -1] = n_rows
    for code, mask in enumerate(settled):
        if code > 0:
            np.logical_or(settled[code - 1], mask, out=mask)
        up_to[:, code + 1] = count_true(mask)
    return np.diff(up_to, axis=1)


class LabelScorer:
    """Precision, recall, Jaccard and F where a row may have several labels."""

    def __init__(self, share: Share, y: NDArray[Any], metric: Metric) -> None:
        values = confusion.from_counts(metric.name, multilabel=True)
        assert values is not None
        self.share, self.metric, self.values = share, metric, values
        self.rows = y.sum(axis=0)
        self.present = np.ascontiguousarray(y.T, dtype=bool)

    def costs(self, total: NDArray[np.float64], members: int, allowed: Allowed = None) -> Costs:
        """See `mpi_automl.metrics.scorers.Scorer.costs`."""
        n_candidates, n_labels, n_rows = self.share.shape
        predicted = np.empty((n_candidates, n_labels), dtype=np.int64)
        right = np.empty_like(predicted)
        scratch = Scratch()
        for label in range(n_labels):
            bar = (0.5 * (members + 1) - total[:, label]).astype(np.float32)
            for block in blocks(n_candidates, n_rows):
                some = self.share[block, label]
                padded = scratch.mask("decided", some.shape)
                decided = padded[:, :n_rows]
                np.greater(some, bar, out=decided)
                predicted[block, label] = count_true(padded)
                np.logical_and(decided, self.present[label], out=decided)
                right[block, label] = count_true(padded)
        true = np.broadcast_to(self.rows, predicted.shape)
        return np.asarray(self.metric.cost_of(self.values(true, predicted, right)))
