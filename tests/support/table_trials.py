"""One awkward table: fitted and predicted by some route, and compared with a baseline on the clean table."""

from __future__ import annotations

import re
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from awkward_tables import KINDS, Case
from numpy.typing import NDArray
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mpi_automl.data.load import load_task
from mpi_automl.data.read import read_table
from mpi_automl.data.write import write_table
from mpi_automl.errors import UserError
from mpi_automl.estimators import AutoMLClassifier, AutoMLRegressor
from mpi_automl.estimators.jobs import Data, run_here
from mpi_automl.runs.run import Run
from mpi_automl.settings import Settings
from mpi_automl.storage.table import READERS, WRITERS

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 0.05
_STANDARD_ERRORS = 3.0
_WORST = 10.0
"""Squared error of one row, by the variance, beyond which it counts no more."""
_LEARNERS = {"values": ("ridge", "decision_tree"), "labels": ("logistic_regression", "decision_tree")}
_LOST = re.compile(r"left out|unknown|as missing|looks like an id|are cut", re.IGNORECASE)
_PIECES = (slice(0, 1), slice(1, 8))


class MisreadError(Exception):
    """New rows mean something else one by one than together."""


def try_table(
    number: int, kind: str, variant: str, *, seed: int, commands: float, loud: bool = False
) -> dict[str, Any]:
    """Try one table; gives its line of the results."""
    rng = np.random.default_rng([seed, number])
    case = KINDS[kind][variant](rng)
    route = str(rng.choice(case.routes))
    if route in ("csv>csv", "raw") and rng.random() < commands:
        route = "commands"
    record: dict[str, Any] = {"number": number, "route": route, "task": _task(case)}
    with TemporaryDirectory(prefix="table-") as place, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            predictions, notes = _by(route)(case, route, Path(place))
        except MisreadError as error:
            return {**record, "outcome": "silent", "sentence": str(error)}
        except Exception as error:
            if loud:
                traceback.print_exc()
            return {**record, **_failed(case, error)}
    said = [str(one.message) for one in caught if issubclass(one.category, UserWarning)] + notes
    if loud:
        print(*said, case.X, sep="\n")
    return {**record, **_compared(case, predictions, said)}


def _task(case: Case) -> str:
    several = "several " if np.ndim(case.answers) > 1 else ""
    return several + ("values" if case.labels is None else f"{len(case.labels)} classes")


def _by(route: str) -> Callable[[Case, str, Path], tuple[Any, list[str]]]:
    if route.startswith("frame"):
        return by_estimator
    return by_commands if route == "commands" else by_files


def _failed(case: Case, error: Exception) -> dict[str, Any]:
    sentence = f"{error}"
    if not isinstance(error, (UserError, ValueError, TypeError)):
        frames = traceback.extract_tb(error.__traceback__)
        return {"outcome": "crash", "sentence": f"{type(error).__name__}: {sentence[-500:]} ({frames[-1]})"}
    is_named = bool(case.wrong) and re.search(case.wrong, sentence) is not None
    return {
        "outcome": "refused" if is_named else "strange",
        "sentence": sentence[:500],
        "error": type(error).__name__,
    }


def _compared(case: Case, predictions: Any, said: list[str]) -> dict[str, Any]:
    ours, plain = losses(case, predictions), baseline_losses(case)
    worse = ours - plain
    chance = _STANDARD_ERRORS * worse.std() / np.sqrt(len(worse)) if case.labels is not None else 0.0
    is_worse = worse.mean() > max(TOLERANCE + 1.0 / len(case.answers), chance)
    told = [text for text in said if re.search(case.about, text) and _LOST.search(text)]
    return {
        "outcome": "good" if not is_worse else "told" if told else "silent",
        "loss": round(float(ours.mean()), 4),
        "baseline": round(float(plain.mean()), 4),
        "sentence": (told or said or [""])[0][:500],
    }


def _options(case: Case) -> dict[str, Any]:
    learner = "regressor" if case.labels is None else "classifier"
    names = _LEARNERS["values" if case.labels is None else "labels"]
    include = [*(f"{learner}:{name}" for name in names), "feature_preprocessor:no_preprocessing"]
    limits = {"time": 75.0, "trial_time": 15.0, "trials": 3, "initial_design": "default"}
    return {**limits, "include": tuple(include), **case.options}


def by_estimator(case: Case, route: str, place: Path) -> tuple[Any, list[str]]:
    """Fit an estimator to what the case has; new rows come likewise, or as pandas reads them from a file."""
    estimator = (AutoMLRegressor if case.labels is None else AutoMLClassifier)(**_options(case))
    estimator.fit(case.X, case.y)

    def predicted(rows: Any) -> Any:
        if route == "frame>read_csv":
            rows.to_csv(place / "new.csv", index=False)
            rows = pd.read_csv(place / "new.csv")
        return estimator.predict(rows)

    return _in_pieces(case, case.new, predicted), []


def by_files(case: Case, route: str, place: Path) -> tuple[Any, list[str]]:
    """Do in this process what the commands do with a file of training rows and another one of new rows."""
    train, new = written(case, route, place)
    settings = Settings(table=str(train), target=case.target, out=str(place / "run"), report=False, **_options(case))
    outcome = run_here(lambda: (settings, _FileData(None, None, None, None, train.name)), None)
    model = Run(outcome.directory).model

    def predicted(rows: Any) -> Any:
        path = new if rows is None else _write(rows, place / f"piece{''.join(new.suffixes)}")
        return model.predict(read_table(path, readers=READERS, texts=model.schema.text_columns))

    whole = predicted(None)
    if route != "raw":
        _check_pieces(case, case.new, predicted, whole)
    return whole, list(outcome.features["notes"])


class _FileData(Data):
    """A table in a file, in the place of arrays; its notes travel as `features`."""

    def task(self, settings: Settings) -> Any:
        task = load_task(settings, readers=READERS)
        self.features["notes"] = task.notes
        return task


def by_commands(case: Case, route: str, place: Path) -> tuple[Any, list[str]]:
    """Run ``fit`` and ``predict``."""
    train, new = written(case, "csv>csv" if case.raw is None else "raw", place)
    options = _options(case)
    words = [
        word
        for name, value in options.items()
        for word in (f"--{name.replace('_', '-')}", ",".join(value) if isinstance(value, tuple) else str(value).lower())
    ]
    fit = ["fit", str(train), "--target", case.target, *words, "--report", "false", "--out", str(place / "run")]
    said = _command(fit)
    said += _command(["predict", str(place / "run"), str(new), "--out", str(place / "predicted.csv")])
    found = pd.read_csv(place / "predicted.csv", dtype=str, keep_default_na=False)[case.target].to_numpy()
    return found if case.labels is not None else found.astype(float), said


def _command(words: list[str]) -> list[str]:
    """Run a command; gives its lines, or raises what its status means."""
    command = [sys.executable, "-m", "mpi_automl", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=80, check=False)
    if done.returncode == 2:
        raise UserError(done.stderr.strip())
    if done.returncode:
        raise RuntimeError(f"status {done.returncode}: {done.stderr}")
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]


def written(case: Case, route: str, place: Path) -> tuple[Path, Path]:
    """The files of training and new rows; the new ones have their columns in another order and one more."""
    if case.raw is not None:
        paths = []
        for name, content in case.raw:
            (place / name).write_bytes(content)
            paths.append(place / name)
        return paths[0], paths[1]
    first, second = route.split(">")
    y = case.y if isinstance(case.y, pd.Series) else pd.Series(case.y)
    train = case.X.reset_index(drop=True).assign(**{case.target: y.reset_index(drop=True)})
    new = case.new[case.new.columns[::-1]]
    new = new.assign(x_further=1.5) if isinstance(new.columns[0], str) else new
    return _write(train, place / f"train.{first}"), _write(new, place / f"new.{second}")


def _write(frame: pd.DataFrame, path: Path) -> Path:
    write_table(frame, str(path), writers=WRITERS)
    return path


def _in_pieces(case: Case, rows: Any, predicted: Callable[[Any], Any]) -> Any:
    whole = predicted(rows)
    _check_pieces(case, rows, predicted, whole)
    return whole


def _check_pieces(case: Case, rows: Any, predicted: Callable[[Any], Any], whole: Any) -> None:
    """See that a few rows alone are predicted as among all others."""
    if not isinstance(rows, (pd.DataFrame, np.ndarray)):
        return
    for piece in _PIECES:
        part = rows.iloc[piece] if isinstance(rows, pd.DataFrame) else rows[piece]
        together, alone = (clean_values(case, found) for found in (np.asarray(whole)[piece], predicted(part)))
        if not np.allclose(together, alone, rtol=1e-6, atol=1e-6, equal_nan=True):
            raise MisreadError(
                f"rows {piece.start} to {piece.stop} are {alone[:2]} alone and {together[:2]} among others"
            )


def clean_values(case: Case, predictions: Any) -> NDArray[np.float64]:
    """Codes of predicted labels, -1 for a label that is none, or values without center and scale."""
    if case.labels is None:
        values = np.asarray(predictions, dtype=np.longdouble)
        return np.asarray((values - case.center) / case.scale, dtype=np.float64)
    codes = {plain_label(label): code for code, label in enumerate(case.labels)}
    cells = np.asarray(predictions, dtype=object)
    return np.array([codes.get(plain_label(cell), -1) for cell in cells.ravel()], dtype=float).reshape(cells.shape)


def plain_label(value: Any) -> str:
    """A label as it is written, whatever type it came back with."""
    text = str(value).strip()
    if isinstance(value, str) and text.lower() not in ("true", "false") and text.startswith("0"):
        return text
    try:
        return repr(int(text)) if text.lstrip("-").isdigit() else repr(float(text)).removesuffix(".0")
    except ValueError:
        return text.title() if text.lower() in ("true", "false") else text


def losses(case: Case, predictions: Any) -> NDArray[np.float64]:
    """Loss of each new row: whether its label is wrong, or its squared error by the variance of all."""
    return _losses(case, clean_values(case, predictions))


def _losses(case: Case, found: NDArray[np.float64]) -> NDArray[np.float64]:
    truth = case.truth
    if case.labels is None:
        with np.errstate(over="ignore", invalid="ignore"):
            errors = (found - truth) ** 2 / truth.var(axis=0)
        errors = np.clip(np.nan_to_num(errors, nan=_WORST, posinf=_WORST), 0.0, _WORST)
    else:
        errors = (found != truth).astype(float)
    if case.balanced:
        errors = errors / np.bincount(truth)[truth] * len(truth) / len(case.labels or ())
    return errors if errors.ndim == 1 else errors.mean(axis=1)


def baseline_losses(case: Case) -> NDArray[np.float64]:
    """Losses of the baseline."""
    answers = case.answers.reshape(len(case.answers), -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        columns = [_baseline(case, column).predict(case.clean_new) for column in answers.T]
    return _losses(case, np.column_stack(columns).reshape(case.truth.shape).astype(float))


def _baseline(case: Case, answers: NDArray[Any]) -> Any:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    names = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")), (names, make_column_selector(dtype_exclude="number"))
    )
    learner: Any = Ridge() if case.labels is None else LogisticRegression(max_iter=2000)
    if case.labels is not None and len(np.unique(answers)) == 1:
        learner = DummyClassifier()
    return make_pipeline(columns, learner).fit(case.clean, answers)
