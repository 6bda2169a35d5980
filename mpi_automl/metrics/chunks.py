"""Passing over many candidates' predictions in chunks that fit into a processor's cache."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHUNK_VALUES = 1 << 17
"""Values worked on at once: 512 KiB as float32, which a core's caches hold, and enough to make calls to NumPy cheap."""

_BYTE_MAX = 255
_WORD = 8
"""Truth values that are counted at once, as one word of eight bytes."""


def candidate_chunks(n_candidates: int, n_values: int) -> Iterator[slice]:
    """Slices of candidates, such that `n_values` of each together make about `CHUNK_VALUES`."""
    step = max(1, CHUNK_VALUES // max(1, n_values))
    for start in range(0, n_candidates, step):
        yield slice(start, min(start + step, n_candidates))


def row_chunks(n_rows: int) -> Iterator[slice]:
    """Slices of rows of at most `CHUNK_VALUES`.

    They do not depend on the number of candidates, so that a sum over rows is rounded in the same way
    however the candidates are dealt over processes.
    """
    for start in range(0, n_rows, CHUNK_VALUES):
        yield slice(start, min(start + CHUNK_VALUES, n_rows))


class Workspace:
    """Arrays that are reused for chunk after chunk: memory fresh from the system is slow at its first use."""

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        """An array of any content; an earlier one with the same name loses its content."""
        size = math.prod(shape)
        held = self._arrays.get(name)
        if held is None or held.size < size:
            held = self._arrays[name] = np.empty(size, dtype=dtype)
        return held[:size].reshape(shape)

    def mask(self, name: str, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """A mask of any content whose rows are padded with False to whole words, as `count_true` requires."""
        width = -(-shape[-1] // _WORD) * _WORD
        padded = self.array(name, (*shape[:-1], width), np.bool_)
        padded[..., shape[-1] :] = False
        return padded


def by_output(predictions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Predictions as shape (n_candidates, n_outputs, n_rows), such that the rows of an output lie together.

    A view where they lie so already, as those that a `mpi_automl.storage.reader.RunReader` gives do; else a copy.
    """
    outputs = predictions.transpose(0, 2, 1)
    is_contiguous = outputs.shape[2] == 1 or outputs.strides[2] == outputs.itemsize
    return outputs if is_contiguous else np.ascontiguousarray(outputs)


def class_slices(y: NDArray[Any], n_classes: int) -> list[slice]:
    """Where the rows of each class are, of class codes in ascending order, shape (n_rows,)."""
    return [slice(*ends) for ends in pairwise(np.searchsorted(y, np.arange(n_classes + 1)).tolist())]


def count_true(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number of true values in each row of a mask, shape (n, a multiple of 8), whose rows lie in one piece.

    Words of eight bytes are added up, at most 255 of them so that no byte overflows; only the few sums are widened.
    """
    words: NDArray[Any] = mask.view(np.uint64)
    n, width = words.shape
    whole = width // _BYTE_MAX * _BYTE_MAX
    sums = np.empty((n, width // _BYTE_MAX + 1), dtype=np.uint64)
    words[:, :whole].reshape(n, sums.shape[1] - 1, _BYTE_MAX).sum(axis=2, out=sums[:, :-1])
    words[:, whole:].sum(axis=1, out=sums[:, -1])
    return np.asarray(sums.view(np.uint8).sum(axis=1, dtype=np.int64))
