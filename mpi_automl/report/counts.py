"""Trials by component and by how they ended, and the members of the ensemble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.report import style
from mpi_automl.report.labels import shown
from mpi_automl.trial import Status

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mpi_automl.report.contents import Contents

_MOST_ROWS = 24
_MOST_MEMBERS = 20


def draw_learners(contents: Contents) -> Figure | None:
    """Trials of each learner by status."""
    return _stacked(contents.learners, contents.statuses)


def draw_preprocessors(contents: Contents) -> Figure | None:
    """Trials of each feature preprocessor by status."""
    chosen = [components.get("feature_preprocessor", "") for components in contents.chosen_components]
    if not any(chosen):
        return None
    return _stacked(chosen, contents.statuses)


def _stacked(names: Sequence[str], statuses: Sequence[Status]) -> Figure | None:
    counts: dict[str, Counter[Status]] = {}
    for name, status in zip(names, statuses, strict=True):
        if name:
            counts.setdefault(name, Counter())[status] += 1
    if not counts:
        return None
    from matplotlib.ticker import MaxNLocator

    ordered = sorted(counts, key=lambda name: (-counts[name].total(), name))[:_MOST_ROWS]
    figure = style.figure(height=1.3 + 0.26 * max(3, len(ordered)))
    axes = figure.subplots()
    left = np.zeros(len(ordered))
    for status in _present(counts.values()):
        widths = np.array([counts[name][status] for name in ordered])
        look = style.STATUS_LOOKS[status]
        axes.barh(
            range(len(ordered)), widths, left=left, height=0.72, color=look.colour, hatch=look.hatch,
            edgecolor=style.PAPER, linewidth=0.4, label=status.name.lower(),
        )  # fmt: skip
        left += widths
    axes.set_yticks(range(len(ordered)), [shown(name, 28) for name in ordered])
    axes.set_ylim(len(ordered) - 0.4, -0.6)
    axes.set_xlabel("trials")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=False, axis="y")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def _present(counts: Iterable[Counter[Status]]) -> Iterator[Status]:
    together = sum(counts, Counter())
    return (status for status in style.STATUS_LOOKS if together[status])


def draw_members(contents: Contents) -> Figure | None:
    """Weights of the ensemble's members."""
    outcome = contents.run.summary
    if outcome is None or not outcome.members:
        return None
    learners = dict(zip(contents.run.reader.keys, contents.learners, strict=True))
    members = outcome.members[:_MOST_MEMBERS]
    figure = style.figure(height=0.9 + 0.28 * max(3, len(members)))
    axes = figure.subplots()
    bars = axes.barh(range(len(members)), [member.weight for member in members], height=0.72, color=style.BLUE)
    axes.bar_label(bars, [f"{member.value:.4g}" for member in members], padding=3, fontsize=8, color=style.MUTED)
    names = [f"{shown(learners.get(member.key, ''), 22)} {member.key}" for member in members]
    axes.set_yticks(range(len(members)), names)
    axes.set_ylim(len(members) - 0.4, -0.6)
    axes.set_xlabel(f"weight (beside it: validation {shown(outcome.metric, 24)})")
    axes.margins(x=0.15)
    axes.grid(visible=False, axis="y")
    return figure
