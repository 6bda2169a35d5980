"""The report of a study: one page that needs no network, its figures as PNG, its tables as LaTeX."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpi_automl.atomic_write import atomic_write_text
from mpi_automl.errors import UserError
from mpi_automl.report.page import DrawnPlot, drawing, write_page
from mpi_automl.study.comparison import Comparison, compare, friedman, pairs
from mpi_automl.study.figures import figures
from mpi_automl.study.latex import ReportTable, latex
from mpi_automl.study.work import idle_shares

if TYPE_CHECKING:
    import pandas as pd

    from mpi_automl.study.directory import StudyDirectory
    from mpi_automl.study.plan import StudyPlan

PAGE = "study.html"


def write_report(
    directory: StudyDirectory, plan: StudyPlan, collected: pd.DataFrame, *, metric: str | None, rope: float
) -> Path:
    """Write ``report/`` in the study's directory.

    Parameters
    ----------
    directory : StudyDirectory
    plan : StudyPlan
    collected : DataFrame
        As `mpi_automl.study.collect.collect` gives it.
    metric : str, optional
        To compare by.
    rope : float
        Difference of scores up to which variants count as equal.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    UserError
        If there is nothing to compare yet, a package is missing, or nothing can be written.
    """
    comparison = compare(collected, metric)
    place = directory.path / "report"
    try:
        place.mkdir(exist_ok=True)
        plots = list(_draw(comparison, place))
        tables = list(_tables(comparison, collected, rope))
        for table in tables:
            atomic_write_text(place / f"{table.name}.tex", latex(table), durable=False)
        page = write_page(
            place / PAGE,
            "study/study.html.jinja",
            title=plan.name,
            headline=_headline(plan, collected, comparison),
            notes=list(_notes(collected, comparison, directory)),
            plots=plots,
            tables=tables,
        )
    except OSError as error:
        raise UserError(f"Nothing can be written in {place}: {error.strerror}.") from None
    return page


def _tables(comparison: Comparison, collected: pd.DataFrame, rope: float) -> Iterator[ReportTable]:
    yield score_table(comparison)
    yield rank_table(comparison)
    if len(comparison.variants) > 1:
        yield pair_table(comparison, rope)
    yield run_table(collected)


def _draw(comparison: Comparison, place: Path) -> Iterator[DrawnPlot]:
    with drawing():
        for figure in figures():
            drawn = figure.draw(comparison)
            if drawn is not None:
                plot = DrawnPlot.of(drawn, figure.name, figure.title, figure.caption)
                plot.write_png(place)
                yield plot


def score_table(comparison: Comparison) -> ReportTable:
    """Mean and standard deviation of the score, by table and variant."""
    rows, bold = [], set()
    for number, table in enumerate(comparison.tables):
        scores, deviations = comparison.scores.loc[table], comparison.deviations.loc[table]
        cells = [f"{score:.4f} ± {spread:.4f}" for score, spread in zip(scores, deviations, strict=True)]
        rows.append((table, str(comparison.metrics[table]), str(comparison.counts[table]), *cells))
        best = comparison.ranks.loc[table].min()
        bold |= {(number, 3 + i) for i, rank in enumerate(comparison.ranks.loc[table]) if rank == best}
    return ReportTable(
        "scores",
        "Scores on the outer test part",
        "Mean and standard deviation over seeds and folds; the best mean of each table stands out.",
        ("table", "metric", "runs", *comparison.variants),
        tuple(rows),
        frozenset(bold),
        texts=2,
    )


def rank_table(comparison: Comparison) -> ReportTable:
    """Rank of each variant on each table, and the mean ranks."""
    rows = [(table, *(f"{rank:g}" for rank in comparison.ranks.loc[table])) for table in comparison.tables]
    means = comparison.ranks.mean()
    rows.append(("mean", *(f"{means[name]:.2f}" for name in comparison.variants)))
    bold = {(len(rows) - 1, 1 + i) for i, name in enumerate(comparison.variants) if means[name] == means.min()}
    p = friedman(comparison)
    note = f"Friedman's test that all are equally good: p = {p:.3g}." if p == p else ""  # noqa: PLR0124
    return ReportTable(
        "ranks", "Ranks", f"1 is best. {note}", ("table", *comparison.variants), tuple(rows), frozenset(bold)
    )


def pair_table(comparison: Comparison, rope: float) -> ReportTable:
    """Wins, ties and losses of each two variants, with the tests."""
    rows = tuple(
        (
            f"{pair.first} – {pair.second}",
            f"{pair.wins} / {pair.ties} / {pair.losses}",
            f"{pair.wilcoxon:.3g}",
            f"{pair.holm:.3g}",
            f"{pair.better:.3f}",
            f"{pair.equal:.3f}",
            f"{pair.worse:.3f}",
        )
        for pair in pairs(comparison, rope)
    )
    head = ("first – second", "wins / ties / losses", "Wilcoxon p", "Holm p", "P(better)", "P(equal)", "P(worse)")
    note = (
        "Of the first, by table. Wilcoxon's signed-rank test, also corrected by Holm for the number of pairs; Bayesian "
        f"signed-rank test with differences up to {rope:g} as equal. Losses are divided by the table's mean."
    )
    return ReportTable("pairs", "Each two variants", note, head, rows)


def run_table(collected: pd.DataFrame) -> ReportTable:
    """What the runs of each variant came to."""
    rows = []
    for name, runs in collected.groupby("variant", sort=False):
        finished = runs[runs["state"] == "finished"]
        rows.append(
            (
                str(name),
                str(runs["by"].iloc[0]),
                f"{len(finished)} / {(runs['state'] == 'failed').sum()} / {len(runs)}",
                _mean(finished, "run_seconds", "{:.1f}"),
                _mean(finished, "predict_seconds", "{:.2f}"),
                _mean(finished, "trials", "{:.1f}"),
                _mean(finished, "utilisation", "{:.0%}"),
                _mean(finished, "members", "{:.1f}"),
            )
        )
    head = ("variant", "by", "finished / failed / all", "seconds", "predicting, s", "trials", "utilisation", "members")
    return ReportTable("runs", "Runs", "Means over the finished runs.", head, tuple(rows), texts=2)


def _mean(rows: pd.DataFrame, column: str, form: str) -> str:
    if column not in rows or rows[column].isna().all():
        return ""
    return form.format(rows[column].mean())


def _headline(plan: StudyPlan, collected: pd.DataFrame, comparison: Comparison) -> list[tuple[str, Any]]:
    finished = collected[collected["state"] == "finished"]
    best = comparison.mean_ranks.index[0]
    return [
        ("best mean rank", f"{best} ({comparison.mean_ranks.iloc[0]:.2f})"),
        ("tables", len(comparison.tables)),
        ("variants", len(comparison.variants)),
        ("runs finished", f"{len(finished)} of {len(collected)}"),
        ("core hours", f"{(finished['run_seconds'] * finished['cores']).sum() / 3600:.2f}"),
        ("ranks per run", plan.ranks),
    ]


def _notes(collected: pd.DataFrame, comparison: Comparison, directory: StudyDirectory) -> Iterator[str]:
    if comparison.left_out:
        yield f"Left out, as not every variant has finished a run on them: {', '.join(comparison.left_out)}."
    failed = collected[collected["state"] == "failed"]
    if len(failed):
        counts = ", ".join(f"{count} of {name}" for name, count in failed["variant"].value_counts().items())
        yield f"Failed runs do not count in the means: {counts}."
    for job, share in idle_shares(list(directory.read_groups())).items():
        yield f"Job {job}: its groups of ranks spent {share:.1%} of the time in no run while runs were left."
    seen = {name: sorted(collected[name].dropna().unique()) for name in collected if name.startswith("version_")}
    for name, versions in seen.items():
        if len(versions) > 1:
            yield f"Runs were made with several releases of {name.removeprefix('version_')}: {', '.join(versions)}."
