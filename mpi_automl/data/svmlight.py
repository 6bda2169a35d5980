"""Files in the svmlight / libsvm format: ``label index:value index:value ...``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mpi_automl.data.compression import in_memory
from mpi_automl.data.table import SparseTable, numbered

if TYPE_CHECKING:
    from pathlib import Path


def read_svmlight(path: Path) -> SparseTable:
    """Read an svmlight file as a sparse table with columns f0, f1, ... and the label as column ``target``.

    Column numbers are taken as written, so tables of one origin fit each other whether they count from
    zero or one. Lines with several labels (``2,5 1:0.3``) give one column for each label, ``label2``, ....
    Query ids (``qid:7``) become the column ``qid``, which can serve as ``--groups``.
    """
    from sklearn.datasets import load_svmlight_file

    stream = in_memory(path)
    several = _has_several_labels(stream.getvalue()[: 1 << 20])
    matrix, labels, query = load_svmlight_file(stream, zero_based=True, multilabel=several, query_id=True)
    dense = _indicators(labels) if several else pd.DataFrame({"target": _whole(labels)})
    target = tuple(dense.columns)
    if np.any(query):
        dense["qid"] = query
    return SparseTable(matrix.tocsr(), numbered("f", matrix.shape[1]), dense, target, generated=True)


def _has_several_labels(raw: bytes) -> bool:
    lines = (line.split(b"#")[0].split() for line in raw.splitlines())
    return any(b"," in line[0] or b":" in line[0] for line in lines if line)


def _whole(labels: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
    finite = np.isfinite(labels)
    return labels.astype(np.int64) if finite.all() and np.all(labels == np.floor(labels)) else labels


def _indicators(labels: list[tuple[float, ...]]) -> pd.DataFrame:
    known = sorted({label for row in labels for label in row})
    return pd.DataFrame({f"label{label:g}": [int(label in row) for row in labels] for label in known})
