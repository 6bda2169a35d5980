"""How good a final model is on a labelled table: every metric that fits, how sure it is, for whom it errs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mpi_automl.data.table import listed
from mpi_automl.data.task import TaskType
from mpi_automl.errors import UserError
from mpi_automl.metrics.bootstrap import FEWEST_ROWS, Bootstrap, Interval, RowWeights, interval
from mpi_automl.metrics.registry import get_metric, metric_names
from mpi_automl.metrics.replicates import CLASS_SCORES, ReplicatedMetrics, Replicates, ScoredRows

if TYPE_CHECKING:
    from mpi_automl.ensemble.model import EnsembleModel
    from mpi_automl.metrics.metric import Metric
    from mpi_automl.parallel.world import World
    from mpi_automl.runs.run import Run

_MOST_GROUPS = 50
_MISSING = "(missing)"


@dataclass(frozen=True, eq=False)
class Groups:
    """A column that says which group each row is of.

    Attributes
    ----------
    name : str
    values : Series of any dtype, shape (n_rows,)
    """

    name: str
    values: pd.Series

    def rows(self) -> dict[str, NDArray[np.intp]]:
        """Row numbers of each group, the largest group first.

        Raises
        ------
        UserError
            If there are too many groups.
        """
        labels = self.values.astype(object).map(str).where(self.values.notna(), _MISSING).to_numpy()
        names, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
        if len(names) > _MOST_GROUPS:
            raise UserError(
                f"Column {self.name} has {len(names)} different values, and groups are told apart up to "
                f"{_MOST_GROUPS}; name a column with fewer, such as ranges of these values."
            )
        order = np.argsort(-counts, kind="stable")
        return {str(names[code]): np.flatnonzero(codes == code) for code in order}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's metrics on a labelled table.

    The tables have the columns ``value``, ``bca_low``, ``bca_high``, ``percentile_low`` and ``percentile_high``: the
    value and its bias-corrected and accelerated and its percentile bootstrap interval, NaN where there is none.

    Attributes
    ----------
    rows : int
        Of the table.
    metric : str
        What the ensemble was chosen by.
    bootstrap : Bootstrap
        How the intervals were computed.
    metrics : DataFrame
        Indexed by ``metric``, with ``baseline``: the value of the baseline, which ignores the features.
    classes : DataFrame
        Indexed by ``class`` (for several labels, the label) and ``metric`` (precision, recall, f1), with ``support``,
        the rows of the class. Empty for values.
    groups : DataFrame
        Indexed by ``group`` and ``metric``, with ``rows`` and ``baseline``. Empty if no groups were asked for.
    notes : tuple of str
        What to know of these numbers, in sentences.
    """

    rows: int
    metric: str
    bootstrap: Bootstrap
    metrics: pd.DataFrame
    classes: pd.DataFrame
    groups: pd.DataFrame
    notes: tuple[str, ...] = ()

    def to_mapping(self) -> dict[str, Any]:
        """The evaluation as JSON can hold it; None in the place of NaN."""
        return {
            "rows": self.rows,
            "metric": self.metric,
            "level": self.bootstrap.level,
            "resamples": self.bootstrap.resamples,
            "seed": self.bootstrap.seed,
            "metrics": _records(self.metrics),
            "classes": _records(self.classes),
            "groups": _records(self.groups),
            "notes": list(self.notes),
        }


def baseline_prediction(run: Run) -> NDArray[np.float64] | None:
    """What the baseline predicts for any row, shape (n_outputs,): class shares or means; None if it was not evaluated.

    With several folds it is the mean of what those of the folds predict.
    """
    if run.dummy is None:
        return None
    constant: NDArray[np.float64] = run.reader.predictions([run.dummy])[0].mean(axis=0, dtype=np.float64)
    return constant


def evaluate_model(
    world: World,
    model: EnsembleModel,
    table: Any,
    target: Any,
    *,
    baseline: NDArray[np.float64] | None = None,
    metrics: Sequence[str] = (),
    groups: Groups | None = None,
    bootstrap: Bootstrap = Bootstrap(),  # noqa: B008  # frozen
) -> Evaluation:
    """Collective. Evaluate a model on rows whose target is known; rows and resamples are dealt over the ranks.

    Parameters
    ----------
    world : World
    model : EnsembleModel
    table : DataFrame, SparseTable, sparse matrix or ndarray, shape (n_rows, n_columns)
    target : Series, DataFrame or array, shape (n_rows,) or (n_rows, n_targets)
    baseline : ndarray, shape (n_outputs,), optional
        What the baseline predicts for every row.
    metrics : sequence of str
        Names; by default all that fit the task. Groups get these, or by default the one that the ensemble was chosen
        by.
    groups : Groups, optional
    bootstrap : Bootstrap

    Returns
    -------
    Evaluation
        On every rank.

    Raises
    ------
    UserError
        On every rank, if the table does not fit the model, targets are missing or unknown, or a metric does not fit.
    """
    doubts: list[str] = []

    def prepare() -> tuple[NDArray[Any], Any, dict[str, NDArray[np.intp]]]:
        y = model.schema.encode_target(target)
        by_group = {} if groups is None else groups.rows()
        return y, model.schema.encode(table, doubts), by_group

    y, encoded, by_group = world.together(prepare)
    rows = ScoredRows(y, _predictions(world, model, encoded), model.schema.task_type)
    notes = [f"{doubt}." for doubt in doubts]
    chosen = world.together(lambda: _fitting(model, metrics, rows, notes))
    of_groups = chosen if metrics else chosen[:1]
    whole, found = _table(world, rows, chosen, baseline, bootstrap)
    classes, tables = _class_table(model, rows, found, bootstrap), []
    for group, numbers in by_group.items():
        part = _table(world, rows[numbers], of_groups, baseline, bootstrap)[0].assign(group=group, rows=len(numbers))
        tables.append(part.set_index("group", append=True).swaplevel())
    notes += _notes(model, rows, whole, {name: len(numbers) for name, numbers in by_group.items()}, bootstrap)
    by = pd.concat(tables) if tables else pd.DataFrame()
    return Evaluation(len(rows), model.metric, bootstrap, whole, classes, by, tuple(notes))


def _predictions(world: World, model: EnsembleModel, encoded: Any) -> NDArray[np.float64]:
    """Collective. Predictions of all rows, each rank's share of which it makes itself."""
    n_rows = encoded.shape[0]
    share = slice(world.rank * n_rows // world.size, (world.rank + 1) * n_rows // world.size)

    def predict() -> NDArray[np.float64]:
        if share.start == share.stop:
            return np.empty((0, model.schema.n_outputs))
        return model.predictions(encoded.iloc[share] if hasattr(encoded, "iloc") else encoded[share])

    parts = world.gather(world.together(predict))
    return world.on_root(lambda: np.concatenate(parts))


def _fitting(model: EnsembleModel, names: Sequence[str], rows: ScoredRows, notes: list[str]) -> list[Metric]:
    """The metrics to compute, the ensemble's own first unless others are named."""
    kind, units = model.schema.task_type, model.schema.units
    if names:
        # An alias and its name are the same metric.
        found = list({metric.name: metric for metric in (get_metric(name, kind, units) for name in names)}.values())
        for metric in found:
            if reason := _misfit(metric, rows):
                raise UserError(f"The metric cannot be computed for this table: {reason}; leave it out of the metrics.")
        return found
    fitting, reasons = [], []
    own = get_metric(model.metric, kind, units)
    for name in dict.fromkeys((own.name, *metric_names(kind))):
        metric = own if name == own.name else get_metric(name, kind, units)
        if kind is TaskType.MULTICLASS and _top(name) >= model.schema.n_outputs:
            continue
        if reason := _misfit(metric, rows):
            reasons.append(reason)
        else:
            fitting.append(metric)
    notes += [f"Left out: {reason}." for reason in reasons]
    return fitting


def _top(name: str) -> int:
    """The number of classes of a top-k accuracy, which says nothing if there are no more; 0 for any other metric."""
    parts = name.split("_")
    return int(parts[1]) if parts[0] == "top" else 0


def _misfit(metric: Metric, rows: ScoredRows) -> str:
    """Why a metric is not defined for these values; empty if it is."""
    if metric.domain is None:
        return ""
    try:
        metric.value(rows.y, rows.predictions, rows.task_type)
    except ValueError as error:
        return str(error)
    return ""


def _table(
    world: World,
    rows: ScoredRows,
    metrics: Sequence[Metric],
    baseline: NDArray[np.float64] | None,
    bootstrap: Bootstrap,
) -> tuple[pd.DataFrame, Replicates]:
    """Collective. Metrics of some rows; and the scores of classes for all rows, then for each set of them."""
    computed, sets = ReplicatedMetrics(rows, metrics), RowWeights(len(rows), bootstrap)
    numbers = [range(rank, len(sets), world.size) for rank in range(world.size)]
    parts = world.gather(computed.of(sets, numbers[world.rank]))

    def together() -> Replicates:
        order = np.argsort(np.concatenate([np.asarray(dealt, dtype=int) for dealt in numbers]))
        whole = computed.whole()
        return Replicates(
            np.concatenate([whole.values, np.concatenate([part.values for part in parts])[order]]),
            np.concatenate([whole.classes, np.concatenate([part.classes for part in parts])[order]]),
        )

    found = world.on_root(together)
    index = pd.Index([metric.name for metric in metrics], name="metric")
    table = pd.DataFrame([_estimate(column, bootstrap) for column in found.values.T], index=index)
    if baseline is None:
        return table.assign(baseline=np.nan), found
    constant = replace(rows, predictions=np.tile(baseline, (len(rows), 1)))
    with np.errstate(all="ignore"):
        return table.assign(baseline=ReplicatedMetrics(constant, metrics).whole().values[0]), found


def _estimate(values: NDArray[np.float64], bootstrap: Bootstrap) -> dict[str, float]:
    """The first value, and the intervals that the others give."""
    found = interval(values[0], values[1:], bootstrap) if len(values) > 1 else Interval()
    return {"value": float(values[0]), **vars(found)}


def _class_table(model: EnsembleModel, rows: ScoredRows, found: Replicates, bootstrap: Bootstrap) -> pd.DataFrame:
    if not rows.task_type.is_classification:
        return pd.DataFrame()
    is_multilabel = rows.task_type is TaskType.MULTILABEL
    classes = model.schema.target_names if model.schema.classes is None else [str(c) for c in model.schema.classes]
    support = rows.y.sum(axis=0) if is_multilabel else np.bincount(rows.y.astype(int), minlength=len(classes))
    index = pd.MultiIndex.from_product([classes, CLASS_SCORES], names=["class", "metric"])
    columns = found.classes.reshape(len(found.classes), -1).T
    table = pd.DataFrame([_estimate(column, bootstrap) for column in columns], index=index)
    return table.assign(support=np.repeat(support.astype(int), len(CLASS_SCORES)))


def _notes(
    model: EnsembleModel, rows: ScoredRows, table: pd.DataFrame, groups: dict[str, int], bootstrap: Bootstrap
) -> list[str]:
    """What to know of the numbers."""
    notes = []
    is_single = rows.task_type in (TaskType.BINARY, TaskType.MULTICLASS) and len(np.unique(rows.y)) == 1
    if is_single and model.schema.classes is not None:
        notes.append(f"All rows are of class {model.schema.classes[int(rows.y[0])]}.")
    if undefined := list(table.index[table["value"].isna()]):
        notes.append(f"Not defined for these rows: {listed(undefined, 40)}.")
    if bootstrap.resamples and len(rows) < FEWEST_ROWS:
        notes.append(f"There are no intervals, as the table has fewer than {FEWEST_ROWS} rows.")
    elif bootstrap.resamples and (small := [name for name, size in groups.items() if size < FEWEST_ROWS]):
        notes.append(f"Groups of fewer than {FEWEST_ROWS} rows have no intervals: {listed(small, 20)}.")
    if table["baseline"].isna().all():
        notes.append("The run holds no predictions of the baseline.")
    return notes


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    flat = table.reset_index() if len(table) else table
    records = flat.astype(object).where(flat.notna(), None).to_dict("records")
    return [{str(name): value for name, value in record.items()} for record in records]
