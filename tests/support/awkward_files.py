"""Files, frames and matrices that are awkward, and new rows that come otherwise than those of training."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from awkward_tables import FRAMES, Case, kind, plain

PLACES = ("Köln", "Málaga", "Besançon", "Århus", "Łódź", "Praha", "München", "Zürich")
CP1252 = ("Kiosk €", "“Café”", "Pub – old", "Œuvre", "Škoda", "žula", "naïve", "plain")
RUSSIAN = ("Москва", "Киев", "Минск", "Рига", "Баку", "Ереван", "Астана", "Омск")
JAPANESE = ("東京", "大阪", "京都", "札幌", "福岡", "神戸", "名古屋", "仙台")

ENCODINGS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "UTF-8": (PLACES, "utf-8", "utf-8"),
    "UTF-8 with a mark, then without": (PLACES, "utf-8-sig", "utf-8"),
    "UTF-16": (RUSSIAN, "utf-16", "utf-8"),
    "UTF-16, big end first": (JAPANESE, "utf-16-be", "utf-16"),
    "Latin-1, then UTF-8": (PLACES[:4], "latin-1", "utf-8"),
    "UTF-8, then Latin-1": (PLACES[:4], "utf-8", "latin-1"),
    "Windows, then UTF-8": (CP1252, "cp1252", "utf-8"),
    "UTF-8, then Windows": (CP1252, "utf-8", "cp1252"),
    "Windows twice": (CP1252, "cp1252", "cp1252"),
    "Cyrillic twice": (RUSSIAN, "cp1251", "cp1251"),
    "Cyrillic, then UTF-8": (RUSSIAN, "cp1251", "utf-8"),
    "Shift JIS twice": (JAPANESE, "shift-jis", "shift-jis"),
    "UTF-32": (PLACES, "utf-32", "utf-32"),
}


def _encoded(rng: np.random.Generator, how: tuple[tuple[str, ...], str, str]) -> Case:
    words, first, second = how
    p = plain(rng, levels=len(words))
    found = p.case([words[level] for level in p.levels], wrong="decod|encod|UTF|utf|target" if "32" in first else "")
    head = b"\xfe\xff" if first == "utf-16-be" else b""
    train = found.X.assign(target=found.y.to_numpy()).to_csv(index=False)
    new = found.new.to_csv(index=False)
    raw = ("train.csv", head + train.encode(first)), ("new.csv", new.encode(second))
    return replace(found, raw=raw, routes=("raw",))


kind("encodings of files", ENCODINGS, _encoded)


STYLES: dict[str, tuple[dict[str, Any], Callable[[str], str]]] = {
    "semicolons and decimal commas": ({"sep": ";", "decimal": ","}, str),
    "semicolons and decimal points": ({"sep": ";"}, str),
    "bars": ({"sep": "|"}, str),
    "tabs in a .csv": ({"sep": "\t"}, str),
    "all quoted": ({"quoting": 1}, str),
    "ends of lines of Windows": ({"lineterminator": "\r\n"}, str),
    "ends of lines of old Macs": ({"lineterminator": "\r"}, str),
    "no end of the last line": ({}, lambda text: text.rstrip("\n")),
    "blank lines": ({}, lambda text: text.replace("\n", "\n\n")),
    "blank lines at the end": ({}, lambda text: text + "\n\n\n"),
    "blanks after commas": ({}, lambda text: text.replace(",", ", ")),
    "blanks before commas": ({}, lambda text: text.replace(",", " ,")),
    "a comma at the end of each line": ({}, lambda text: text.replace("\n", ",\n")),
    "a comma at the end of each row": ({}, lambda text: text.replace("\n", ",\n").replace(",\n", "\n", 1)),
    "a comment first": ({}, lambda text: "# made by a machine\n" + text),
    "a title first": ({}, lambda text: "Measurements of the year\n\n" + text),
    "sep= of Excel": ({"sep": ";"}, lambda text: "sep=;\n" + text),
    "a sum last": ({}, lambda text: text + "total" + "," * (text.split("\n")[0].count(",")) + "\n"),
    "the header again in the middle": ({}, lambda text: text + text[: text.index("\n") + 1]),
    "no header": ({"header": False}, str),
    "blanks between columns": ({"sep": " "}, str),
    "a cell too many": ({}, lambda text: text + "1,2,3,4,5,6\n"),
    "a line too short": ({}, lambda text: text.rstrip("\n") + "\n1.5\n"),
    "17 digits": ({"float_format": "%.17g"}, str),
    "nothing": ({}, lambda text: ""),
    "bytes of zero": ({}, lambda text: text.replace("\n", "\0\n", 3)),
}
_SAID = {
    "a comment first": "target|first line",
    "a title first": "target|first line",
    "sep= of Excel": "target|first line",
    "no header": "target|more than one|header",
    "blanks between columns": "target",
    "a cell too many": "first line|Expected",
    "a comma at the end of each row": "first line|Expected",
    "a sum last": "missing|words|target",
    "the header again in the middle": "target",
    "a line too short": "missing",
    "nothing": "empty",
    "bytes of zero": "target|missing",
}


def _styled(rng: np.random.Generator, name: str) -> Case:
    options, change = STYLES[name]
    p = plain(rng)
    found = p.of(pd.DataFrame(p.columns), wrong=_SAID.get(name, ""))
    train = change(found.X.assign(target=found.y.to_numpy()).to_csv(index=False, **options))
    new = found.new.to_csv(index=False)
    return replace(found, raw=(("train.csv", train.encode()), ("new.csv", new.encode())), routes=("raw",))


kind("styles of text files", {name: name for name in STYLES}, _styled)


def _late_commas(rng: np.random.Generator, separator: str) -> Case:
    """Decimal commas that begin after the lines by which a reader decides."""
    p = plain(rng)
    key = np.round(100 * p.key, 1)
    whole = np.arange(len(key)) < 60
    key[whole] = np.round(key[whole])
    cells = [f"{v:.0f}" if w else f"{v:.1f}".replace(".", ",") for v, w in zip(key, whole, strict=True)]
    X = pd.DataFrame({"key": cells, "x1": np.round(p.x1).astype(int), "x2": np.round(p.x2).astype(int)})
    found = p.of(X)
    train = found.X.assign(target=found.y.astype(str).str.replace(".", ",").to_numpy()).to_csv(
        index=False, sep=separator
    )
    new = found.new.to_csv(index=False, sep=separator)
    return replace(found, raw=(("train.csv", train.encode()), ("new.csv", new.encode())), routes=("raw",))


kind("decimal commas after row 60", {"semicolons": ";", "tabs": "\t"}, _late_commas)

INDICES = ("", "Unnamed: 0", "index", "row", "customer_id", "level_0")


def _indexed(rng: np.random.Generator, name: str) -> Case:
    """Rows sorted by the target, with the number of the row beside them, which new rows have from another file."""
    p = plain(rng)
    order = np.concatenate([np.argsort(p.score[: p.n], kind="stable"), np.arange(p.n, len(p.score))])
    frame = pd.DataFrame(p.columns).iloc[order].reset_index(drop=True)
    numbers = np.concatenate([np.arange(p.n), rng.permutation(N_ROWS)[: len(order) - p.n]])
    found = p.of(frame, clean=frame, y=p.target().iloc[order].reset_index(drop=True))
    answers = p.score if p.codes is None else p.codes
    found = replace(found, answers=answers[order[: p.n]])
    X, new = found.X.copy(), found.new.copy()
    X.insert(0, name, numbers[: p.n])
    new.insert(0, name, numbers[p.n :])
    about = re.escape(name) or "Unnamed"
    return replace(found, X=X, new=new, about=about, routes=("csv>csv", "parquet>csv") if name else ("csv>csv",))


N_ROWS = 5_000
kind("numbers of the rows", {name or "without a name": name for name in INDICES}, _indexed)


def _ids(rng: np.random.Generator, form: str) -> Case:
    p = plain(rng)
    X = pd.DataFrame(p.columns).assign(x_id=[form.format(i) for i in rng.permutation(10**6)[: len(p.key)]])
    return p.of(X, about="x_id")


kind("ids of the rows", {form: form for form in ("K{:07d}", "{:08x}-aa", "user{}@mail.org", "{}")}, _ids)

PAIRS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "int, then float": (lambda v: v, lambda v: v.astype(float)),
    "int, then text": (lambda v: v, lambda v: v.astype(str)),
    "int, then text of floats": (lambda v: v, lambda v: v.astype(float).astype(str)),
    "float, then objects": (lambda v: v.astype(float), lambda v: v.astype(object)),
    "text, then int": (lambda v: v.astype(str), lambda v: v),
    "text, then category": (lambda v: v.astype(str), lambda v: v.astype(str).astype("category")),
    "int, then nullable": (lambda v: v, lambda v: v.astype("Int32")),
    "int, then Arrow": (lambda v: v, lambda v: v.astype("int16[pyarrow]")),
    "int, then blanks around": (lambda v: v, lambda v: " " + v.astype(str) + " "),
    "float32, then float64": (lambda v: v.astype(np.float32), lambda v: v.astype(np.float64)),
}
NAMES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "text, then category": (lambda v: "n" + v, lambda v: ("n" + v).astype("category")),
    "category, then text": (lambda v: ("n" + v).astype("category"), lambda v: "n" + v),
    "category, then another order": (
        lambda v: ("n" + v).astype("category"),
        lambda v: ("n" + v).astype(pd.CategoricalDtype([f"n{i}" for i in range(9, -1, -1)])),
    ),
    "category of ints, then ints": (lambda v: v.astype(int).astype("category"), lambda v: v.astype(int)),
    "category of ints, then floats": (lambda v: v.astype(int).astype("category"), lambda v: v.astype(float)),
    "category of ints, then text": (lambda v: v.astype(int).astype("category"), lambda v: v),
    "text, then Arrow": (lambda v: "n" + v, lambda v: ("n" + v).astype("large_string[pyarrow]")),
    "text, then bytes": (lambda v: "n" + v, lambda v: pd.Series([f"n{x}".encode() for x in v], dtype=object)),
    "text, then blanks around": (lambda v: "n" + v, lambda v: " n" + v + "  "),
}


def _drifting_number(rng: np.random.Generator, how: tuple[Any, Any]) -> Case:
    first, second = how
    p = plain(rng)
    values = pd.Series(np.round(100 * p.key).astype(int))
    return p.case(first(values), new_key=second(values), routes=FRAMES[:1])


def _drifting_name(rng: np.random.Generator, how: tuple[Any, Any]) -> Case:
    first, second = how
    p = plain(rng, levels=8)
    values = pd.Series(p.levels).astype(str)
    return p.case(first(values), new_key=second(values), routes=FRAMES[:1])


kind("numbers of another dtype later", PAIRS, _drifting_number)
kind("names of another dtype later", NAMES, _drifting_name)


def _unknown(rng: np.random.Generator, how: str) -> Case:
    """New rows have categories that training has not: some, or, by another spelling, all of them."""
    p = plain(rng, levels=6)
    words = np.array(["red", "green", "blue", "white", "black", "grey"])
    key = words[p.levels]
    later = key.astype(object)
    clean = p.clean
    if how == "some":
        strange = rng.random(len(key)) < 0.1
        later[strange] = "violet"
        clean = clean.assign(key=np.where(strange & (np.arange(len(key)) >= p.n), "new", clean["key"]))
    else:
        later = np.array([word.upper() if how == "capitals" else word[::-1] for word in later], dtype=object)
    return p.case(key, new_key=later, clean=clean, routes=("frame>frame", "csv>csv", "parquet>csv"))


kind("unknown categories", {how: how for how in ("some", "capitals", "another language")}, _unknown)


def _text(rng: np.random.Generator, how: str) -> Case:
    """Free texts of which the words tell the score."""
    p = plain(rng, "binary", rows=300, key=lambda total: rng.normal(size=total), noise=0.1)
    english = ("sun garden music friend holiday bread river smile", "rain noise letter debt winter queue dust alarm")
    chinese = ("今天 天气 很好 我们 公园 喜欢 音乐 电影", "工作 加班 生病 医院 下雨 堵车 账单 噪音")
    good, bad = (half.split() for half in (chinese if how == "Chinese" else english))
    share = 1 / (1 + np.exp(-2 * p.key))
    picked = [
        [good[i] if is_good else bad[i] for is_good, i in zip(rng.random(12) < s, rng.integers(0, 8, 12), strict=True)]
        for s in share
    ]
    clean = pd.DataFrame({word: [row.count(word) for row in picked] for word in (*good, *bad)})
    clean = clean.assign(x1=p.x1, x2=p.x2)
    texts = [("" if how == "Chinese" else " ").join(row) for row in picked]
    if how == "HTML":
        texts = [f"<p class='a'>{text.replace(' ', '&nbsp;<br/>')}</p>" for text in texts]
    elif how == "lines":
        texts = [text.replace(" ", '\n"', 1) for text in texts]
    elif how == "capitals later":
        return p.case(texts, new_key=[text.upper() for text in texts], clean=clean)
    elif how == "numbered":
        texts = [f"{i}: {text} {i * 7919}" for i, text in enumerate(texts)]
    return p.case(texts, clean=clean)


kind("texts", {how: how for how in ("English", "Chinese", "HTML", "lines", "capitals later", "numbered")}, _text)

SPARSE: dict[str, Callable[[Any], Any]] = {
    "CSR": lambda X: _sparse().csr_matrix(X),
    "CSC": lambda X: _sparse().csc_matrix(X),
    "COO": lambda X: _sparse().coo_matrix(X),
    "array": lambda X: _sparse().csr_array(X),
    "integers": lambda X: _sparse().csr_matrix(np.round(10 * X).astype(np.int32)),
    "float32": lambda X: _sparse().csr_matrix(X.astype(np.float32)),
    "explicit zeros": lambda X: _with_zeros(_sparse().csr_matrix(X)),
    "indices of 64 bits": lambda X: _long(_sparse().csr_matrix(X)),
    "columns without values": lambda X: _sparse().hstack(
        [_sparse().csr_matrix(X), np.zeros((len(X), 400))], format="csr"
    ),
    "frame of zeros": lambda X: _sparse_frame(X, 0.0),
    "frame of nothing": lambda X: _sparse_frame(np.where(X == 0, np.nan, X), np.nan),
    "frame of ones": lambda X: _sparse_frame(np.where(X == 0, 1.0, X), 1.0),
}


def _sparse() -> Any:
    from scipy import sparse

    return sparse


def _with_zeros(matrix: Any) -> Any:
    matrix.data[::17] = 0.0
    return matrix


def _long(matrix: Any) -> Any:
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    return matrix


def _sparse_frame(X: Any, fill: float) -> pd.DataFrame:
    return pd.DataFrame({f"s{i}": pd.arrays.SparseArray(column, fill_value=fill) for i, column in enumerate(X.T)})


def _thin(rng: np.random.Generator, name: str) -> Case:
    p = plain(rng)
    X = np.where(rng.random((len(p.key), 6)) < 0.4, rng.normal(size=(len(p.key), 6)), 0.0)
    score = X @ [3.0, 2.0, -2.0, 1.0, 0.0, 0.0] + 0.2 * p.x1
    p = replace(p, score=score, codes=None if p.codes is None else (score > np.median(score)).astype(np.int64) + (
        (score > np.quantile(score, 0.8)).astype(np.int64) if p.task == "multiclass" else 0))  # fmt: skip
    matrix = SPARSE[name](X)
    clean = pd.DataFrame(np.where(X == 0, np.nan, X) if name == "frame of nothing" else X).add_prefix("s")
    if name == "frame of ones":
        clean = clean.replace(0.0, 1.0)
    rows = matrix if hasattr(matrix, "iloc") or name == "array" else _sparse().csr_matrix(matrix)
    train, new = rows[: p.n], rows[p.n :]
    if name in ("CSC", "COO"):
        train = train.asformat(name.lower())
    if not hasattr(matrix, "iloc") and rng.random() < 0.3:
        new = new.toarray()
    return p.of(train, new=new, clean=clean, routes=FRAMES[:1])


kind("sparse tables", {name: name for name in SPARSE}, _thin)


def _records(frame: pd.DataFrame) -> Any:
    return frame.to_records(index=False)


FOREIGN: dict[str, Callable[[pd.DataFrame], Any]] = {
    "array": lambda frame: frame.to_numpy(),
    "Fortran's order": lambda frame: np.asfortranarray(frame.to_numpy()),
    "array of objects": lambda frame: frame.to_numpy(object),
    "array of texts": lambda frame: frame.to_numpy().astype(str),
    "read-only": lambda frame: _read_only(frame.to_numpy()),
    "lists": lambda frame: frame.to_numpy().tolist(),
    "tuples": lambda frame: [tuple(row) for row in frame.to_numpy()],
    "polars": lambda frame: __import__("polars").from_pandas(frame),
    "Arrow": lambda frame: __import__("pyarrow").Table.from_pandas(frame, preserve_index=False),
    "records": _records,
    "masked array": lambda frame: np.ma.masked_less(frame.to_numpy(), -2.5),
    "dates as index": lambda frame: frame.set_index(pd.date_range("2020", periods=len(frame))),
    "two levels of index": lambda frame: frame.set_index([frame.index // 3, frame.index % 3]),
    "the same index everywhere": lambda frame: frame.set_index(np.zeros(len(frame), dtype=int)),
    "every third row": lambda frame: pd.concat([frame] * 3).sort_index(kind="stable").iloc[::3],
    "list of dictionaries": lambda frame: frame.to_dict("records"),
    "dictionary of lists": lambda frame: frame.to_dict("list"),
    "subclass": lambda frame: type("Mine", (pd.DataFrame,), {})(frame),
}
_MAY_BE_REFUSED = {
    "records": "dim|2D|array|column",
    "list of dictionaries": "dict|number|float|dim|2D",
    "dictionary of lists": "dict|dim|2D|array|rows",
    "masked array": "mask",
}


def _read_only(array: Any) -> Any:
    array.flags.writeable = False
    return array


def _foreign(rng: np.random.Generator, name: str) -> Case:
    p = plain(rng)
    frame = pd.DataFrame(p.columns)
    convert = FOREIGN[name]
    clean = frame.where(frame >= -2.5) if name == "masked array" else frame
    found = p.of(convert(frame[: p.n].copy()), new=convert(frame[p.n :].reset_index(drop=True)), clean=clean)
    return replace(found, routes=FRAMES[:1], wrong=_MAY_BE_REFUSED.get(name, ""))


kind("frames of other kinds", {name: name for name in FOREIGN}, _foreign)


def _through(rng: np.random.Generator, route: str) -> Case:
    """An ordinary table with a bit of everything, through every pair of formats."""
    p = plain(rng, levels=6)
    X = pd.DataFrame(p.columns).assign(key=[f"level {level}" for level in p.levels], x_day="2020-01-01")
    X["x_day"] = pd.to_datetime(X["x_day"]) + pd.to_timedelta(rng.integers(0, 900, len(X)), unit="D")
    X["x_truth"], X["x_whole"] = rng.random(len(X)) < 0.5, rng.integers(0, 9, len(X))
    options = {}
    if "arff" in route or "npz" in route:
        X = X.drop(columns=["x_day", "x_truth"]).assign(key=p.levels).astype(float)
        options = {"categorical": "key"}
    return p.of(X, routes=(route,), options=options)


_ROUTES = ("csv>parquet", "parquet>csv", "feather>h5", "h5>feather", "parquet>tsv", "csv.gz>csv.xz", "csv>csv.zst")
kind("formats", {route: route for route in (*_ROUTES, "arff>csv", "csv>arff", "npz>csv", "frame>read_csv")}, _through)
