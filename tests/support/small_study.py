"""A small study, as text, and tables for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

STUDY = """
[study]
ranks = 2
time = "12s"
seeds = 2

[settings]
trials = 2

[[tables]]
files = "tables/*.csv"
target = "y"

[variants.all]
share = "history"

[variants.nothing]
share = "none"
"""


def write_tables(place: Path) -> None:
    """A table of two classes and one of numbers."""
    rng = np.random.default_rng(0)
    place.mkdir(parents=True, exist_ok=True)
    for name in ("classes", "numbers"):
        X = pd.DataFrame(rng.normal(size=(90, 4)), columns=list("abcd"))
        signal = X["a"] + X["b"] ** 2 + rng.normal(0, 0.3, 90)
        y = np.where(signal > 0.7, "yes", "no") if name == "classes" else signal
        colour = np.array(["red", "green", "blue"])[rng.integers(3, size=90)]
        X.assign(colour=colour, y=y).to_csv(place / f"{name}.csv", index=False)
