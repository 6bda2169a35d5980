"""What the ranks did all the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.report import style
from mpi_automl.report.labels import evenly_chosen, mark_legs, time_unit

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from mpi_automl.report.contents import Contents

MOST_RANKS = 32
_VECTOR_BARS = 1500
"""More bars than these are drawn as pixels: a page must stay small."""

FIT, PREDICT, FAILED, STORE, ASK = (
    style.Look(style.BLUE),
    style.Look(style.SKY, "..."),
    style.Look(style.RED, "xxx"),
    style.Look(style.PINK, "///"),
    style.Look(style.ORANGE),
)


def draw_timeline(contents: Contents) -> Figure | None:
    """A row for each rank, with what it did when."""
    table = contents.trials
    if table.empty:
        return None
    ranks = evenly_chosen(contents.ranks, MOST_RANKS)
    figure = style.figure(style.WIDE, 1.3 + 0.26 * max(4, len(ranks)))
    axes = figure.subplots()
    unit, unit_name = time_unit(contents.clock.total)
    pixels = len(table) * 3 > _VECTOR_BARS
    for row, rank in enumerate(ranks):
        own = table[table["rank"] == rank].sort_values("began")
        _draw_rank(axes, own, row, unit, pixels=pixels, labelled=row == 0)
    axes.set_yticks(range(len(ranks)), [f"rank {rank}" for rank in ranks])
    axes.set_ylim(len(ranks) - 0.5, -0.5)
    axes.set_xlim(0, contents.clock.total / unit)
    axes.set_xlabel(f"time of search ({unit_name})")
    axes.grid(visible=False, axis="y")
    mark_legs(axes, contents.clock.offsets, unit)
    figure.legend(loc="outside upper center", ncols=5)
    return figure


def _draw_rank(axes: Axes, own: pd.DataFrame, row: int, unit: float, *, pixels: bool, labelled: bool) -> None:
    began, ended = own["began"].to_numpy() / unit, own["ended"].to_numpy() / unit
    success = (own["status"] == "success").to_numpy()
    predict = np.minimum(own["predict_seconds"].fillna(0.0).to_numpy() / unit, ended - began)
    store = own["store_seconds"].fillna(0.0).to_numpy() / unit
    ask = own["ask_seconds"].fillna(0.0).to_numpy() / unit
    # A configuration is proposed while the trial before it runs.
    asked = np.concatenate([began[:1], began[:-1]])
    bars = (
        ("fitting", FIT, success, began, ended - predict - began, 0.24, 0.5),
        ("predicting", PREDICT, success, ended - predict, predict, 0.24, 0.5),
        ("failed or stopped trial", FAILED, ~success, began, ended - began, 0.24, 0.5),
        ("storing", STORE, store >= 0, ended, store, 0.24, 0.5),
        ("proposing (meanwhile)", ASK, ask > 0, asked, ask, 0.4, 0.13),
    )
    for name, look, chosen, start, length, bottom, height in bars:
        spans = list(zip(start[chosen], length[chosen], strict=True))
        looks: dict[str, Any] = {
            "facecolor": look.colour,
            "hatch": look.hatch,
            "edgecolor": style.PAPER,
            "linewidth": 0.3,
        }
        label = name if labelled else None
        axes.broken_barh(spans, (row - bottom, height), label=label, rasterized=pixels, **looks)


def draw_rank_shares(contents: Contents) -> Figure | None:
    """How each rank's time is made up."""
    table = contents.trials
    if table.empty or contents.clock.total <= 0:
        return None
    ranks = evenly_chosen(contents.ranks, MOST_RANKS)
    grouped = table[table["rank"].isin(ranks)].assign(
        seconds=table["ended"] - table["began"], is_success=table["status"] == "success"
    )
    figure = style.figure(height=1.4 + 0.24 * max(3, len(ranks)))
    axes = figure.subplots()
    left = np.zeros(len(ranks))
    for name, look, seconds in _shares(grouped, ranks):
        share = 100.0 * seconds / contents.clock.total
        axes.barh(
            range(len(ranks)), share, left=left, height=0.7, color=look.colour, hatch=look.hatch,
            edgecolor=style.PAPER, linewidth=0.3, label=name,
        )  # fmt: skip
        left += share
    axes.set_yticks(range(len(ranks)), [f"rank {rank}" for rank in ranks])
    axes.set_ylim(len(ranks) - 0.5, -0.5)
    axes.set_xlim(0, max(100.0, left.max()))
    axes.set_xlabel("% of the search's time; the rest is idle")
    axes.grid(visible=False, axis="y")
    figure.legend(loc="outside upper center", ncols=4)
    return figure


def _shares(table: pd.DataFrame, ranks: list[int]) -> list[tuple[str, style.Look, NDArray[np.float64]]]:
    success, failed = table[table["is_success"]], table[~table["is_success"]]

    def of_rank(part: pd.DataFrame, column: str) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = part.groupby("rank")[column].sum().reindex(ranks, fill_value=0.0).to_numpy()
        return sums

    predicting = of_rank(success, "predict_seconds")
    return [
        ("fitting", FIT, of_rank(success, "seconds") - predicting),
        ("predicting", PREDICT, predicting),
        ("failed or stopped", FAILED, of_rank(failed, "seconds")),
        ("storing", STORE, of_rank(table, "store_seconds")),
    ]
