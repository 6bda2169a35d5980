"""Pages of reports, of runs and of studies: one template with one style, no network, written in full or not at all."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.atomic_write import atomic_write_text
from mpi_automl.report import style
from mpi_automl.version import __version__

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class DrawnPlot:
    """A plot as a page has it, and the figure for its PNG file.

    Attributes
    ----------
    name : str
        Of its file, and its id in the page.
    title, caption : str
    svg : Markup
    figure : Figure
    is_wide : bool
        It takes the whole width of the page.
    """

    name: str
    title: str
    caption: str
    svg: Markup
    figure: Figure
    is_wide: bool = True

    @classmethod
    def of(cls, figure: Figure, name: str, title: str, caption: str, *, is_wide: bool = True) -> DrawnPlot:
        """The plot of a figure that was drawn inside `drawing`."""
        from markupsafe import Markup

        return cls(name, title, caption, Markup(style.svg(figure, name, f"{title}. {caption}")), figure, is_wide)

    def write_png(self, place: Path) -> None:
        """Write the PNG file into a directory."""
        (place / f"{self.name}.png").write_bytes(style.png(self.figure))


@contextmanager
def drawing() -> Iterator[None]:
    """Draw figures in the style of the pages."""
    with style.drawing(), warnings.catch_warnings():
        # A name in a script that the font lacks is shown by the browser all the same.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        yield


def write_page(path: Path, template: str, **contents: Any) -> Path:
    """Write a page, atomically; whatever comes from tables is escaped by the template.

    Parameters
    ----------
    path : Path
    template : str
        Path in the package of a template that extends ``report/page.html.jinja``.
    **contents
        What the template shows, with ``title``, ``notes`` and ``headline`` for the top of the page.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("mpi_automl", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    text = environment.get_template(template).render(
        contents,
        variables=Markup(style.page_variables()),
        version=__version__,
        made=time.strftime("%Y-%m-%d %H:%M %z"),
    )
    atomic_write_text(path, text, durable=False)
    return path
