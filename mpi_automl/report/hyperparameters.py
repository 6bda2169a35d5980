"""Which hyperparameters and columns matter, and which values went with which score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.report import style
from mpi_automl.report.labels import hyperparameter, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from mpi_automl.report.contents import Contents

_MOST_BARS = 15
_MOST_AXES = 7
_MOST_LINES = 400
_INACTIVE = -0.12


def draw_hyperparameter_importance(contents: Contents) -> Figure | None:
    """The hyperparameters without which costs could be predicted worst."""
    shares = [(name, share) for name, share in contents.importance.get("hyperparameters", {}).items() if share > 0]
    if not shares:
        return None
    names = [hyperparameter(name) for name, _ in shares[:_MOST_BARS]]
    label = "growth of the error (share of variance)"
    return _bars(names, [share for _, share in shares[:_MOST_BARS]], None, label)


def draw_column_importance(contents: Contents) -> Figure | None:
    """The columns without which the ensemble does worst."""
    columns = contents.importance.get("columns", [])[:_MOST_BARS]
    if not columns:
        return None
    deviations = [column["deviation"] for column in columns]
    names = [shown(column["column"], 28) for column in columns]
    return _bars(names, [column["mean"] for column in columns], deviations, "growth of the cost when shuffled")


def _bars(names: list[str], values: list[float], deviations: list[float] | None, label: str) -> Figure:
    figure = style.figure(height=0.9 + 0.27 * max(3, len(names)))
    axes = figure.subplots()
    errors = {"ecolor": style.INK, "elinewidth": 1}
    axes.barh(range(len(names)), values, height=0.7, color=style.GREEN, xerr=deviations, error_kw=errors)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(label, fontsize=9)
    axes.grid(visible=False, axis="y")
    return figure


@dataclass(frozen=True, eq=False)
class _Dimension:
    """One vertical axis: positions in [0, 1], NaN where the hyperparameter is inactive."""

    name: str
    positions: NDArray[np.float64]
    ticks: tuple[tuple[float, str], ...]


def draw_parallel_coordinates(contents: Contents) -> Figure | None:
    """A line for each trial through its values of the most important hyperparameters."""
    rows = _rows(contents)
    dimensions = _dimensions(contents, rows)
    if len(rows) < 2 or len(dimensions) < 2:
        return None
    values = contents.trials["value"].to_numpy()[rows]
    figure = style.figure(style.WIDE, 4.6)
    axes = figure.subplots()
    colours = _rank_colours(values, greater_is_better=contents.run.metric.greater_is_better)
    _draw_lines(axes, dimensions, colours)
    _draw_axes(axes, dimensions)
    _draw_scale(figure, axes, values, contents)
    return figure


def _rows(contents: Contents) -> NDArray[np.int64]:
    """Full trials to show, worst first, so that the best are drawn on top."""
    return contents.run.ranking[:_MOST_LINES][::-1]


def _dimensions(contents: Contents, rows: NDArray[np.int64]) -> list[_Dimension]:
    space, vectors = contents.run.space.configspace, contents.run.reader.vectors[rows]
    names = list(space)
    shares = contents.importance.get("hyperparameters", {})
    learner = [name for name in names if name in ("classifier:__choice__", "regressor:__choice__")]
    # What few trials have says little about many lines; without a measure of importance, only that decides.
    active = (~np.isnan(vectors)).mean(axis=0) if len(rows) else np.zeros(len(names))
    spread = [len(np.unique(column[~np.isnan(column)])) for column in vectors.T]
    ranked = sorted(
        (name for name in names if name not in learner),
        key=lambda name: (-max(0.0, shares.get(name, 0.0)) * active[names.index(name)], -active[names.index(name)]),
    )
    wanted = [name for name in (*learner, *ranked) if spread[names.index(name)] > 1][:_MOST_AXES]
    return [_dimension(space[name], vectors[:, names.index(name)]) for name in wanted]


def _dimension(parameter: Any, column: NDArray[np.float64]) -> _Dimension:
    choices = getattr(parameter, "choices", getattr(parameter, "sequence", None))
    if choices is None:
        ends = (parameter.to_value(np.float64(0.0)), parameter.to_value(np.float64(1.0)))
        ticks = tuple((place, f"{end:.3g}") for place, end in zip((0.0, 1.0), ends, strict=True))
        return _Dimension(parameter.name, column, ticks)
    present = np.unique(column[~np.isnan(column)])
    places = np.linspace(0.0, 1.0, len(present))
    positions = np.where(np.isnan(column), np.nan, np.interp(column, present, places))
    ticks = tuple((place, shown(choices[int(code)], 20)) for code, place in zip(present, places, strict=True))
    return _Dimension(parameter.name, positions, ticks)


def _rank_colours(values: NDArray[np.float64], *, greater_is_better: bool) -> NDArray[np.float64]:
    """Position in the colour map: by rank, as a few bad trials would take up the whole scale."""
    order = np.argsort(np.argsort(values if greater_is_better else -values, kind="stable"), kind="stable")
    return np.asarray(order / max(1, len(order) - 1))


def _draw_lines(axes: Axes, dimensions: list[_Dimension], colours: NDArray[np.float64]) -> None:
    from matplotlib.collections import LineCollection

    rng = np.random.default_rng(0)
    columns = [
        np.where(np.isnan(each.positions), _INACTIVE, each.positions) + rng.uniform(-0.012, 0.012, len(colours))
        for each in dimensions
    ]
    x = np.arange(len(dimensions))
    lines = [np.column_stack([x, heights]) for heights in np.column_stack(columns)]
    shades = style.middle_of_sequence()(colours)
    widths = np.where(colours > 0.9, 1.8, 0.8)
    axes.add_collection(
        LineCollection(lines, colors=shades, linewidths=widths, alpha=0.75, rasterized=len(lines) > 100)
    )


def _draw_axes(axes: Axes, dimensions: list[_Dimension]) -> None:
    behind = {"facecolor": style.PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
    for position, dimension in enumerate(dimensions):
        axes.axvline(position, color=style.MUTED, linewidth=1)
        for place, label in dimension.ticks:
            axes.text(position + 0.03, place, label, fontsize=8, color=style.INK, va="center", bbox=behind)
        if np.isnan(dimension.positions).any():
            axes.text(position + 0.03, _INACTIVE, "not active", fontsize=8, color=style.MUTED, va="center", bbox=behind)
    names = ["\n".join(shown(part, 18) for part in hyperparameter(each.name, 60).split(": ")) for each in dimensions]
    axes.set_xticks(range(len(dimensions)), names, fontsize=9)
    axes.set_yticks([])
    axes.set_xlim(-0.1, len(dimensions) - 0.45)
    axes.set_ylim(_INACTIVE - 0.08, 1.08)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _draw_scale(figure: Figure, axes: Axes, values: NDArray[np.float64], contents: Contents) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    quantiles = np.linspace(0.0, 1.0, 5)
    ordered = np.sort(values) if contents.run.metric.greater_is_better else np.sort(values)[::-1]
    scale = ScalarMappable(Normalize(0.0, 1.0), style.middle_of_sequence())
    bar = figure.colorbar(scale, ax=axes, pad=0.01, aspect=30)
    bar.set_ticks(quantiles.tolist(), labels=[f"{value:.4g}" for value in np.quantile(ordered, quantiles)])
    bar.set_label(f"{shown(contents.run.metric.name)} of the trial, by order")
