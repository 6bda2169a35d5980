"""The runs of a study, each with an id made of its inputs, and what they cost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mpi_automl
from mpi_automl.errors import UserError
from mpi_automl.settings import Settings
from mpi_automl.study.definition import ExternalSystem, Slurm, Variant
from mpi_automl.study.splits import OuterSplit, outer_split
from mpi_automl.study.tables import StudyTable, digest_of_mapping, find_tables

if TYPE_CHECKING:
    from mpi_automl.study.definition import Study

_FORMAT = 1
_DEFAULTS = {spec.name: spec.default for spec in fields(Settings)}


@dataclass(frozen=True)
class PlannedRun:
    """One run of the study.

    Attributes
    ----------
    id : str
        Hash of everything that the result depends on.
    table : StudyTable
    split : OuterSplit
    fold : int
    seed : int
    variant : Variant
    ranks : int
    """

    id: str
    table: StudyTable
    split: OuterSplit
    fold: int
    seed: int
    variant: Variant
    ranks: int

    @property
    def settings(self) -> Settings:
        """Settings of the run, without its directory."""
        return self.variant.settings(**self.table.options, seed=self.seed)

    @property
    def seconds(self) -> float:
        """Wall time that the run may take."""
        return self.settings.time

    @property
    def cores(self) -> int:
        """Cores that the run keeps busy."""
        return self.ranks * self.settings.threads

    @property
    def title(self) -> str:
        """The run in a few words, for people."""
        fold = f", fold {self.fold}" if self.split.folds > 1 else ""
        return f"{self.table.name}{fold}, seed {self.seed}, {self.variant.name}"


@dataclass(frozen=True)
class StudyPlan:
    """All runs of a study.

    Attributes
    ----------
    name : str
    runs : tuple of PlannedRun
    metrics : mapping of str to tuple of str
        As in `mpi_automl.study.definition.Study`.
    slurm : Slurm
    """

    name: str
    runs: tuple[PlannedRun, ...]
    metrics: Mapping[str, tuple[str, ...]]
    slurm: Slurm

    @property
    def ranks(self) -> int:
        """Ranks of each run."""
        return self.runs[0].ranks

    @property
    def core_hours(self) -> float:
        """What all runs cost together."""
        return core_hours(self.runs)

    def to_json(self) -> str:
        """The plan as JSON."""
        mapping = {
            "format": _FORMAT,
            "name": self.name,
            "metrics": {kind: list(names) for kind, names in self.metrics.items()},
            "slurm": asdict(self.slurm),
            "tables": {run.table.name: asdict(run.table) for run in self.runs},
            "variants": {run.variant.name: asdict(run.variant) for run in self.runs},
            "runs": [
                {
                    "id": run.id,
                    "table": run.table.name,
                    "split": asdict(run.split),
                    "fold": run.fold,
                    "seed": run.seed,
                    "variant": run.variant.name,
                    "ranks": run.ranks,
                }
                for run in self.runs
            ],
        }
        return json.dumps(mapping, indent=1)

    @classmethod
    def from_json(cls, text: str) -> StudyPlan:
        """The plan that `to_json` wrote.

        Raises
        ------
        UserError
            If it is damaged, or of another release.
        """
        try:
            mapping = json.loads(text)
            if mapping["format"] != _FORMAT:
                raise UserError(f"The plan has format {mapping['format']}; this release reads {_FORMAT}.")
            tables = {name: StudyTable(**table) for name, table in mapping["tables"].items()}
            variants = {name: _variant(variant) for name, variant in mapping["variants"].items()}
            runs = tuple(
                PlannedRun(
                    **{
                        **run,
                        "table": tables[run["table"]],
                        "split": OuterSplit(**run["split"]),
                        "variant": variants[run["variant"]],
                    }
                )
                for run in mapping["runs"]
            )
            metrics = {kind: tuple(names) for kind, names in mapping["metrics"].items()}
            slurm = Slurm(**{**mapping["slurm"], "options": tuple(mapping["slurm"]["options"])})
            return cls(mapping["name"], runs, metrics, slurm)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"The plan of the study is damaged ({error!r}); run mpi-automl study run again.") from error


def _variant(mapping: Mapping[str, Any]) -> Variant:
    system = mapping["system"]
    made = None if system is None else ExternalSystem(tuple(system["command"]), system["options"], system["version"])
    return Variant(mapping["name"], mapping["options"], made)


def make_plan(study: Study) -> StudyPlan:
    """Find the tables of a study and list its runs, in the order of its file.

    Reads every table once, to hash its content.

    Raises
    ------
    UserError
        If a table or a split file is not there.
    """
    tables = find_tables(study)
    runs = [
        _run(table, split, fold, seed, variant, study.ranks)
        for table in tables
        for seed in study.seeds
        for split in [outer_split(study.split, table, seed)]
        for fold in range(split.folds)
        for variant in study.variants
    ]
    return StudyPlan(study.name, tuple(runs), study.metrics, study.slurm)


def _run(table: StudyTable, split: OuterSplit, fold: int, seed: int, variant: Variant, ranks: int) -> PlannedRun:
    settings = variant.settings(**table.options)
    inputs = {
        "format": _FORMAT,
        "table": table.digest,
        "split": split.to_mapping(),
        "fold": fold,
        "seed": seed,
        "ranks": ranks,
        "settings": _not_default(settings),
        "by": _version_of(settings) if variant.system is None else _version_of_system(variant.system),
    }
    return PlannedRun(digest_of_mapping(inputs), table, split, fold, seed, variant, ranks)


def _not_default(settings: Settings) -> dict[str, Any]:
    """Options that matter; a default that is spelled out is the same as one that is not."""
    values = settings.to_mapping()
    return {name: value for name, value in values.items() if getattr(settings, name) != _DEFAULTS[name]}


def _version_of(settings: Settings) -> dict[str, Any]:
    initial = Path(settings.initial_design)
    return {"mpi_automl": mpi_automl.__version__} | (
        {"initial": _digest(initial)} if initial.suffix == ".json" and initial.is_file() else {}
    )


def _version_of_system(system: ExternalSystem) -> dict[str, Any]:
    """What tells one release of another system from the next: versions, or the adapter's own content."""
    facts: dict[str, Any] = {
        "command": list(system.command),
        "options": dict(system.options),
        "version": system.version,
    }
    if system.is_baseline:
        return facts | {"mpi_automl": mpi_automl.__version__, "scikit-learn": version("scikit-learn")}
    program = Path(system.command[0])
    if program.is_file():
        facts["command"] = [program.name, *system.command[1:]]
        facts["program"] = _digest(program)
    return facts


def _digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def core_hours(runs: Sequence[PlannedRun]) -> float:
    """What runs cost: their wall time times their cores."""
    return sum(run.seconds * run.cores for run in runs) / 3600.0


def longest_first(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """The order in which runs are taken: what takes longest first, so that no group is late at the end."""
    return sorted(runs, key=lambda run: -run.seconds * run.cores)


def wall_seconds(runs: Sequence[PlannedRun], groups: int) -> float:
    """Time until all runs are done by so many groups that take the longest first (list scheduling)."""
    ends = [0.0] * max(1, groups)
    for run in longest_first(runs):
        first = ends.index(min(ends))
        ends[first] += run.seconds
    return max(ends)
