"""The best scores over time: of each rank, of all together, and of the ensemble."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.report import style
from mpi_automl.report.labels import evenly_chosen, mark_legs, time_unit
from mpi_automl.runs.selection import EnsembleRules
from mpi_automl.runs.trajectory import EnsembleHistory, Trajectory, ensemble_trajectory, incumbent_trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from mpi_automl.report.contents import Contents

MOST_RANKS = 16
_NAMED_RANKS = 6
_ENSEMBLE_POINTS = 12
_SETTLED_SHARE = 0.05
_END_MARGIN = 1.015


@dataclass(frozen=True, eq=False)
class Trajectories:
    """What is drawn.

    Attributes
    ----------
    ranks : dict of int to Trajectory
        Some of the ranks, if there are many.
    best : Trajectory
        Of all ranks.
    ensemble : Trajectory
        Empty where it could not be reconstructed.
    has_test : bool
    """

    ranks: dict[int, Trajectory]
    best: Trajectory
    ensemble: Trajectory
    has_test: bool


def score_trajectories(contents: Contents, has_time: Callable[[], bool]) -> Trajectories:
    """Look up the scores, for the ensemble as long as there is time.

    Parameters
    ----------
    contents : Contents
    has_time : callable
        Asked before each slow part whether there is time.
    """
    run = contents.run
    best = incumbent_trajectory(run)
    history = EnsembleHistory(run, EnsembleRules.of(run.settings))
    points = _ENSEMBLE_POINTS if history.is_small else 0
    return Trajectories(
        ranks={rank: incumbent_trajectory(run, rank) for rank in evenly_chosen(contents.ranks, MOST_RANKS)},
        best=best,
        ensemble=ensemble_trajectory(history, contents.clock.total, points, has_time=has_time),
        has_test=bool(np.isfinite(best.test_values).any()),
    )


def draw_scores(contents: Contents, found: Trajectories) -> Figure | None:
    """Best value so far on the validation rows and, below, on the test rows."""
    if not len(found.best.values):
        return None
    panels = 2 if found.has_test else 1
    figure = style.figure(height=1.0 + 2.2 * panels)
    unit, unit_name = time_unit(contents.clock.total)
    panes = np.atleast_1d(figure.subplots(panels, 1, sharex=True))
    for pane, axes in enumerate(panes):
        _draw_panel(axes, found, contents.clock.total, unit, pane)
        rows = "test" if pane else "validation"
        axes.set_title(f"{contents.run.metric.name} on the {rows} rows")
        mark_legs(axes, contents.clock.offsets, unit)
    panes[-1].set_xlim(0, _END_MARGIN * contents.clock.total / unit)
    panes[-1].set_xlabel(f"time of search ({unit_name})")
    style.legend(panes[-1], bbox_to_anchor=(0.5, -0.28), ncols=3)
    return figure


def _draw_panel(axes: Axes, found: Trajectories, total: float, unit: float, pane: int) -> None:
    # A few ranks have their own look; more of them are a bundle of thin lines.
    named = len(found.ranks) <= _NAMED_RANKS
    for position, (rank, path) in enumerate(found.ranks.items()):
        look = style.line_look(position) if named else {"color": style.MUTED, "alpha": 0.5}
        label = f"rank {rank}" if named else ("each rank" if position == 0 else None)
        _step(axes, path, total, unit, pane, label=label, **{**look, "linewidth": 1.1})
    _step(axes, found.best, total, unit, pane, label="best of all", color=style.INK, linewidth=2.2)
    if len(found.ensemble.values):
        values = _values(found.ensemble, pane)
        axes.plot(
            found.ensemble.seconds / unit, values, label="ensemble", color=style.ORANGE,
            marker="o", markersize=5, markeredgecolor=style.INK, markeredgewidth=0.6, zorder=5,
        )  # fmt: skip
    _settle_scale(axes, found, total, pane)


def _values(path: Trajectory, pane: int) -> NDArray[np.float64]:
    return path.test_values if pane else path.values


def _step(axes: Axes, path: Trajectory, total: float, unit: float, pane: int, **look: object) -> None:
    values = _values(path, pane)
    known = np.isfinite(values)
    if known.any():
        x, y = np.append(path.seconds[known], total), np.append(values[known], values[known][-1])
        axes.plot(x / unit, y, drawstyle="steps-post", **look)  # type: ignore[arg-type]  # one style for all lines


def _settle_scale(axes: Axes, found: Trajectories, total: float, pane: int) -> None:
    """Show where the lines spend their time: the first models are often far off."""
    shown = []
    for path in (*found.ranks.values(), found.best, found.ensemble):
        values = _values(path, pane)
        if len(values):
            begun = path.seconds[0] + _SETTLED_SHARE * total
            shown.append(values[int(np.searchsorted(path.seconds, begun, side="right")) - 1 :])
    finite = np.concatenate(shown)
    finite = finite[np.isfinite(finite)]
    if len(finite):
        margin = 0.06 * float(np.ptp(finite)) or 0.01 * max(abs(float(finite[0])), 1e-9)
        axes.set_ylim(finite.min() - margin, finite.max() + margin)
