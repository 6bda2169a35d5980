"""The figures of a study's report."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.report import style
from mpi_automl.study.anytime import Anytime, mean_curves, table_curves
from mpi_automl.study.comparison import needs_extra, nemenyi

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mpi_automl.study.comparison import Comparison

_MOST_PAIRS = 12
_MOST_CURVES = 40
_ROW = 0.34


@dataclass(frozen=True)
class StudyFigure:
    """One figure.

    Attributes
    ----------
    name, title, caption : str
    draw : callable
        Takes the comparison; None where there is nothing to draw.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[Comparison], Figure | None]


def look(comparison: Comparison, variant: str) -> dict[str, Any]:
    """Colour and dashes of a variant, the same in every figure."""
    return style.line_look(comparison.variants.index(variant))


def _marker(comparison: Comparison, variant: str) -> dict[str, Any]:
    position = comparison.variants.index(variant)
    return {"color": look(comparison, variant)["color"], "marker": style.MARKERS[position % len(style.MARKERS)]}


def critical_difference(comparison: Comparison) -> Figure | None:
    """Mean ranks on a line; bars join variants that Nemenyi's test does not tell apart."""
    if len(comparison.variants) < 3 or len(comparison.tables) < 2:
        return None
    try:
        from scikit_posthocs import critical_difference_diagram
    except ImportError as error:
        raise needs_extra(error) from None
    names = comparison.variants
    drawn = style.figure(style.WIDE, 1.0 + 0.26 * len(names))
    axes = drawn.add_subplot()
    axes.grid(visible=False)
    critical_difference_diagram(
        comparison.mean_ranks,
        nemenyi(comparison),
        ax=axes,
        label_fmt_left="{label} ({rank:.2f})\u00a0",
        label_fmt_right="\u00a0{label} ({rank:.2f})",
        color_palette={name: look(comparison, name)["color"] for name in names},
        crossbar_props={"color": style.INK, "linewidth": 3},
        marker_props={"s": 36, "zorder": 4},
        text_h_margin=0.02,
    )
    for text in axes.texts:
        text.set_color(style.INK)
    axes.spines["top"].set_visible(True)
    axes.set_xlim(1, len(names))
    return drawn


def anytime(comparison: Comparison) -> Figure | None:
    """Mean over the tables of what the incumbent still lacked, by time."""
    curves = mean_curves(comparison)
    if not curves:
        return None
    drawn = style.figure(style.WIDE, 3.8)
    axes = drawn.add_subplot()
    _draw_curves(axes, comparison, curves)
    axes.set(xlabel="time since the run's start, s", ylabel="share of the way still to go", ylim=(0, None))
    style.legend(axes)
    return drawn


def _draw_curves(axes: Axes, comparison: Comparison, curves: Mapping[str, Anytime]) -> None:
    for name, curve in curves.items():
        own = look(comparison, name)
        axes.plot(curve.seconds, curve.mean, label=name, **own)
        axes.fill_between(curve.seconds, curve.low, curve.high, color=own["color"], alpha=0.16, linewidth=0)


def anytime_by_table(comparison: Comparison) -> Figure | None:
    """The incumbent's test score by time, a panel for each table."""
    shown = [(table, curves) for table in comparison.tables if (curves := table_curves(comparison, table))]
    if not shown:
        return None
    shown = shown[:_MOST_CURVES]
    drawn, panels = _panels(len(shown), 4, 1.9)
    for axes, (table, curves) in zip(panels, shown, strict=False):
        _draw_curves(axes, comparison, curves)
        axes.set_title(f"{table}\n{_optimised(comparison, table)}", fontsize=8)
        axes.tick_params(labelsize=8)
        _show_the_end(axes, curves)
    _legend_for_all(drawn, panels[0])
    drawn.supxlabel("time since the run's start, s", fontsize=9, color=style.INK)
    return drawn


def _optimised(comparison: Comparison, table: str) -> str:
    rows = comparison.runs[comparison.runs["table"] == table]
    return str(rows["optimised"].dropna().iloc[0])


def _show_the_end(axes: Axes, curves: Mapping[str, Anytime]) -> None:
    """Limits that the models after the first ones decide: the dummy would squeeze the rest into a line."""
    later = np.concatenate([part[len(part) // 10 :] for curve in curves.values() for part in (curve.mean,)])
    later = later[np.isfinite(later)]
    if len(later) and np.ptp(later) > 0:
        low, high = np.quantile(later, 0.02), later.max()
        margin = 0.35 * (high - low) or 0.01
        axes.set_ylim(low - margin, high + margin)


def _panels(count: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    drawn = style.figure(style.WIDE * min(1.0, 0.25 + 0.25 * columns), height * rows + 0.6)
    panels = drawn.subplots(rows, columns, squeeze=False).ravel().tolist()
    for unused in panels[count:]:
        unused.set_axis_off()
    return drawn, panels


def _legend_for_all(drawn: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside upper center", ncols=min(5, len(labels)), fontsize=9, handlelength=3)


def scores_by_table(comparison: Comparison) -> Figure:
    """Every run as a faint mark and every mean as a full one, as difference to the table's mean over the variants."""
    tables = comparison.tables
    drawn = style.figure(style.WIDE, 1.3 + _ROW * len(tables))
    axes = drawn.add_subplot()
    step = 0.6 / max(1, len(comparison.variants))
    centres = comparison.scores.mean(axis=1)
    for position, name in enumerate(comparison.variants):
        offset = (position - (len(comparison.variants) - 1) / 2) * step
        heights = {table: row + offset for row, table in enumerate(tables)}
        runs = comparison.runs[comparison.runs["variant"] == name]
        marker = _marker(comparison, name)
        each = [(row.score - centres[row.table], heights[row.table]) for row in runs.itertuples()]
        xs, ys = zip(*each, strict=True)
        axes.scatter(xs, ys, s=14, alpha=0.4, linewidths=0, **marker)
        means = comparison.scores[name] - centres
        axes.scatter(means, [heights[table] for table in tables], s=42, label=name, edgecolors=style.PAPER, **marker)
    axes.axvline(0, color=style.MUTED, linewidth=0.8)
    axes.set_yticks(range(len(tables)), [f"{table} ({comparison.metrics[table]})" for table in tables])
    axes.set(xlabel="score less the table's mean over the variants", ylim=(len(tables) - 0.5, -0.5))
    _legend_for_all(drawn, axes)
    return drawn


def scatter_of_pairs(comparison: Comparison) -> Figure | None:
    """One variant against another, a mark for each table; above the diagonal the second one is better."""
    chosen = list(combinations(comparison.variants, 2))[:_MOST_PAIRS]
    if not chosen:
        return None
    drawn, panels = _panels(len(chosen), 3, 2.45)
    costs = comparison.comparable()
    for axes, (first, second) in zip(panels, chosen, strict=False):
        x, y = -costs[first], -costs[second]
        low, high = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
        margin = 0.06 * (high - low) or 0.01
        limits = (low - margin, high + margin)
        axes.plot(limits, limits, color=style.MUTED, linewidth=0.9)
        axes.scatter(x, y, s=34, color=style.BLUE, edgecolors=style.PAPER, linewidths=0.6, zorder=3)
        axes.set(xlim=limits, ylim=limits, aspect="equal")
        axes.set_xlabel(first, fontsize=9)
        axes.set_ylabel(second, fontsize=9)
        axes.tick_params(labelsize=8)
    return drawn


def figures() -> Iterator[StudyFigure]:
    """All figures, in the order of the report."""
    yield StudyFigure(
        "critical_difference",
        "Critical differences",
        "Mean rank over the tables, 1 is best. A bar joins variants that Nemenyi's test does not tell apart at 5 %.",
        critical_difference,
    )
    yield StudyFigure(
        "scores",
        "Scores by table",
        "On the outer test part. Faint marks are runs, full ones their means.",
        scores_by_table,
    )
    yield StudyFigure(
        "pairs",
        "Variants against each other",
        "A mark for each table: minus the distance to the metric's optimum, which for losses is divided by the table's "
        "mean. Above the line, the variant of the vertical axis is better.",
        scatter_of_pairs,
    )
    yield StudyFigure(
        "anytime",
        "Best single model by time",
        "Its score on the outer test part, as share of the way from the worst first model to the best of all that is "
        "still to go: mean over the tables, with a bootstrap's 95 % band over them. It may rise, as models are chosen "
        "by their validation.",
        anytime,
    )
    yield StudyFigure(
        "anytime_by_table",
        "Best single model by time, for each table",
        "Its score on the outer test part, by the metric that the runs optimised: mean over seeds and folds, with "
        "Student's 95 % band; of fewer than four runs, all that they cover.",
        anytime_by_table,
    )
