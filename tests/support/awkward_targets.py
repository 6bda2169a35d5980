"""Targets that are far, tiny, rare, odd or missing, and tables with too little or too much in them."""

from __future__ import annotations

import datetime
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from awkward_tables import FILES, FRAMES, Case, kind, plain

UNITS = {f"{center:g} and {scale:g} times": (center, scale) for center, scale in (
    *((1.7e9, 10.0), (1.7e12, 1e4), (2459000.0, 1e-2), (1e15, 100.0), (-1e15, 1e3), (1e20, 1e10), (1e6, 1e-3)),
    *((0.0, 1e-12), (0.0, 1e-200), (0.0, 1e200), (0.0, 1e305), (5e-9, 1e-9), (1.0, 1e-7), (-273.15, 1e-6)),
)}  # fmt: skip


def _in_units(rng: np.random.Generator, units: tuple[float, float]) -> Case:
    center, scale = units
    p = plain(rng, "regression")
    return p.of(pd.DataFrame(p.columns), y=p.target(center=center, scale=scale), center=center, scale=scale)


kind("targets far, tiny and huge", UNITS, _in_units)

VALUES: dict[str, Any] = {
    "float32": (lambda y: y.astype(np.float32), 0.0, 1.0),
    "float32 far from zero": (lambda y: y.astype(np.float32), 1e6, 100.0),
    "integers": (lambda y: y.round().astype(np.int64), 0.0, 1e3),
    "integers near 2^60": (lambda y: y.round().astype(np.int64), 2.0**60, 1e15),
    "few integers": (lambda y: y.round().astype(np.int64), 0.0, 1.0),
    "nullable": (lambda y: y.round().astype("Int64"), 0.0, 1e3),
    "Arrow": (lambda y: y.astype("double[pyarrow]"), 0.0, 1.0),
    "decimals": (lambda y: pd.Series([Decimal(f"{v:.3f}") for v in y], dtype=object), 0.0, 10.0),
    "objects": (lambda y: y.astype(object), 0.0, 10.0),
    "texts": (lambda y: y.map("{:.3f}".format), 0.0, 10.0),
    "a column": (lambda y: y.to_frame("target"), 0.0, 1.0),
    "a list": (lambda y: y.tolist(), 0.0, 1.0),
    "with another index": (lambda y: y.set_axis(y.index[::-1] + 7), 0.0, 1.0),
}
MARKED = {
    "thousands": lambda v: f"{v:,.2f}",
    "dollars": lambda v: f"-${-v:,.2f}" if v < 0 else f"${v:,.2f}",
    "percent": lambda v: f"{v:.2f} %",
    "German": lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")),
    "kilograms": lambda v: f"{v:.2f} kg",
}


def _of_values(rng: np.random.Generator, how: tuple[Any, float, float]) -> Case:
    dress, center, scale = how
    p = plain(rng, "regression")
    y = p.target(center=center, scale=scale)
    return p.of(pd.DataFrame(p.columns), y=dress(y), center=center, scale=scale, routes=FRAMES[:1])


def _marked_target(rng: np.random.Generator, dress: Any) -> Case:
    p = plain(rng, "regression")
    y = p.target(scale=5e3).map(lambda v: dress(float(v)))
    return p.of(pd.DataFrame(p.columns), y=y, scale=5e3, routes=("csv>csv", "parquet>csv"), wrong="target")


kind("types of values", VALUES, _of_values)
kind("targets with marks", MARKED, _marked_target)

LABELS: dict[str, tuple[Any, ...]] = {
    "truth values": (False, True),
    "minus one and one": (-1, 1),
    "one to three": (1, 2, 3),
    "floats": (0.5, 1.5, 2.5),
    "whole floats": (1.0, 2.0, 4.0),
    "digits": ("1", "2", "10"),
    "zeros in front": ("001", "01", "1"),
    "yes and no": ("yes", "no"),
    "TRUE and FALSE": ("TRUE", "FALSE"),
    "blanks": ("low risk", "high  risk", "no\trisk"),
    "other scripts": ("да", "größer", "低い"),
    "emoji": ("👍", "👎", "🤷"),
    "empty": ("", "full"),
    "the words for missing": ("None", "NA", "nan"),
    "long": ("x" * 5000 + "1", "x" * 5000 + "2"),
    "dates": (pd.Timestamp("2020-01-01"), pd.Timestamp("2021-01-01")),
    "days": (datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)),
    "mixed": (1, "one", 2.5),
    "huge integers": (2**62, 2**62 + 1, -(2**62)),
    "case": ("A", "a", "B"),
    "commas and quotes": ("a,b", 'a"b', "a;b"),
}
_REFUSED = {
    "mixed": "label|mix|type",
    "days": "label|type",
    "floats": "continuous",
    "dates": "label|type",
    "empty": "missing",
    "zeros in front": "constant",
    "the words for missing": "missing",
}


def _labelled(rng: np.random.Generator, name: str) -> Case:
    labels = LABELS[name]
    p = plain(rng, "binary" if len(labels) == 2 else "multiclass")
    files = ("csv>csv",) if name not in ("mixed", "days", "dates", "floats") else ()
    y = pd.Series(p.target(labels), dtype=object if name in ("mixed", "days") else None)
    wrong = _REFUSED.get(name, "")
    return p.of(pd.DataFrame(p.columns), y=y, labels=labels, routes=(*FRAMES, *files), wrong=wrong)


kind("labels", {name: name for name in LABELS}, _labelled)


def _label_dtype(rng: np.random.Generator, name: str) -> Case:
    p = plain(rng, "multiclass")
    y: Any = p.target()
    if name == "categories":
        y = y.astype("category")
    elif name == "categories, some unused":
        y = y.astype(pd.CategoricalDtype(["unused", "high", "middle", "low", "never"], ordered=True))
    elif name == "blanks around":
        y = pd.Series([text + " " * int(rng.integers(3)) for text in y])
    elif name == "Arrow":
        y = y.astype("string[pyarrow]")
    elif name == "array of objects":
        y = y.to_numpy(object)
    elif name == "fixed width":
        y = y.to_numpy(object).astype("U6")
    elif name == "integers as objects":
        y = pd.Series(p.codes, dtype=object)
        return p.of(pd.DataFrame(p.columns), y=y, labels=(0, 1, 2), routes=FRAMES)
    elif name == "bytes":
        y = y.to_numpy(object).astype("S6")
        labels = (b"low", b"middle", b"high")
        return p.of(pd.DataFrame(p.columns), y=y, labels=labels, routes=FRAMES[:1], wrong="bytes")
    return p.of(pd.DataFrame(p.columns), y=y, routes=FRAMES[:1])


_DTYPES = ("categories", "categories, some unused", "blanks around", "Arrow", "array of objects", "fixed width")
kind("dtypes of labels", {name: name for name in (*_DTYPES, "integers as objects", "bytes")}, _label_dtype)


def _rare(rng: np.random.Generator, share: float) -> Case:
    p = plain(rng, "binary", rows=300)
    codes = (p.score > np.quantile(p.score, 1 - share)).astype(np.int64)
    p = replace(p, codes=codes)
    options = {"metric": "balanced_accuracy"}
    return p.of(pd.DataFrame(p.columns), options=options, balanced=True)


kind("rare classes", {f"{share:.0%}": share for share in (0.15, 0.08, 0.04)}, _rare)


def _tiny_classes(rng: np.random.Generator, sizes: tuple[int, ...]) -> Case:
    """A few rows of the training table are of classes that are hardly there, and not in the new rows."""
    p = plain(rng, "binary", rows=120)
    codes, row = p.codes.copy(), 0
    for code, size in enumerate(sizes, start=2):
        codes[row : row + size] = code
        row += size
    labels = tuple(f"class {code}" for code in range(2 + len(sizes)))
    p = replace(p, codes=codes)
    return p.of(pd.DataFrame(p.columns), y=p.target(labels), labels=labels)


_SIZES = {"one row": (1,), "two rows": (2,), "ten of one row": (1,) * 10, "of 1 to 4 rows": (1, 2, 3, 4)}
kind("tiny classes", _SIZES, _tiny_classes)


def _few_rows(rng: np.random.Generator, rows: int) -> Case:
    p = plain(rng, rows=rows, noise=0.0)
    return p.of(pd.DataFrame(p.columns), wrong="row|sample|class|constant" if rows <= 8 else "")


kind("few rows", {f"{rows} rows": rows for rows in (1, 2, 3, 5, 8, 12, 20)}, _few_rows)


def _hopeless(rng: np.random.Generator, how: str) -> Case:
    """Tables of which nothing can be learned: each must be refused by a sentence that says why."""
    p = plain(rng, "binary" if how in ("one class", "a label for each row") else "")
    X, y = pd.DataFrame(p.columns), p.target()
    if how == "one class":
        y = pd.Series(["low"] * len(y))
    elif how == "one value":
        p = replace(p, task="regression", codes=None)
        y = pd.Series(np.full(len(y), 3.5))
    elif how == "a label for each row":
        y = pd.Series([f"label {i}" for i in range(len(y))])
    elif how == "no target at all":
        y = pd.Series(np.full(len(y), np.nan))
    elif how == "targets missing":
        y = y.astype(object).where(rng.random(len(y)) > 0.2, None)
    elif how == "infinite targets":
        p = replace(p, task="regression", codes=None)
        y = pd.Series(np.where(np.arange(len(y)) == 5, np.inf, p.score))
    elif how == "constant columns":
        X = pd.DataFrame({"a": np.ones(len(y)), "b": "same", "c": np.nan})
    elif how == "no column":
        X = X[[]]
    elif how == "a column twice":
        X = X.set_axis(["key", "x1", "key"], axis=1)
    elif how == "another length":
        return replace(p.of(X, routes=FRAMES[:1], wrong=WHY[how]), y=y[: p.n - 7])
    elif how == "three dimensions":
        cube = X.to_numpy()[:, :, None]
        return p.of(cube, y=y, routes=FRAMES[:1], wrong=WHY[how])
    elif how == "new rows without the key":
        found = p.of(X, wrong=WHY[how])
        return replace(found, new=found.new.drop(columns="key"))
    elif how == "words in a column of numbers":
        found = p.of(X, wrong=WHY[how])
        return replace(found, new=found.new.astype(object).assign(key="much"), routes=("frame>frame", "csv>csv"))
    elif how == "words in a column of dates":
        moments = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.round(400 * p.key), unit="D")
        found = p.case(moments.strftime("%d.%m.%Y"), wrong=WHY[how])
        return replace(found, new=found.new.assign(key="soon"), routes=("frame>frame", "csv>csv"))
    routes = FRAMES[:1] if how in ("no column", "a column twice", "infinite targets") else ("frame>frame", "csv>csv")
    return p.of(X, y=y, routes=routes, wrong=WHY[how])


WHY = {
    "one class": "one class|constant",
    "one value": "constant",
    "a label for each row": "different label|unique|classes",
    "no target at all": "missing in all|NaN",
    "targets missing": "missing in",
    "infinite targets": "inf",
    "constant columns": "No column is left",
    "no column": "column|feature",
    "a column twice": "key",
    "another length": "samples|rows|length",
    "three dimensions": "dim",
    "new rows without the key": "key|feature names",
    "words in a column of numbers": "key.*much",
    "words in a column of dates": "key.*soon",
}
kind("nothing to learn or to predict", {how: how for how in WHY}, _hopeless)


def _some_missing(rng: np.random.Generator, share: float) -> Case:
    p = plain(rng)
    found = p.of(pd.DataFrame(p.columns), options={"drop_missing_targets": True})
    kept = rng.random(p.n) > share
    y = found.y.astype(object).where(kept, None) if found.labels else found.y.where(kept)
    clean, answers = found.clean[kept], found.answers[kept]
    return replace(found, y=y, clean=clean, answers=answers, routes=("frame>frame", "csv>csv", "parquet>csv"))


kind("targets missing and left out", {f"{share:.0%}": share for share in (0.1, 0.5)}, _some_missing)


def _several(rng: np.random.Generator, how: str) -> Case:
    p = plain(rng, "regression")
    other = -2.0 * p.key + p.x2 + 0.2 * rng.normal(size=len(p.key))
    answers = np.column_stack([p.score, other])
    found = p.of(pd.DataFrame(p.columns), routes=FRAMES)
    center, scale, labels = 0.0, 1.0, None
    if how.startswith("values"):
        center, scale = (np.array([1.7e9, 5e-9]), np.array([10.0, 1e-9])) if "far" in how else (0.0, 1.0)
        y: Any = center + scale * answers
    else:
        answers = (answers > 0).astype(np.int64)
        labels = (False, True) if how == "labels of truth values" else (0, 1)
        y = answers.astype(bool) if how == "labels of truth values" else answers
    if how == "labels in a sparse matrix":
        from scipy import sparse

        y = sparse.csr_matrix(y)[: p.n]
    elif how in ("values in a frame", "labels in a frame"):
        y = pd.DataFrame(y, columns=["first", "second"])
    y, answers, truth = y[: p.n], answers[: p.n], answers[p.n :]
    wrong = "[Ss]parse" if how == "labels in a sparse matrix" else ""
    return replace(
        found,
        y=y,
        answers=answers,
        truth=truth,
        labels=labels,
        center=center,
        scale=scale,
        wrong=wrong,
        routes=FRAMES[:1],
    )


_SEVERAL = ("values", "values in a frame", "values, far and tiny", "labels", "labels in a frame")
kind(
    "several targets",
    {how: how for how in (*_SEVERAL, "labels of truth values", "labels in a sparse matrix")},
    _several,
)


def _repeated(rng: np.random.Generator, how: str) -> Case:
    """More of the same: rows and columns that say nothing new."""
    p = plain(rng)
    X, clean = pd.DataFrame(p.columns), p.clean
    total = len(X)
    if how == "rows three times":
        found = p.of(X)
        rows = np.tile(np.arange(p.n), 3)
        return replace(
            found,
            X=found.X.iloc[rows],
            y=pd.Series(found.y).iloc[rows],
            clean=clean.iloc[rows],
            answers=found.answers[rows],
            routes=("frame>frame", "csv>csv"),
        )
    if how == "columns six times":
        X = X.assign(**{f"x_{i}": X["key"] for i in range(5)})
    elif how == "constants of every kind":
        odd = {"text": "same", "number": 7, "truth": True, "day": pd.Timestamp("2020-01-01"), "none": None}
        X = X.assign(**{f"x_{name}": value for name, value in odd.items()})
    elif how == "nearly constant":
        X = X.assign(**{f"x_{i}": np.where(np.arange(total) == i, 1e9, 0.0) for i in range(5)})
    elif how == "sums of others":
        X = X.assign(x_sum=X["key"] + X["x1"], x_difference=X["key"] - X["x1"])
    elif how == "an image of the key":
        X = X.assign(x_tenfold=10 * X["key"], x_text=X["key"].map("{:.9f}".format))
    elif how == "600 columns of noise":
        noise = pd.DataFrame(rng.normal(size=(total, 600))).add_prefix("n")
        X, clean = pd.concat([X, noise], axis=1), pd.concat([clean, noise], axis=1)
    elif how == "1,000 constants":
        X = pd.concat([X, pd.DataFrame(np.zeros((total, 1000))).add_prefix("z")], axis=1)
    elif how == "one column":
        X, clean = X[["key"]], clean[["key"]]
    return p.of(X, clean=clean, routes=(*FRAMES, *FILES[:2]) if how != "constants of every kind" else FRAMES)


_MORE = ("rows three times", "columns six times", "constants of every kind", "nearly constant", "sums of others")
kind(
    "more of the same",
    {how: how for how in (*_MORE, "an image of the key", "600 columns of noise", "1,000 constants", "one column")},
    _repeated,
)
