"""Tables that tell a run's outcome to a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from mpi_automl.cli.console import shown_value
from mpi_automl.errors import UserError
from mpi_automl.runs.summary import Member, RunSummary
from mpi_automl.trial import Status, TrialKey

if TYPE_CHECKING:
    from mpi_automl.metrics.metric import Metric
    from mpi_automl.runs.run import Run
    from mpi_automl.storage.reader import RunReader

_MODELS = {"folds": "test by the models of its folds", "refit": "test by its model of all rows"}
_SHOWN_RANKS = 16
_SHOWN_IMPORTANT = 12
_SHOWN_KEYS = 20


def outcome_tables(outcome: RunSummary) -> Iterator[Table | str]:
    """Ensemble, trials by status, ranks, and where the files are."""
    yield ""
    yield from ensemble_tables(outcome)
    yield f"{_statuses(outcome.statuses)} in {outcome.seconds:.1f} s."
    if outcome.ranks:
        yield _rank_table(outcome)
    if outcome.sharing:
        yield outcome.sharing
    yield from outcome.notes
    place = outcome.directory
    yield f"Files: {place} (mpi-automl show {place}; mpi-automl predict {place} TABLE)"


def ensemble_tables(outcome: RunSummary) -> Iterator[Table | str]:
    """Members, weights and scores."""
    yield _ensemble_table(outcome)
    yield _scores(outcome)


def importance_tables(found: Mapping[str, Any]) -> Iterator[Table | str]:
    """The hyperparameters and columns that matter most."""
    hyperparameters = list(found.get("hyperparameters", {}).items())[:_SHOWN_IMPORTANT]
    columns = found.get("columns", [])[:_SHOWN_IMPORTANT]
    if hyperparameters:
        table = Table(title="Hyperparameters: growth of the surrogate's error when shuffled", title_justify="left")
        table.add_column("hyperparameter")
        table.add_column("share of the costs' variance", justify="right")
        for name, share in hyperparameters:
            table.add_row(name, f"{share:.3f}")
        yield table
    if columns:
        table = Table(title="Columns: growth of the ensemble's cost when shuffled", title_justify="left")
        for name in ("column", "mean", "deviation"):
            table.add_column(name, justify="left" if name == "column" else "right")
        for row in columns:
            table.add_row(row["column"], f"{row['mean']:.4f}", f"{row['deviation']:.4f}")
        yield table
    if found and not hyperparameters and not columns:
        yield "There are too few trials to tell which hyperparameters matter."


def metric_of(run: Run) -> Metric | None:
    """The metric of a run; None where it is the user's own and cannot be imported here."""
    try:
        return run.metric
    except UserError:
        return None


def trial_tables(run: Run, most: int, *, is_running: bool = False) -> Iterator[Table | str]:
    """What the store of an unfinished run holds: trials by status, and the best ones."""
    trials = run.reader.trials()
    yield _statuses(Counter(Status[name.upper()] for name in trials["status"]))
    yield from unfinished_lines(run.reader, is_running=is_running)
    table = Table(title="Best trials", title_justify="left")
    metric = metric_of(run)
    for name in ("trial", "cost" if metric is None else f"validation {metric.name}", "seconds", "origin"):
        table.add_column(name, justify="right")
    for row in trials.iloc[run.ranking[:most]].itertuples():
        value = row.cost if metric is None else metric.value_of(row.cost)
        table.add_row(row.key, shown_value(value), f"{row.seconds:.1f}", row.origin)
    yield table


def unfinished_lines(reader: RunReader, *, is_running: bool = False) -> Iterator[str]:
    """What is under way now, what was lost when a leg died, and what is not tried again."""
    legs = [leg.leg for leg in reader.legs]
    running = reader.in_flight(legs[-1:]).keys if is_running else ()
    lost = reader.in_flight(legs[:-1] if is_running else legs).keys
    if running:
        yield f"{len(running)} running now: {_named(running)}."
    if lost:
        yield (
            f"{len(lost)} lost with a job that died: {_named(lost)}. "
            "They may be proposed again; a configuration that two jobs died with is not."
        )
    if quarantined := len(reader.quarantined()):
        yield f"{quarantined} of these configurations are not tried again, because two jobs or more died with them."


def _named(keys: Sequence[TrialKey]) -> str:
    return ", ".join(map(str, keys[:_SHOWN_KEYS])) + (", ..." if len(keys) > _SHOWN_KEYS else "")


def _ensemble_table(outcome: RunSummary) -> Table:
    title = "No model beat the baseline, which is the result" if outcome.is_dummy else "Ensemble"
    table = Table(title=title, title_justify="left")
    for name in ("weight", "trial", f"validation {outcome.metric}", "test", "models", "pipeline"):
        table.add_column(name, justify="left" if name in ("trial", "models", "pipeline") else "right")
    for member in outcome.members:
        table.add_row(f"{member.weight:.2f}", str(member.key), *_values(member), member.models, member.description)
    return table


def _values(member: Member) -> tuple[str, str]:
    return shown_value(member.value), "" if member.test_value is None else shown_value(member.test_value)


def _scores(outcome: RunSummary) -> str:
    test = "" if outcome.test_value is None else f", {shown_value(outcome.test_value)} on the test rows"
    text = f"Ensemble: {outcome.metric} {shown_value(outcome.value)} on the validation rows{test}."
    best = outcome.single_best
    if best is None:
        return text
    test = "" if best.test_value is None else f", {shown_value(best.test_value)} on the test rows"
    models = f", {_MODELS[best.models]}" if test else ""
    return (
        f"{text}\nBest single model: {outcome.metric} {shown_value(best.value)} on the validation rows{test} "
        f"(trial {best.key}{models})."
    )


def _statuses(statuses: Counter[Status]) -> str:
    counts = ", ".join(f"{count} {status.name.lower()}" for status, count in sorted(statuses.items()))
    return f"Trials: {sum(statuses.values())} ({counts})"


def _rank_table(outcome: RunSummary) -> Table:
    table = Table(title="Ranks", title_justify="left")
    for name in ("rank", "host", "trials", "fitting", "received of others", "broadcast latency, median", "longest"):
        table.add_column(name, justify="left" if name == "host" else "right")
    for share in outcome.ranks[:_SHOWN_RANKS]:
        table.add_row(
            str(share.rank),
            share.host,
            str(share.trials),
            f"{share.utilisation:.0%}",
            str(share.received),
            f"{1e3 * share.latency:.1f} ms",
            f"{1e3 * share.latency_max:.1f} ms",
        )
    if len(outcome.ranks) > _SHOWN_RANKS:
        table.add_row("...", f"and {len(outcome.ranks) - _SHOWN_RANKS} more")
    return table
