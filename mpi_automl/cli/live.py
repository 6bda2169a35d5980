"""A job under way as a person sees it: one line for a log, or a picture that fills a terminal.

The numbers come from `mpi_automl.job.progress.ProgressMeter.read`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mpi_automl.cli.chart import step_chart
from mpi_automl.cli.console import shown_value
from mpi_automl.job.progress import Progress, RanksProgress

_FAILED = ("crashed", "timeout", "memout")
_SILENT = 10.0
_CHART_ROWS = 4
_MOST_RANK_ROWS = 16
_OTHER_ROWS = 10
"""Lines of the picture that are not ranks or chart, and some room around it."""


def progress_line(progress: Progress) -> str:
    """Trials done, running and failed; the best score and who found it; time left."""
    failed = sum(progress.trials.get(name, 0) for name in _FAILED)
    return (
        f"{progress.elapsed_seconds:6.0f} s | {sum(progress.trials.values())} trials ({progress.per_second:.2g}/s), "
        f"{progress.running} running, {failed} failed | {_best(progress)} | {_left(progress)}"
    )


def picture(progress: Progress, width: int, height: int) -> RenderableType:
    """The whole job, in as many lines as a terminal has.

    Parameters
    ----------
    progress : Progress
    width, height : int
        Characters of the terminal.
    """
    parts: list[RenderableType] = [_bar(progress, width), _counts(progress), Text(_best(progress), style="bold")]
    room = height - _OTHER_ROWS
    if room >= _CHART_ROWS:
        chart = step_chart(progress.improvements, progress.elapsed_seconds, min(width - 14, 70), _CHART_ROWS)
        parts += [Text(line, style="cyan", no_wrap=True) for line in chart]
        room -= len(chart)
    if room >= 1:
        parts.append(
            _rank_table(progress.ranks, progress.elapsed_seconds - progress.began_seconds, min(room, _MOST_RANK_ROWS))
        )
    return Group(*parts)


def _best(progress: Progress) -> str:
    best = progress.best
    if best is None:
        return "no model yet"
    return f"best {progress.metric} {shown_value(best['value'])} by rank {best['rank']}"


def _left(progress: Progress) -> str:
    if progress.seconds_left > 0:
        return f"{progress.seconds_left:.0f} s left"
    return "0 s left: building the ensemble"


def _bar(progress: Progress, width: int) -> Table:
    grid = Table.grid(padding=(0, 1))
    bar = ProgressBar(progress.search_seconds, progress.elapsed_seconds, width=max(10, min(40, width - 36)))
    grid.add_row(bar, f"{_clock(progress.elapsed_seconds)} of {_clock(progress.job_seconds)}, {_left(progress)}")
    return grid


def _counts(progress: Progress) -> Text:
    statuses = ", ".join(f"{count} {name}" for name, count in progress.trials.items()) or "none has ended"
    text = f"{sum(progress.trials.values())} trials ({statuses}), {progress.per_second:.2g} per second"
    if found := progress.best:
        text += f"; last improvement after {_clock(found['seconds'])}"
    return Text(text)


def _rank_table(ranks: RanksProgress, elapsed: float, rows: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("rank", "now", "for", "trials", "busy", ""):
        table.add_column(name, justify="left" if name in ("now", "") else "right", style="dim" if name == "" else None)
    shown = len(ranks) if len(ranks) <= rows else max(1, rows - 1)
    for rank in range(shown):
        table.add_row(*_rank_row(ranks, rank, elapsed))
    if shown < len(ranks):
        table.add_row("...", "; ".join(_others(ranks, range(shown, len(ranks)))))
    return table


def _rank_row(ranks: RanksProgress, rank: int, elapsed: float) -> Iterator[str | Text]:
    doing = ranks.doing[rank]
    yield str(rank)
    yield ranks.learners[doing] if doing >= 0 else ("done" if doing == -2 else "between trials")
    yield f"{ranks.seconds[rank]:.0f} s" if doing >= 0 else ""
    yield str(ranks.finished[rank])
    under_way = ranks.seconds[rank] if doing >= 0 else 0.0
    yield f"{min(1.0, (ranks.busy_seconds[rank] + under_way) / max(elapsed, 1e-9)):.0%}"
    silent = ranks.silent_seconds[rank]
    yield Text(f"silent for {silent:.0f} s", style="yellow") if silent > _SILENT and doing != -2 else ""


def _others(ranks: RanksProgress, chosen: range) -> Iterator[str]:
    yield f"{len(chosen)} more"
    learners = Counter(ranks.learners[ranks.doing[rank]] for rank in chosen if ranks.doing[rank] >= 0)
    yield from (f"{count} {name}" for name, count in learners.most_common(3))
    silent = sum(1 for rank in chosen if ranks.silent_seconds[rank] > _SILENT and ranks.doing[rank] != -2)
    if silent:
        yield f"{silent} silent for more than {_SILENT:.0f} s"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
