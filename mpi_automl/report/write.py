"""Writes the report of a run: one page that needs no network, and each of its plots as a PNG file."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.errors import UserError
from mpi_automl.report import tables
from mpi_automl.report.contents import Contents
from mpi_automl.report.page import DrawnPlot, drawing, write_page
from mpi_automl.report.plots import Plot, Section, sections
from mpi_automl.runs.importance import hyperparameter_importance

if TYPE_CHECKING:
    from mpi_automl.runs.run import Run

PLACE, PAGE = "report", "report.html"
"""Directory in the run directory, and the page in it."""

_PLOT_SECONDS = 0.3
_SLOW_SECONDS = 3.0


class ReportTimeoutError(Exception):
    """The report could not be written in time; nothing of it is left."""


class ReportTime:
    """Time for a report.

    Parameters
    ----------
    until : float or None
        Seconds since the epoch; None for as long as it takes.
    slowdown : float
        Busy threads per core: everything takes so much longer.
    """

    def __init__(self, until: float | None, slowdown: float = 1.0) -> None:
        self._until, self._slowdown = until, slowdown

    def has(self, seconds: float) -> bool:
        """Whether there is time for something that takes so long on an idle core."""
        return self._until is None or time.time() + self._slowdown * seconds < self._until

    def need(self, seconds: float) -> None:
        """Raise `ReportTimeoutError` unless there is time for it."""
        if not self.has(seconds):
            raise ReportTimeoutError

    def has_time(self) -> bool:
        """Whether there is time for something slow."""
        return self.has(_SLOW_SECONDS)


@dataclass(frozen=True)
class DrawnSection:
    """A section of the page."""

    name: str
    title: str
    note: str
    plots: tuple[DrawnPlot, ...]
    tables: tuple[tables.Table, ...]


def write_report(run: Run, out: Path | str | None = None, *, time_left: ReportTime | None = None) -> Path:
    """Write the report of a run that is finished, killed or under way.

    Parameters
    ----------
    run : Run
    out : Path or str, optional
        Directory to write to; made if need be. By default ``report`` in the run directory.
    time_left : ReportTime, optional
        Time for it; by default as long as it takes. With little of it, slow parts are left out.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    UserError
        If this is not a run directory, or nothing can be written.
    ReportTimeoutError
    """
    time_left = ReportTime(None) if time_left is None else time_left
    time_left.need(2.0)
    contents = Contents.of(run)
    if not contents.importance.get("hyperparameters") and time_left.has(10 * _SLOW_SECONDS):
        importance = {**contents.importance, "hyperparameters": hyperparameter_importance(run)}
        contents = replace(contents, importance=importance)
    drawn = draw(contents, time_left)
    place = run.path / PLACE if out is None else Path(out)
    try:
        place.mkdir(parents=True, exist_ok=True)
        page = write_page(place / PAGE, "report/run.html.jinja", **_shown(contents, drawn))
        # As long as there is time: the page comes first.
        with drawing():
            for plot in (plot for section in drawn for plot in section.plots):
                if time_left.has(_PLOT_SECONDS):
                    plot.write_png(place)
    except OSError as error:
        raise UserError(
            f"Nothing can be written in {place} ({error.strerror}); name another place with --out."
        ) from None
    return page


def draw(contents: Contents, time_left: ReportTime) -> list[DrawnSection]:
    """Draw every plot that the run has something for."""
    found = []
    with drawing():
        for section in sections(time_left.has_time):
            plots = tuple(
                plot for each in section.plots if (plot := _drawn(each, section.name, contents, time_left)) is not None
            )
            found.append(_with_tables(section, plots, contents))
    return [section for section in found if section.plots or section.tables or section.note]


def _drawn(plot: Plot, section: str, contents: Contents, time_left: ReportTime) -> DrawnPlot | None:
    time_left.need(_PLOT_SECONDS)
    figure = plot.draw(contents)
    if figure is None:
        return None
    caption = plot.caption
    if section == "quality" and contents.predicted is not None:
        caption = f"{caption} The {contents.predicted.model} on the {contents.predicted.rows} rows."
    return DrawnPlot.of(figure, plot.name, plot.title, caption, is_wide=plot.is_wide)


def _with_tables(section: Section, plots: tuple[DrawnPlot, ...], contents: Contents) -> DrawnSection:
    found: dict[str, list[tables.Table | None]] = {
        "trials": [tables.failure_table(contents), tables.leaderboard_table(contents)],
        "ensemble": [tables.member_table(contents)],
    }
    note = _missing_note(contents) if section.name == "importance" else ""
    kept = tuple(table for table in found.get(section.name, []) if table is not None)
    return DrawnSection(section.name, section.title, note, plots, kept)


def _missing_note(contents: Contents) -> str:
    notes = []
    if not contents.importance.get("columns"):
        notes.append(
            "How much the columns matter has not been measured: mpi-automl importance "
            f"{contents.run.path} TABLE does that with rows that were not learned from; then make it again."
        )
    if not contents.importance.get("hyperparameters"):
        notes.append(
            "The importance of hyperparameters needs 20 trials or more, and a report with time for it: make it again."
        )
    return " ".join(notes)


def _shown(contents: Contents, drawn: list[DrawnSection]) -> dict[str, Any]:
    summary = contents.run.summary
    return {
        "title": str(contents.metadata.get("task", contents.run.path.name)),
        "state": tables.state_sentence(contents),
        "notes": summary.notes if summary else (),
        "headline": tables.headline(contents),
        "sections": drawn,
        "details": list(tables.detail_tables(contents)),
        "repeat": tables.repeat_commands(contents),
    }
