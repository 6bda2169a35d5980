"""Every option of a run, in one validated dataclass.

The command line, TOML files, the estimators and the studies all build `Settings`; there is no second
list of options. Each field carries its help text, its group and the function that turns a string
or a TOML value into the value itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from mpi_automl.errors import UserError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d)?")
_DURATION_UNITS = {None: 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*(MiB|GiB|MB|GB|M|G)?", re.IGNORECASE)
_MEMORY_UNITS = {None: 1.0, "m": 1.0, "mib": 1.0, "g": 1024.0, "gib": 1024.0, "mb": 1e6 / 2**20, "gb": 1e9 / 2**20}


def seconds(value: Any) -> float:
    """Seconds from a number, or from a text such as ``90``, ``90s``, ``15m``, ``2h``, ``1d`` or ``1:30:00``."""
    if isinstance(value, str):
        text = value.strip().lower()
        if match := _DURATION.fullmatch(text):
            return float(match[1]) * _DURATION_UNITS[match[2]]
        if re.fullmatch(r"\d+(:\d{1,2}){1,2}", text):
            parts = [int(part) for part in text.split(":")]
            return float(sum(part * 60**power for power, part in enumerate(reversed(parts))))
        raise ValueError("a time such as 90s, 15m or 2h")
    return float(value)


AUTO: Any = "auto"
"""A value that is found when the job starts."""
AUTO_TIME = AUTO
"""In `Settings.time`, until `mpi_automl.machine.scheduler.with_time_left` has put seconds in its place."""


def seconds_or_auto(value: Any) -> Any:
    """As `seconds`; ``auto`` stays as it is."""
    return AUTO_TIME if value == AUTO_TIME else seconds(value)


def mebibytes(value: Any) -> float:
    """MiB from a number, or from a text such as ``1024``, ``1024MiB`` or ``2GiB``."""
    if isinstance(value, str):
        if match := _MEMORY.fullmatch(value.strip()):
            return float(match[1]) * _MEMORY_UNITS[match[2].lower() if match[2] else None]
        raise ValueError("a size such as 1024, 1024MiB or 2GiB")
    return float(value)


def integer(value: Any) -> int:
    """A whole number; ``3.0`` is one, ``3.5`` and ``true`` are not."""
    if isinstance(value, bool):
        raise ValueError("a whole number")
    number = float(value)
    if not number.is_integer():
        raise ValueError("a whole number")
    return int(number)


def count_or_auto(value: Any) -> Any:
    """As `integer`; ``auto`` stays as it is."""
    try:
        return AUTO if value == AUTO else integer(value)
    except ValueError:
        raise ValueError("a whole number or auto") from None


def count_or_size(value: Any) -> int | str:
    """A count (``50``), or a size with its unit (``2GiB``), which is given in MiB (``2048MiB``)."""
    try:
        return integer(value)
    except ValueError:
        text = str(value).strip()
        if text[-1:].isdigit() or not _MEMORY.fullmatch(text):
            raise ValueError("a count such as 50, or a size with its unit such as 2GiB") from None
        return f"{mebibytes(text):.3f}".rstrip("0").rstrip(".") + "MiB"


def count_or_share(value: Any) -> int | float:
    """A count (``50``) or a share of all (``0.5``)."""
    if isinstance(value, bool):
        raise ValueError("a count such as 50, or a share such as 0.5")
    number = float(value)
    if 0 < number < 1:
        return number
    return integer(value)


def names(value: Any) -> tuple[str, ...]:
    """Names from a list, or from a text with commas between them; a name in double quotes may have commas itself."""
    if isinstance(value, str):
        parts = re.findall(r'\s*"((?:[^"]|"")*)"\s*(?:,|$)|([^,]+)', value)
        return tuple(quoted.replace('""', '"') or plain.strip() for quoted, plain in parts if quoted or plain.strip())
    return tuple(str(part) for part in value)


def runs(value: Any) -> tuple[str, ...]:
    """Run directories, as `names`; False, which is scikit-learn's usual ``warm_start``, is none."""
    return () if value is False else names(value)


def boolean(value: Any) -> bool:
    """``true`` or ``false``, also as yes/no, on/off, 1/0."""
    if isinstance(value, bool):
        return value
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    try:
        return known[str(value).strip().lower()]
    except KeyError:
        raise ValueError("true or false") from None


SPLITTERS = ("auto", "holdout", "cv", "repeated-cv", "group", "time-series")


def splitter(value: Any) -> str:
    """The name of a resampling, or the import path of a scikit-learn splitter, ``package.module:Class(n_splits=3)``."""
    text = str(value).strip()
    if text in SPLITTERS or re.fullmatch(r"[\w.]+:\w+(\(.*\))?", text):
        return text
    near = get_close_matches(text, SPLITTERS, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise ValueError(f"one of {', '.join(SPLITTERS)}{hint} or package.module:Class(arguments)")


def option(
    default: Any,
    convert: Callable[[Any], Any],
    help: str,  # noqa: A002  # argparse's word
    group: str,
    *,
    choices: tuple[str, ...] | None = None,
    metavar: str | None = None,
    min: float | None = None,
    max: float | None = None,
) -> Any:
    """One option: a dataclass field that knows how to convert, check and explain itself."""
    facts = {"convert": convert, "help": help, "group": group, "choices": choices}
    return field(default=default, metadata={**facts, "metavar": metavar, "min": min, "max": max})


@dataclass(frozen=True)
class Settings:
    """Every option of a run. Times are in seconds, memory in MiB.

    Values may be given as text, as on the command line (``time="15m"``); they are converted and
    checked, and a wrong one raises `UserError`.
    """

    # fmt: off
    table: str | None = option(
        None, str, "table with the training rows", "data", metavar="TABLE")
    target: tuple[str, ...] = option(
        (), names, "column to predict; several with commas between them (a name may have commas itself)", "data",
        metavar="COLUMN")
    test: str | None = option(
        None, str, "table with test rows, predicted and scored but never learned from", "data", metavar="TABLE")
    task: str = option(
        "auto", str, "kind of target", "data",
        choices=("auto", "binary", "multiclass", "multilabel", "regression", "multioutput"))
    categorical: tuple[str, ...] = option(
        (), names, "columns to read as categories", "data", metavar="COLUMNS")
    text: tuple[str, ...] = option(
        (), names, "columns to read as free text", "data", metavar="COLUMNS")
    drop: tuple[str, ...] = option(
        (), names, "columns to leave out", "data", metavar="COLUMNS")
    drop_missing_targets: bool = option(
        False, boolean, "leave out rows whose target is missing", "data")
    groups: str | None = option(
        None, str, "column whose equal values stay together in every split (not learned from)", "data",
        metavar="COLUMN")

    metric: str = option(
        "auto", str, "metric to optimise: a name, or package.module:function; auto is accuracy or r2", "search",
        metavar="METRIC")
    extra_metrics: tuple[str, ...] = option(
        (), names, "further metrics to record of every trial; leaderboard shows them", "search", metavar="METRICS")
    time: float = option(
        3600.0, seconds_or_auto, "wall time of the whole job, from its start to its exit, in seconds or as 90s, 15m, "
        "2h; auto takes what Slurm, PBS, LSF or $MPI_AUTOML_TIME_LEFT says is left", "search", metavar="TIME", min=1)
    heartbeat_timeout: float = option(
        60.0, seconds, "time without a sign of life after which a rank is named as stuck", "search", metavar="TIME",
        min=1)
    trials: int | None = option(
        None, integer, "trials of each rank after which the search ends before its time; default: no limit", "search",
        metavar="N", min=1)
    time_total: float | None = option(
        None, seconds, "wall time of all legs of the run together; a leg ends when it is used up, and a command that "
        "leaves some of it unused ends with status 75", "search", metavar="TIME", min=1)
    shutdown_time: float = option(
        30.0, seconds, "time for the ensemble after a signal to stop, in seconds", "search", metavar="TIME", min=0)
    seed: int = option(
        1, integer, "seed from which every rank's own is derived", "search", metavar="N", min=0)
    share: str = option(
        "history", str, "what ranks tell each other: nothing, new incumbents, or every finished trial", "search",
        choices=("none", "incumbents", "history"))
    diversity: str = option(
        "none", str, "in what ranks differ beside their seed: nothing, how much they explore, their share of random "
        "proposals, or local against global search", "search", choices=("none", "exploration", "random", "locality"))
    fidelity: str = option(
        "none", str, "what new configurations are tried with less of, before the best get more: rows, or iterations of "
        "learners that grow", "search", choices=("none", "rows", "iterations"))
    eta: int = option(
        3, integer, "factor between budgets, and the share of the trials that goes on is 1/N", "search", metavar="N",
        min=2)
    min_budget: float = option(
        0.1, float, "smallest share of the full budget that --fidelity gives", "search", metavar="SHARE",
        min=0.001, max=1)
    deterministic: bool = option(
        False, boolean, "same seed and number of ranks, same trials, costs, ensemble and predictions: trials are "
        "counted (--trials), and ranks wait for each other", "search")
    exchange_every: int = option(
        4, integer, "with --deterministic, trials of each rank between two exchanges", "search", metavar="N", min=1)
    initial_design: str = option(
        "portfolio", str, "first configurations: default, portfolio, random, sobol, or a JSON file", "search",
        metavar="KIND")
    warm_start: tuple[str, ...] = option(
        (), runs, "directories of earlier runs on this or a similar table, whose best configurations are tried first",
        "search", metavar="RUNS")
    include: tuple[str, ...] = option(
        (), names, "only these components, as step:component", "search", metavar="COMPONENTS")
    exclude: tuple[str, ...] = option(
        (), names, "not these components, as step:component", "search", metavar="COMPONENTS")
    plugins: tuple[str, ...] = option(
        (), names, "Python modules to import first that register components", "search", metavar="MODULES")

    trial_time: float | None = option(
        None, seconds, "limit of one trial's wall time, in seconds or as 90s, 15m; default: a tenth of --time",
        "evaluation", metavar="TIME", min=0.1)
    trial_memory: float = option(
        3072.0, mebibytes, "limit of what one trial adds to memory, in MiB or as 2GiB", "evaluation",
        metavar="SIZE", min=16)
    resampling: str = option(
        "auto", splitter,
        "how validation rows are chosen: auto, holdout, cv, repeated-cv, group, time-series, or a scikit-learn "
        "splitter as package.module:Class(arguments)", "evaluation", metavar="RESAMPLING")
    validation: str | None = option(
        None, str, "table with validation rows, in place of a split", "evaluation", metavar="TABLE")
    holdout_share: float = option(
        0.33, float, "share of the rows that holdout validates on", "evaluation", metavar="SHARE",
        min=0.01, max=0.99)
    folds: int = option(
        5, integer, "folds of cross-validation", "evaluation", metavar="N", min=2)
    repeats: int = option(
        2, integer, "repetitions of repeated-cv", "evaluation", metavar="N", min=1)
    early_stopping: str = option(
        "none", str,
        "when the remaining folds of a trial are left out: never, when its mean so far is worse than the worst fold of "
        "the job's best trial (forgiving), or than its mean (aggressive)", "evaluation",
        choices=("none", "forgiving", "aggressive"))
    staged_fitting: bool = option(
        True, boolean, "fit learners that can grow in steps, so that a trial cut off by its time limit counts with the "
        "size it reached", "evaluation")
    threads: int = option(
        1, count_or_auto, "threads of one evaluation; auto takes all cores that each rank has for itself", "evaluation",
        metavar="N|auto", min=1)
    scratch: str | None = option(
        None, str, "directory for the node's copy of the table; default: /dev/shm or $TMPDIR, whichever has room",
        "evaluation", metavar="DIR")

    ensemble_size: int = option(
        50, integer, "rounds of ensemble selection", "ensemble", metavar="N", min=1)
    ensemble_nbest: int | float = option(
        50, count_or_share, "candidates for the ensemble: the best N, or a share of all", "ensemble",
        metavar="N", min=0)
    ensemble_method: str = option(
        "greedy", str, "how members are chosen and combined; auto checks which of the others does best", "ensemble",
        choices=("greedy", "single_best", "stacking", "auto"))
    ensemble_metric: str = option(
        "auto", str, "what greedy selection goes by: same for --metric, or another metric; auto takes the Brier "
        "score in place of accuracy", "ensemble", metavar="METRIC")
    performance_range: float = option(
        0.0, float, "share of the way from the dummy's cost to the best one that a candidate must have gone",
        "ensemble", metavar="SHARE", min=0, max=1)
    ensemble_start: int = option(
        0, integer, "start greedy selection from up to N of the best candidates", "ensemble", metavar="N", min=0)
    ensemble_bags: int = option(
        0, integer, "select from N random halves of the candidates and average; 0 for one selection from all",
        "ensemble", metavar="N", min=0)
    final_models: str = option(
        AUTO, str, "models of the members: those of the folds, averaged, or one each, fitted anew on all rows (refit); "
        "auto fits anew after a holdout or time-series split, whose models have not learned from every row", "ensemble",
        choices=(AUTO, "folds", "refit"))
    final_time: float | None = option(
        None, seconds, "time kept for fitting anew, if that is done; default: a tenth of --time, or less where members "
        "cannot take it up", "ensemble", metavar="TIME", min=0)

    out: str | None = option(
        None, str, "run directory to make; default: mpi_automl_<date>_<time>", "storage", metavar="DIR")
    resume: str | None = option(
        None, str, "run directory to go on with in a new leg; auto goes on with --out where that has been begun",
        "storage", metavar="DIR")
    report: bool = option(
        True, boolean, "write the page of mpi-automl report after a job of 20 s or more, if time is left", "storage")
    predictions_per_rank: int = option(
        200, integer, "trials of each rank whose predictions are kept", "storage", metavar="N", min=1)
    models_on_disk: int | str = option(
        50, count_or_size, "fitted models that each rank keeps: those of its best N trials, or of as many as fit into "
        "a size such as 2GiB", "storage", metavar="N|SIZE", min=0)
    flush: float = option(
        30.0, seconds, "longest time between flushes to disk, in seconds", "storage", metavar="TIME", min=0.1)
    disk_limit: float | None = option(
        None, mebibytes, "limit of the run directory, models included, in MiB or as 20GiB; default: none", "storage",
        metavar="SIZE", min=1)
    store: str = option(
        "auto", str, "one file shared by all ranks (needs a parallel h5py), or one per rank", "storage",
        choices=("auto", "shared", "per-rank"))
    alignment: float = option(
        0.0, mebibytes, "where large datasets of a file begin: at multiples of so many MiB, such as the stripe's size",
        "storage", metavar="SIZE", min=0)
    mpiio_hints: tuple[str, ...] = option(
        (), names, "MPI-IO hints for the shared file, as name=value with commas between them", "storage",
        metavar="HINTS")
    # fmt: on

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = getattr(self, spec.name)
            if value is not None:
                object.__setattr__(self, spec.name, _checked(spec.name, value, spec.metadata))
        self._check_repeatable()

    def _check_repeatable(self) -> None:
        if not self.deterministic:
            return
        if self.trials is None:
            raise UserError(
                "--deterministic counts trials instead of time; say with --trials how many each rank makes."
            )
        if self.fidelity != "none":
            raise UserError(
                "--deterministic and --fidelity cannot be had together, as promotions depend on what ends first; "
                "leave out one of them."
            )
        if self.disk_limit is not None or isinstance(self.models_on_disk, str):
            raise UserError(
                "With --deterministic the disk cannot be limited by size, which depends on time; leave out "
                "--disk-limit and give numbers of trials as --models-on-disk and --predictions-per-rank."
            )

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Settings:
        """Build settings from names and values, such as a TOML table; hyphens count as underscores."""
        known = {spec.name for spec in fields(cls)}
        values = {name.replace("-", "_"): value for name, value in mapping.items()}
        for name in values:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(known))}."
                raise UserError(f"There is no option {name}{hint}")
        return cls(**values)

    def to_mapping(self) -> dict[str, Any]:
        """Every option that is set, as TOML can hold it: `from_mapping` gives the same settings back."""
        pairs = ((spec.name, getattr(self, spec.name)) for spec in fields(self))
        return {name: list(value) if isinstance(value, tuple) else value for name, value in pairs if value is not None}


def _checked(name: str, value: Any, facts: Mapping[str, Any]) -> Any:
    flag = "--" + name.replace("_", "-")
    try:
        converted = facts["convert"](value)
    except (TypeError, ValueError) as error:
        wanted = str(error) if str(error).startswith("a ") or " or " in str(error) else "a number"
        raise UserError(f"{flag} is {value!r}; it must be {wanted}.") from None
    if facts["choices"] and converted not in facts["choices"]:
        near = get_close_matches(str(converted), facts["choices"], n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UserError(f"{flag} is {value!r}; it must be one of {', '.join(facts['choices'])}{hint}.")
    if isinstance(converted, float) and not math.isfinite(converted):
        raise UserError(f"{flag} is {value!r}; it must be finite.")
    if isinstance(converted, str):
        return converted
    if facts["min"] is not None and converted < facts["min"]:
        raise UserError(f"{flag} is {value!r}; it must be at least {facts['min']:g}.")
    if facts["max"] is not None and converted > facts["max"]:
        raise UserError(f"{flag} is {value!r}; it must be at most {facts['max']:g}.")
    return converted
