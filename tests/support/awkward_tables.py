"""Tables as people have them, each with the same table clean: the cases of `campaigns/hostile_tables.py`.

Every table has a column `key` that most of the target depends on, so that a model which loses or misreads it is seen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FRAMES = ("frame>frame", "frame>read_csv")
"""Routes from Python: an estimator is fitted to the table; new rows come likewise, or as pandas reads them."""
FILES = ("csv>csv", "csv>parquet", "parquet>csv", "tsv>csv.gz", "feather>tsv", "csv>feather", "h5>csv")
"""Routes by files, in the format before and after the arrow."""
TEXTS = ("csv>csv", "tsv>csv.gz", "csv>tsv")
TASKS = ("regression", "binary", "multiclass")
LABELS = {"binary": ("low", "high"), "multiclass": ("low", "middle", "high")}
N_NEW = 300


@dataclass(frozen=True, eq=False)
class Case:
    """A table in its awkward form and clean.

    Attributes
    ----------
    X, new : table
        Columns of the training rows and of the rows to be predicted.
    y : array-like
    clean, clean_new : DataFrame
        The same rows as numbers and strings that mean what they say: what the baseline gets.
    answers, truth : ndarray, shape (n_rows,) or (n_rows, n_targets)
        The clean target of training and new rows: codes of classes, or values.
    labels : tuple or None
        What the codes are called in `y`; None for values.
    center, scale : float or ndarray
        `y` is ``center + scale * answers`` for values.
    options : dict
        Of the fit.
    routes : tuple of str
        Ways by which the table can travel.
    wrong : str
        What a sentence of refusal must match; empty for a table that must not be refused.
    balanced : bool
        Every class counts the same.
    about : str
        What a sentence about something that was lost must match.
    raw : tuple of (name, bytes), or None
        Training file and file of new rows as they are, where the file is what is awkward.
    target : str
    """

    X: Any
    new: Any
    y: Any
    clean: pd.DataFrame
    clean_new: pd.DataFrame
    answers: NDArray[Any]
    truth: NDArray[Any]
    labels: tuple[Any, ...] | None = None
    center: Any = 0.0
    scale: Any = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    routes: tuple[str, ...] = FRAMES + FILES
    wrong: str = ""
    balanced: bool = False
    about: str = "key"
    raw: tuple[tuple[str, bytes], tuple[str, bytes]] | None = None
    target: str = "target"


Maker = Callable[[np.random.Generator], Case]
KINDS: dict[str, dict[str, Maker]] = {}


def kind(name: str, variants: Mapping[str, Any], make: Callable[..., Case]) -> None:
    """Register a kind: ``make(rng, value)`` for each of the variants."""
    assert name not in KINDS
    KINDS[name] = {label: (lambda rng, value=value: make(rng, value)) for label, value in variants.items()}


def deal(n_tables: int, only: str = "") -> list[tuple[str, str]]:
    """Kind and variant of each table: every variant of every kind in turn, in an order without meaning."""
    cards = [(name, variant) for name in KINDS if only in name for variant in KINDS[name]]
    if not cards:
        raise SystemExit(f"There is no kind {only!r}; known are {', '.join(KINDS)}.")
    random.Random(0).shuffle(cards)
    return [cards[number % len(cards)] for number in range(n_tables)]


@dataclass(frozen=True, eq=False)
class Plain:
    """Rows before anything is awkward about them; the first `n` are for training.

    Attributes
    ----------
    task : str
    n : int
    key, x1, x2 : ndarray
        Columns; `key` has the most to say.
    levels : ndarray of int, or None
        Where the key is a category: which.
    score : ndarray
        What the columns say, and a little chance.
    codes : ndarray of int, or None
        Classes by the score.
    """

    task: str
    n: int
    key: NDArray[np.float64]
    x1: NDArray[np.float64]
    x2: NDArray[np.float64]
    levels: NDArray[np.int64] | None
    score: NDArray[np.float64]
    codes: NDArray[np.int64] | None

    @property
    def columns(self) -> dict[str, Any]:
        return {"key": self.key, "x1": self.x1, "x2": self.x2}

    @property
    def clean(self) -> pd.DataFrame:
        frame = pd.DataFrame(self.columns)
        return frame if self.levels is None else frame.assign(key=[f"L{level}" for level in self.levels])

    @property
    def labels(self) -> tuple[Any, ...] | None:
        return LABELS.get(self.task)

    def target(self, labels: Sequence[Any] | None = None, center: float = 0.0, scale: float = 1.0) -> pd.Series:
        """The target of all rows in its own dress."""
        if self.codes is None:
            return pd.Series(center + scale * self.score)
        return pd.Series([(labels or self.labels)[code] for code in self.codes])

    def case(self, key: Any = None, *, new_key: Any = None, **more: Any) -> Case:
        """A case whose key has another form; `more` are columns (``x_...``) and attributes of the case."""
        columns = {**self.columns, **({} if key is None else {"key": key})}
        return self.of(pd.DataFrame(columns), new_key=new_key, **more)

    def of(self, X: Any, *, new: Any = None, new_key: Any = None, y: Any = None, **more: Any) -> Case:
        """A case of a table of all rows, or of training rows and new ones."""
        y = self.target() if y is None else y
        if new is None:
            X, new = X[: self.n], X[self.n :]
        if new_key is not None:
            new = new.assign(key=pd.Series(new_key)[self.n :])
        clean = more.pop("clean", self.clean)
        answers = self.score if self.codes is None else self.codes
        return Case(
            X=X,
            new=new.reset_index(drop=True) if isinstance(new, pd.DataFrame) else new,
            y=y[: self.n],
            clean=clean[: self.n],
            clean_new=clean[self.n :],
            answers=answers[: self.n],
            truth=answers[self.n :],
            **{"labels": self.labels, **more},
        )


def plain(
    rng: np.random.Generator, task: str = "", *, rows: int = 0, levels: int = 0, key: Any = None, noise: float = 0.3
) -> Plain:
    """Draw rows; the key is normal, one of some categories, or what is given (a function of the number of rows)."""
    task = task or str(rng.choice(TASKS))
    n = rows or int(rng.integers(120, 301))
    total = n + N_NEW
    codes = None
    if levels:
        codes = np.concatenate([rng.permutation(levels), rng.integers(0, levels, total)])[:total]
        values = rng.permutation(np.linspace(-1.8, 1.8, levels))[codes]
    else:
        values = rng.normal(size=total) if key is None else np.asarray(key(total), dtype=float)
    x1, x2 = rng.normal(size=(2, total))
    score = 3.0 * values + x1 + 0.5 * x2 + noise * rng.normal(size=total)
    return Plain(task, n, values, x1, x2, codes, score, _classes(task, score))


def _classes(task: str, score: NDArray[np.float64]) -> NDArray[np.int64] | None:
    if task == "regression":
        return None
    cuts = [0.5] if task == "binary" else [1 / 3, 2 / 3]
    return np.searchsorted(np.quantile(score, cuts), score).astype(np.int64)


def signs(rng: np.random.Generator) -> Callable[[int], NDArray[np.float64]]:
    """Keys of two values."""
    return lambda total: rng.choice([-1.0, 1.0], total)


def with_holes(rng: np.random.Generator, values: Any, share: float, hole: Any) -> pd.Series:
    """Values (dtype object) of which a share is something else."""
    cells = pd.Series(list(values), dtype=object)
    for row in np.flatnonzero(rng.random(len(cells)) < share):
        cells[row] = hole
    return cells
