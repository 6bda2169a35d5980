"""Tables of every kind of task, with names that a careless page would run as a program."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mpi_automl.estimators.jobs import Data

KINDS = ("binary", "multiclass", "multilabel", "regression", "multioutput")
SCRIPT = "<script>alert(1)</script>"
"""A column, and a class, that would run in a browser if a page did not escape it."""


def _columns(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    return pd.DataFrame(rng.normal(size=(rows, 4)), columns=[SCRIPT, "$a & b", 'c"', "\u540d"])


def data_of(kind: str) -> Data:
    rng = np.random.default_rng(3)
    X = _columns(rng, 160)
    first, second = X.iloc[:, 0].to_numpy(), X.iloc[:, 1].to_numpy()
    noise = 0.2 * rng.normal(size=len(X))
    values = 2 * first - second + noise
    targets = {
        "binary": np.where(first + noise > 0, SCRIPT, "other"),
        "multiclass": np.select([first + noise > 0.5, second > 0], [SCRIPT, "b & c"], "d"),
        "multilabel": pd.DataFrame({"x": first > 0, SCRIPT: second > 0.3}).astype(int),
        "regression": values,
        "multioutput": pd.DataFrame({"x": values, SCRIPT: second + noise}),
        # Nothing to learn, and rows of which nearly all are alike: hard to beat.
        "dummy": np.where(rng.random(len(X)) < 0.06, "rare", "frequent"),
    }
    y = targets[kind]
    if kind in ("binary", "regression"):
        return Data(X[:110], y[:110], X[110:], y[110:], f"{SCRIPT} table")
    return Data(X, y, None, None, kind)
