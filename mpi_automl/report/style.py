"""The look of every plot: colours that colour-blind eyes and grey printers keep apart, for light and dark pages.

Plots are drawn once. `svg` turns their colours into variables of the page (`PAGE_COLOURS`), so that one drawing follows
the reader's light or dark theme; `png` puts the same drawing on white paper.

The colours are those of Okabe and Ito (2008), "Color universal design". Whatever tells two series apart by colour does
it by line style, marker or hatch as well.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mpi_automl.trial import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#010101", "#767675", "#d9d9d8", "#fefefe"
"""Stand-ins for text, less important text, grid lines and the background."""

BLUE, ORANGE, GREEN, RED, SKY, PINK, GREY = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#8c8c8b",
)  # fmt: skip

PAGE_COLOURS = {
    "ink": (INK, "#1b1f24", "#e8eaed"),
    "muted": (MUTED, "#5f6772", "#a2aab4"),
    "grid": (GRID, "#d8dce1", "#3a414a"),
    "paper": (PAPER, "#ffffff", "#1b2026"),
    "blue": (BLUE, BLUE, "#3d9fdb"),
    "green": (GREEN, GREEN, "#1fb98a"),
    "red": (RED, RED, "#ec7a35"),
}
"""Variables of the page: what stands in for each in a drawing, and its colour in the light and in the dark theme."""

COLOURS = (BLUE, ORANGE, GREEN, RED, SKY, PINK, GREY)
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SEQUENCE = "cividis"
"""Colour map for amounts: its lightness grows steadily, so it survives grey printing."""

WIDTH, WIDE = 5.2, 10.4
"""Inches: a figure for one column of a page, and one for its whole width."""

_PIXELS_PER_INCH = 144
"""Of PNG files, and of what is drawn as pixels inside of an SVG."""


@dataclass(frozen=True)
class Look:
    """How the bars of one kind are filled.

    Attributes
    ----------
    colour : str
    hatch : str
        Matplotlib's pattern; empty for a plain fill.
    """

    colour: str
    hatch: str = ""


STATUS_LOOKS = {
    Status.SUCCESS: Look(BLUE),
    Status.CRASHED: Look(RED, "xxx"),
    Status.TIMEOUT: Look(ORANGE, "///"),
    Status.MEMOUT: Look(PINK, "..."),
    Status.STOPPED: Look(GREY),
    Status.PRUNED: Look(SKY, "---"),
}
"""How each end of a trial is shown, wherever trials are counted by it."""


@contextmanager
def drawing() -> Iterator[None]:
    """Matplotlib's settings for making and saving figures; those of the user come back afterwards."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        settings: Any = _settings()  # matplotlib's types know only names that are written out
        matplotlib.rcParams.update(settings)
        yield


def figure(width: float = WIDTH, height: float = 3.4) -> Figure:
    """An empty figure, without pyplot and its global state.

    Parameters
    ----------
    width, height : float
        Inches; `WIDTH` and `WIDE` are the usual widths.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def middle_of_sequence() -> Colormap:
    """`SEQUENCE` for thin lines, without its ends: the one is lost on dark pages and the other on white ones."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap([colormaps[SEQUENCE](0.22 + 0.7 * step / 255) for step in range(256)])


def legend(axes: Axes, **options: Any) -> None:
    """A legend below the plot, where it hides no data."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        position = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncols": min(4, len(handles))}
        axes.legend(handles, labels, **{**position, **options})


def line_look(position: int) -> dict[str, Any]:
    """Colour and dashes of the n-th line of a plot; they repeat after different lengths."""
    return {"color": COLOURS[position % len(COLOURS)], "linestyle": LINES[(position + position // 7) % len(LINES)]}


def svg(drawn: Figure, name: str, description: str) -> str:
    """A figure as an element of an HTML page, whose colours are the page's.

    Parameters
    ----------
    drawn : Figure
    name : str
        Makes the ids inside unique on the page.
    description : str
        What is to be seen, for readers who do not see it.
    """
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        drawn.savefig(
            buffer,
            format="svg",
            dpi=_PIXELS_PER_INCH,
            transparent=True,
            metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
        )
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    # Groups are named alike in every figure, and nothing refers to them by name.
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    for variable, (stand_in, _, _) in PAGE_COLOURS.items():
        text = text.replace(stand_in, f"var(--{variable})")
    box = re.search(r'viewBox="[^"]*"', text)
    assert box is not None
    opening = f'<svg {box[0]} role="img" aria-label="{html.escape(description)}">'
    return opening + text[text.index(">") + 1 :]


def png(drawn: Figure) -> bytes:
    """A figure on white paper, as the bytes of a PNG file."""
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="png", dpi=_PIXELS_PER_INCH, facecolor="white")
    return buffer.getvalue()


def page_variables() -> str:
    """The style sheet's part that gives the colours their values in both themes."""
    light, dark = (
        "".join(f"--{variable}:{colours[theme]};" for variable, colours in PAGE_COLOURS.items()) for theme in (1, 2)
    )
    return (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
        f"@media print{{:root{{color-scheme:light;{light}}}}}"
    )


def _settings() -> dict[str, Any]:
    from cycler import cycler

    text = dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor"), INK)
    ticks = {f"{axis}tick.{name}": value for axis in "xy" for name, value in (("color", MUTED), ("labelcolor", INK))}
    return {
        **text,
        **ticks,
        "axes.edgecolor": MUTED,
        "axes.facecolor": "none",
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "figure.facecolor": "none",
        "font.size": 10,
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "hatch.color": PAPER,
        "hatch.linewidth": 0.8,
        "image.cmap": SEQUENCE,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "lines.linewidth": 1.8,
        # Names of columns are no formulas, and text stays text: it can be searched, and read aloud.
        "text.parse_math": False,
        "svg.fonttype": "none",
    }
