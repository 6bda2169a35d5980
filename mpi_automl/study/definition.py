"""What a study compares: the TOML file, checked, as dataclasses."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mpi_automl.errors import UserError
from mpi_automl.option_types import integer, names
from mpi_automl.settings import Settings
from mpi_automl.study.checking import StudySection
from mpi_automl.toml_file import read_toml

TASK_TYPES = ("binary", "multiclass", "multilabel", "regression", "multioutput")
METHODS = ("holdout", "cv", "repeated-cv", "group", "time-series", "files")
BASELINES = ("random_forest", "hist_gradient_boosting", "logistic_regression")
"""External systems that ship with the package."""

TABLE_OPTIONS = ("target", "task", "categorical", "text", "drop", "drop_missing_targets", "groups")
"""Options of ``fit`` that belong to a table."""
_SYSTEM_OPTIONS = ("time", "threads", "metric", "trial_memory")
"""Options of ``fit`` that also mean something to other systems."""
_DECIDED = {
    "table": "name tables under [[tables]]",
    "test": "the outer split makes the test rows",
    "out": "the study's directory holds all runs",
    "resume": "mpi-automl study resume continues",
    "seed": "seeds are given in [study]",
    "validation": "validation rows come from each run's own resampling",
    "time_total": "time is the whole run",
    "heartbeat_timeout": "",
}
"""Options of ``fit`` that a study decides itself, with what to do instead."""


@dataclass(frozen=True)
class Tables:
    """One entry of ``[[tables]]``.

    Attributes
    ----------
    files : tuple of str
        Paths or patterns, relative to the study's file.
    openml : tuple of str
        Ids or names of data sets.
    suite : str
        Id or name of an OpenML suite; empty without.
    name : str
        Of the only table; empty to take the file's.
    options : mapping of str to Any
        Options of ``fit`` about the table.
    """

    files: tuple[str, ...]
    openml: tuple[str, ...]
    suite: str
    name: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Split:
    """How the outer test parts are made.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    share : float
        Share of the rows in the test part of a holdout.
    folds, repeats : int
    seed : int or None
        None takes the seed of each run, so that every seed has its own split.
    files : str
        Pattern of the split files, in which ``{table}`` is the table's name.
    """

    method: str = "holdout"
    share: float = 0.33
    folds: int = 5
    repeats: int = 2
    seed: int | None = 1
    files: str = ""


@dataclass(frozen=True)
class ExternalSystem:
    """Another system, reached through an adapter.

    Attributes
    ----------
    command : tuple of str
        The adapter and its arguments; the path of the job's description is added as the last one.
    options : mapping of str to Any
        Handed to the adapter.
    version : str
        Enters the run's id, so that results of different releases are not mixed.
    """

    command: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""

    @property
    def is_baseline(self) -> bool:
        """Whether this is one of `BASELINES`."""
        return len(self.command) == 1 and self.command[0] in BASELINES


@dataclass(frozen=True)
class Variant:
    """One of the things that are compared.

    Attributes
    ----------
    name : str
    options : mapping of str to Any
        Options of ``fit``, those of ``[settings]`` included.
    system : ExternalSystem or None
    """

    name: str
    options: Mapping[str, Any]
    system: ExternalSystem | None = None

    def settings(self, **more: Any) -> Settings:
        """Settings of a run, with options of its own."""
        return Settings.from_mapping({**self.options, **more})


@dataclass(frozen=True)
class Slurm:
    """How ``study submit`` asks for nodes.

    Attributes
    ----------
    launch : str
        What starts the ranks of one run; ``-n RANKS`` is added.
    options : tuple of str
        Options of sbatch, such as ``--partition=large``.
    setup : str
        Lines of shell that come first, such as ``module load``.
    tasks : int
        Tasks of the array at most; each takes runs until none is left or its share is done.
    """

    launch: str = "srun"
    options: tuple[str, ...] = ()
    setup: str = ""
    tasks: int = 1000


@dataclass(frozen=True)
class Study:
    """A study as its file describes it.

    Attributes
    ----------
    path : Path
        The file.
    name : str
    directory : Path
        Where everything of the study lies.
    ranks : int
        Of each run.
    seeds : tuple of int
    metrics : mapping of str to tuple of str
        For each task type the metrics to score by, the one to compare by first; empty for the metric of the run.
    split : Split
    tables : tuple of Tables
    variants : tuple of Variant
    slurm : Slurm
    """

    path: Path
    name: str
    directory: Path
    ranks: int
    seeds: tuple[int, ...]
    metrics: Mapping[str, tuple[str, ...]]
    split: Split
    tables: tuple[Tables, ...]
    variants: tuple[Variant, ...]
    slurm: Slurm


def read_study(path: Path, directory: Path | None = None) -> Study:
    """Read and check a study's file.

    Parameters
    ----------
    path : Path
    directory : Path, optional
        Where everything of the study is to lie; by default what the file says, or else its own path without ``.toml``.

    Raises
    ------
    UserError
        For anything wrong in it: what, where, and the nearest right key.
    """
    top = StudySection(read_toml(path), str(path), "")
    top.only("study", "split", "settings", "tables", "variants", "slurm")
    facts = top.table("study")
    facts.only("name", "directory", "ranks", "time", "seeds", "metrics")
    name = facts.value("name", str, path.stem)
    own = path.parent / facts.value("directory", str, path.stem)
    shared = top.table("settings")
    if "time" in facts.values:
        shared.values.setdefault("time", facts.values["time"])
    study = Study(
        path=path,
        name=name,
        directory=directory or own,
        ranks=facts.value("ranks", _positive, 1),
        seeds=facts.value("seeds", _seeds, (1,)),
        metrics=_metrics(facts),
        split=_split(top.table("split")),
        tables=_tables(top),
        variants=_variants(top, shared),
        slurm=_slurm(top.table("slurm")),
    )
    _check_differ(study, str(path))
    return study


def _positive(value: Any) -> int:
    number = integer(value)
    if number < 1:
        raise ValueError("a whole number of at least 1")
    return number


def _seeds(value: Any) -> tuple[int, ...]:
    """Seeds from a list, or from how many there are to be."""
    if isinstance(value, list):
        found = tuple(integer(seed) for seed in value)
        if not found or len(set(found)) < len(found) or min(found) < 0:
            raise ValueError("a list of different whole numbers such as [1, 2, 3], or how many seeds there are")
        return found
    return tuple(range(1, _positive(value) + 1))


def _metrics(facts: StudySection) -> dict[str, tuple[str, ...]]:
    given = facts.values.get("metrics", ())
    none: tuple[str, ...] = ()
    if not isinstance(given, Mapping):
        return dict.fromkeys(TASK_TYPES, facts.value("metrics", names, none))
    section = facts.table("metrics")
    section.only(*TASK_TYPES)
    return {kind: section.value(kind, names, none) for kind in TASK_TYPES}


def _split(section: StudySection) -> Split:
    section.only("method", "share", "folds", "repeats", "seed", "files")
    default = Split()
    method = section.value("method", str, "files" if "files" in section.values else default.method)
    section.one_of("method", method, METHODS)
    files = section.value("files", str, "")
    if (method == "files") != bool(files):
        raise section.error('needs files = "splits/{table}.csv" with method = "files", and only then')
    if files:
        files = str((Path(section.file).parent / files).resolve())
    share = section.value("share", float, default.share)
    if not 0.01 <= share <= 0.99:
        raise section.error(f"has share = {share:g}; it must be between 0.01 and 0.99")
    folds = section.value("folds", _positive, default.folds)
    if folds < 2:
        raise section.error("has folds = 1; it must be at least 2")
    seed = section.values.get("seed", default.seed)
    return Split(
        method,
        share,
        folds,
        section.value("repeats", _positive, default.repeats),
        None if seed == "run" else section.value("seed", integer, 1),
        files,
    )


def _tables(top: StudySection) -> tuple[Tables, ...]:
    entries = top.tables("tables")
    if not entries:
        raise top.error('has no [[tables]]; add one such as [[tables]] with files = "data/*.csv" and target = "y"')
    return tuple(_table(entry) for entry in entries)


def _table(section: StudySection) -> Tables:
    section.only("files", "openml", "suite", "name", *TABLE_OPTIONS)
    ways = [way for way in ("files", "openml", "suite") if way in section.values]
    if len(ways) != 1:
        raise section.error("needs one of files, openml and suite")
    options = {name: section.values[name] for name in TABLE_OPTIONS if name in section.values}
    section.checked(lambda: Settings.from_mapping(options))
    return Tables(
        section.value("files", _texts, ()),
        section.value("openml", _texts, ()),
        section.value("suite", str, ""),
        section.value("name", str, ""),
        options,
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _variants(top: StudySection, shared: StudySection) -> tuple[Variant, ...]:
    _check_options(shared)
    entries = top.table("variants")
    if not entries.values:
        raise top.error('has no variants; add one such as [variants.history] with share = "history"')
    return tuple(_variant(name, entries.table(name), shared) for name in entries.values)


def _variant(name: str, section: StudySection, shared: StudySection) -> Variant:
    system = None
    if "system" in section.values:
        section.only("system", "options", "version", *_SYSTEM_OPTIONS)
        system = _system(section)
        shared = StudySection(
            {key: value for key, value in shared.values.items() if key.replace("-", "_") in _SYSTEM_OPTIONS},
            shared.file,
            shared.place,
        )
    own = StudySection(
        {key: value for key, value in section.values.items() if key not in ("system", "options", "version")},
        section.file,
        section.place,
    )
    _check_options(own)
    options = {key.replace("-", "_"): value for key, value in {**shared.values, **own.values}.items()}
    section.checked(lambda: Settings.from_mapping(options))
    return Variant(name, options, system)


def _check_options(section: StudySection) -> None:
    """Options of ``fit`` that a variant may have."""
    given = {key.replace("-", "_") for key in section.values}
    for key in given & _DECIDED.keys():
        remedy = f": {_DECIDED[key]}" if _DECIDED[key] else ""
        raise section.error(f"has {key}, which a study decides itself{remedy}")
    for key in given & set(TABLE_OPTIONS):
        raise section.error(f"has {key}, which belongs to a table; put it under [[tables]]")
    known = [spec.name for spec in fields(Settings) if spec.name not in (*_DECIDED, *TABLE_OPTIONS)]
    section.only(*known, *(name.replace("_", "-") for name in known if "_" in name))
    if section.values.get("time") == "auto":
        raise section.error('has time = "auto"; a study needs a time, such as 15m')
    if section.values.get("threads") == "auto":
        raise section.error('has threads = "auto"; a study needs a number, from which it plans its cores')


def _system(section: StudySection) -> ExternalSystem:
    given = section.values["system"]
    command = tuple(map(str, given)) if isinstance(given, list) else tuple(shlex.split(str(given)))
    if not command:
        raise section.error(f"has an empty system; name one of {', '.join(BASELINES)} or a command")
    here = Path(section.file).parent
    if command[0] not in BASELINES:
        if len(command) == 1 and "/" not in command[0]:
            section.one_of("system", command[0], BASELINES, "or a command with a path, such as ./adapter.sh")
        program = here / command[0]
        if "/" in command[0] and not program.is_file():
            raise section.error(f"has system = {command[0]}, which is not a file")
        command = (str(program.resolve()) if program.is_file() else command[0], *command[1:])
    return ExternalSystem(command, section.table("options").values, section.value("version", str, ""))


def _slurm(section: StudySection) -> Slurm:
    section.only("launch", "options", "setup", "tasks")
    default = Slurm()
    return Slurm(
        section.value("launch", str, default.launch),
        section.value("options", _texts, ()),
        section.value("setup", str, ""),
        section.value("tasks", _positive, default.tasks),
    )


def _check_differ(study: Study, file: str) -> None:
    seen: dict[str, str] = {}
    for variant in study.variants:
        what = repr((variant.settings().to_mapping(), variant.system))
        if what in seen:
            raise UserError(f"{file}: the variants {seen[what]} and {variant.name} are the same; leave one out.")
        seen[what] = variant.name
