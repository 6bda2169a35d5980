"""Texts in plots: names from tables cut to the room there is, and axes of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def shown(text: Any, most: int = 30) -> str:
    """A name in at most `most` characters, without those that cannot be printed."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in str(text))
    return printable if len(printable) <= most else printable[: most - 1] + "…"


def hyperparameter(name: str, most: int = 36) -> str:
    """The end of a hyperparameter's full name, which tells it apart: ``random_forest: max_features``."""
    *before, last = name.split(":")
    if last in ("__choice__", "strategy"):
        return shown(before[-1].replace("_", " "), most)
    return shown(": ".join([*before[-1:], last]), most)


def time_unit(seconds: float) -> tuple[float, str]:
    """Seconds in the unit that suits a span, and its short name."""
    if seconds < 300:
        return 1.0, "s"
    return (60.0, "min") if seconds < 3 * 3600 else (3600.0, "h")


def evenly_chosen(items: Sequence[Any], most: int) -> list[Any]:
    """At most `most` items, evenly spread; the first and the last are among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(position * (len(items) - 1) / (most - 1))] for position in range(most)]


def mark_legs(axes: Axes, offsets: Iterable[float], unit: float) -> None:
    """A line where each further leg of the run begins."""
    from mpi_automl.report.style import MUTED

    for number, offset in list(enumerate(offsets))[1:]:
        axes.axvline(offset / unit, color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
        axes.text(offset / unit, 1.0, f" leg {number}", color=MUTED, fontsize=8, transform=axes.get_xaxis_transform())
