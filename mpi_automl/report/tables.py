"""The tables and texts of a report's page, as plain strings; escaping is the page's."""

from __future__ import annotations

import math
import shlex
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpi_automl.report.labels import shown, time_unit
from mpi_automl.space import space_table
from mpi_automl.storage.run_directory import FINISHED, INTERRUPTED, RUNNING

if TYPE_CHECKING:
    from mpi_automl.report.contents import Contents

_TOP = 15
_MOST_REASONS = 12
_MOST_HOSTS = 12
_EXAMPLE = "breast cancer"


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes
    ----------
    title : str
    head : tuple of str
    rows : tuple of tuple of str
    numbers : frozenset of int
        Columns that are aligned to the right.
    note : str
    is_folded : bool
        Shown only when it is opened.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()
    note: str = ""
    is_folded: bool = False


def number(value: float | None) -> str:
    """A number for people; a dash without one."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.4g}"


def duration(seconds: float) -> str:
    """A span of time for people."""
    scale, unit = time_unit(seconds)
    return f"{seconds / scale:.3g} {unit}"


def headline(contents: Contents) -> list[tuple[str, str]]:
    """The few figures that a reader wants first."""
    outcome, metric = contents.run.summary, shown(contents.run.metric.name)
    ranking = contents.run.ranking
    best = contents.trials["value"].iloc[ranking[0]] if len(ranking) else None
    facts = []
    if outcome is not None:
        facts.append((f"{metric}, ensemble, validation", number(outcome.value)))
        if outcome.test_value is not None:
            facts.append((f"{metric}, ensemble, test", number(outcome.test_value)))
    facts += [
        (f"{metric}, best trial, validation", number(best)),
        ("trials", f"{len(contents.trials):,}"),
        ("ranks", str(len(contents.ranks))),
        ("time of search", duration(contents.clock.total)),
    ]
    return facts


def state_sentence(contents: Contents) -> str:
    """How the run ended, or that it has not."""
    path = shlex.quote(str(contents.run.path))
    ends = {
        FINISHED: "The run has finished.",
        INTERRUPTED: f"The run has a result; resume it: mpi-automl fit --resume {path}",
        RUNNING: "The run is under way; this is what its store holds now.",
    }
    killed = f"The job was killed or failed; this is what its store holds. Resume it: mpi-automl fit --resume {path}"
    sentence = ends.get(contents.run.state, killed)
    if contents.run.summary is not None and contents.run.summary.is_dummy:
        sentence += " No model beat the baseline, which is therefore the result."
    return sentence


def leaderboard_table(contents: Contents) -> Table:
    """The best trials."""
    weights = (
        {str(member.key): member.weight for member in contents.run.summary.members} if contents.run.summary else {}
    )
    table = contents.trials.iloc[contents.run.ranking[:_TOP]]
    metric = shown(contents.run.metric.name)
    rows = tuple(
        (
            str(place),
            str(row.key),
            str(row.learner),
            number(row.value),
            f"{weights[row.key]:.3f}" if row.key in weights else "",
            f"{row.seconds:.1f}",
            f"{row.memory_peak:.0f}",
            str(row.origin),
            contents.run.space.describe(contents.run.reader.vectors[row.Index]),
        )
        for place, row in enumerate(table.itertuples(), start=1)
    )
    head = ("", "trial", "learner", metric, "weight", "seconds", "MiB", "origin", "pipeline")
    more = len(contents.trials) - len(rows)
    note = f"{more} more trials: mpi-automl leaderboard {contents.run.path}" if more > 0 else ""
    return Table("Leaderboard", head, rows, frozenset({0, 3, 4, 5, 6}), note)


def member_table(contents: Contents) -> Table | None:
    """The members of the ensemble."""
    outcome = contents.run.summary
    if outcome is None:
        return None
    rows = tuple(
        (f"{member.weight:.3f}", str(member.key), number(member.value), number(member.test_value), member.description)
        for member in outcome.members
    )
    head = ("weight", "trial", f"validation {shown(outcome.metric)}", "test", "pipeline")
    return Table("Members of the ensemble", head, rows, frozenset({0, 2, 3}))


def failure_table(contents: Contents) -> Table | None:
    """Why trials failed, most frequent first."""
    failed = contents.trials[contents.trials["status"].isin(["crashed", "timeout", "memout"])]
    counts = Counter(zip(failed["status"], failed["learner"], failed["reason"], strict=True))
    if not counts:
        return None
    rows = tuple(
        (str(count), status, learner, shown(reason, 200))
        for (status, learner, reason), count in counts.most_common(_MOST_REASONS)
    )
    note = f"The most frequent of {len(counts)} reasons." if len(counts) > len(rows) else ""
    return Table("Failures", ("trials", "status", "learner", "reason"), rows, frozenset({0}), note)


def detail_tables(contents: Contents) -> Iterator[Table]:
    """What somebody needs who wants to understand or repeat the run."""
    yield Table("Settings", ("option", "value"), tuple(_settings(contents)), is_folded=True)
    yield Table("Versions and machine", ("what", "value"), tuple(_versions(contents)), is_folded=True)
    space = contents.run.space
    rows = tuple(
        (row.step, row.component, row.hyperparameter, row.values, row.default, row.when)
        for row in space_table.rows(space)
    )
    head = ("step", "component", "hyperparameter", "values", "default", "active when")
    yield Table("Search space", head, rows, note=space_table.size(space).describe(), is_folded=True)
    if space.left_out:
        left_out = tuple((step, component, reason) for step, component, reason in space.left_out)
        yield Table("Left out of the search space", ("step", "component", "reason"), left_out, is_folded=True)


def _settings(contents: Contents) -> Iterator[tuple[str, str]]:
    for name, value in contents.run.settings.to_mapping().items():
        yield f"--{name.replace('_', '-')}", ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _versions(contents: Contents) -> Iterator[tuple[str, str]]:
    metadata, leg = contents.metadata, contents.run.reader.legs[-1]
    yield "task", f"{metadata.get('task', '')} ({contents.task_type.value})"
    yield "validation", f"{metadata.get('resampling', '')}, {len(contents.run.reader.validation_rows()):,} rows"
    if started := metadata.get("started"):
        yield "start of the latest leg", time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(started))
    yield "legs", str(len(contents.run.reader.legs))
    yield "ranks of the latest leg", str(leg.ranks)
    hosts = list(dict.fromkeys(metadata.get("hosts", [])))
    yield (
        "hosts",
        ", ".join(hosts[:_MOST_HOSTS]) + (f" and {len(hosts) - _MOST_HOSTS} more" if hosts[_MOST_HOSTS:] else ""),
    )
    yield "MPI", str(metadata.get("mpi_library", ""))
    yield from ((name, str(release)) for name, release in metadata.get("versions", {}).items())


def repeat_commands(contents: Contents) -> list[str]:
    """Commands that run the same search again."""
    ranks = contents.run.reader.legs[-1].ranks
    config = shlex.quote(str(contents.run.path / "config.toml"))
    launcher = f"mpirun -n {ranks} " if ranks > 1 else ""
    if contents.run.settings.table is not None:
        table = shlex.quote(contents.run.settings.table)
        return [f"{launcher}mpi-automl fit {table} --config {config} --out again"]
    if str(contents.metadata.get("task", "")).startswith(_EXAMPLE):
        return [f"{launcher}mpi-automl example --config {config} --out again"]
    return []
