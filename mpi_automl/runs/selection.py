"""Candidates of the ensemble, and the selection: on one rank, or on all when there is much to score."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mpi_automl.configuration_identity import identities
from mpi_automl.errors import UserError
from mpi_automl.trial import Status, TrialKey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mpi_automl.data.task import TaskType
    from mpi_automl.ensemble.build import Candidates, Ensemble
    from mpi_automl.ensemble.greedy import Reduction
    from mpi_automl.metrics.metric import Metric
    from mpi_automl.parallel.world import World
    from mpi_automl.runs.run import Run
    from mpi_automl.settings import Settings
    from mpi_automl.storage.reader import RunReader

DUMMY = "dummy"
DEALT_ABOVE = 256.0
"""MiB of candidates' predictions above which the ranks score shares of them; root then holds its share only."""

_DEALT_METHODS = ("greedy", "single_best")


class NothingFinishedError(UserError):
    """Not even the dummy was evaluated."""


@dataclass(frozen=True)
class EnsembleRules:
    """How the final ensemble is built.

    Attributes
    ----------
    size : int
        Rounds of selection.
    nbest : int or float
        Candidates: the best so many, or a share.
    seed : int
        Decides ties.
    method : str
        See `mpi_automl.ensemble.build.build_ensemble`.
    performance_range : float
        See `mpi_automl.ensemble.build.CandidateFilter`.
    bags : int
        See `mpi_automl.ensemble.greedy.GreedyOptions`.
    select_by : str
        What greedy selection goes by, see `mpi_automl.ensemble.build.selection_metric`.
    """

    size: int
    nbest: int | float
    seed: int
    method: str = "greedy"
    performance_range: float = 0.0
    bags: int = 10
    select_by: str = "auto"

    @classmethod
    def of(cls, settings: Settings) -> EnsembleRules:
        """The rules that the settings of a run name."""
        return cls(
            settings.ensemble_size,
            settings.ensemble_nbest,
            settings.seed,
            settings.ensemble_method,
            settings.performance_range,
            settings.ensemble_bags,
            settings.ensemble_metric,
        )


@dataclass(frozen=True, eq=False)
class SelectionProblem:
    """Who may be a member, and by what they are judged; small enough to broadcast.

    Attributes
    ----------
    keys : tuple of TrialKey
        Candidates, best first.
    dummy : TrialKey or None
    dummy_cost : float
    metric : Metric
    task_type : TaskType
    rules : EnsembleRules
    select_by : Metric or None
        What greedy selection goes by, where that is another metric. Candidates then need not be better than the dummy
        in `metric`, but in this one.
    better : frozenset of TrialKey
        Candidates that are better than the dummy in `metric`.
    bar : float
        Cost of the dummy in `select_by`.
    """

    keys: tuple[TrialKey, ...]
    dummy: TrialKey | None
    dummy_cost: float
    metric: Metric
    task_type: TaskType
    rules: EnsembleRules
    select_by: Metric | None
    better: frozenset[TrialKey]
    bar: float


def find_candidates(run: Run, rules: EnsembleRules, among: Iterable[TrialKey] | None = None) -> SelectionProblem:
    """Look for candidates among every rank's and every leg's trials.

    Parameters
    ----------
    run : Run
        If its metric is not the one of the search, trials are scored again by their predictions.
    rules : EnsembleRules
    among : iterable of TrialKey, optional
        Only these may be members.

    Raises
    ------
    NothingFinishedError
        When not even the dummy was evaluated.
    """
    reader = run.reader
    allowed = None if among is None else set(among)
    usable = [key for key in reader.best(len(reader)) if allowed is None or key in allowed]
    found = candidates_among(run, rules, usable)
    if not found.keys and found.dummy is None:
        raise NothingFinishedError(_nothing_finished(reader))
    return found


def candidates_among(run: Run, rules: EnsembleRules, keys: Sequence[TrialKey]) -> SelectionProblem:
    """The candidates among some trials.

    Of each configuration the trial with the largest budget counts: predictions of all budgets are of the same
    validation rows, so that trials with a smaller one may be members too.

    Parameters
    ----------
    run, rules
        As for `find_candidates`.
    keys : sequence of TrialKey
        Trials whose predictions are kept.
    """
    from mpi_automl.ensemble.build import CandidateFilter, choose_candidates, selection_metric

    reader, metric, kind, dummy = run.reader, run.metric, run.schema.task_type, run.dummy
    keys = _with_largest_budgets(reader, [key for key in keys if key != dummy])
    costs = run.costs(keys)
    dummy_cost = math.inf if dummy is None else float(run.costs([dummy])[0])
    better = frozenset(key for key, cost in zip(keys, costs, strict=True) if cost < dummy_cost)
    select_by = selection_metric(metric, rules.select_by, kind) if rules.method == "greedy" else None
    bar = math.inf
    if select_by is not None and dummy is not None:
        bar = float(_own_costs(reader.predictions([dummy]), reader.truth(), select_by, kind)[0])
    needs_dummy = select_by is None or rules.performance_range > 0.0
    rule = CandidateFilter(dummy_cost if needs_dummy else math.inf, rules.nbest, rules.performance_range)
    chosen = tuple(choose_candidates(keys, costs, rule))
    return SelectionProblem(chosen, dummy, dummy_cost, metric, kind, rules, select_by, better & set(chosen), bar)


def select_ensemble(run: Run, rules: EnsembleRules, among: Iterable[TrialKey] | None = None) -> Ensemble:
    """Build the ensemble in this process; the dummy when no trial beats it.

    Takes and raises what `find_candidates` does.
    """
    return build_from(find_candidates(run, rules, among), run.reader)


def select_together(
    world: World, run: Run, look: Callable[[], SelectionProblem], *, dealt_above: float = DEALT_ABOVE
) -> Ensemble:
    """Collective. Build the ensemble: on rank 0, or on all ranks if the candidates are many.

    The result is the same. Stacking needs all candidates in one process and stays on rank 0.

    Parameters
    ----------
    world : World
    run : Run
        Every rank's own.
    look : callable
        Gives the `SelectionProblem`; called on rank 0 only.
    dealt_above : float
        MiB of predictions above which the candidates are dealt over the ranks.

    Raises
    ------
    UserError
        On every rank, as for `find_candidates`.
    """
    from mpi_automl.parallel.reduction import WorldReduction

    found, is_dealt = world.on_root(lambda: _with_size(look(), run, world.size, dealt_above))
    if not is_dealt:
        return world.on_root(lambda: build_from(found, run.reader))
    # Whatever cannot be read on one rank must end all of them before they wait for each other.
    share = world.together(lambda: _read(found, run.reader, found.keys[world.rank :: world.size]))
    return _build_from(found, *share, WorldReduction(world))


def _with_largest_budgets(reader: RunReader, keys: Sequence[TrialKey]) -> list[TrialKey]:
    """Of each configuration the trial with the largest budget; the order stays."""
    budgets = [reader.trial(key).budget for key in keys]
    names = identities(np.array([reader.vector(key) for key in keys])) if keys else []
    largest: dict[bytes, float] = {}
    for name, budget in zip(names, budgets, strict=True):
        largest[name] = max(budget, largest.get(name, 0.0))
    return [key for key, name, budget in zip(keys, names, budgets, strict=True) if budget == largest[name]]


def _with_size(found: SelectionProblem, run: Run, ranks: int, dealt_above: float) -> tuple[SelectionProblem, bool]:
    if ranks == 1 or len(found.keys) < ranks or found.rules.method not in _DEALT_METHODS:
        return found, False
    one = run.reader.predictions(found.keys[:1])
    return found, one.nbytes * len(found.keys) > dealt_above * 2**20


def build_from(found: SelectionProblem, reader: RunReader) -> Ensemble:
    """Build the ensemble from the candidates, whose predictions are read here; the dummy if there are none."""
    return _build_from(found, *_read(found, reader, found.keys)) if found.keys else _dummy_of(found)


def _read(found: SelectionProblem, reader: RunReader, keys: Sequence[TrialKey]) -> tuple[Candidates, NDArray[Any]]:
    """Candidates and truth, with the rows in the order in which selection is fastest."""
    from mpi_automl.ensemble.build import Candidates
    from mpi_automl.metrics.scorers import order_by_class

    truth = reader.truth()
    order = order_by_class(truth, found.task_type)
    return Candidates(tuple(keys), reader.predictions(keys, order)), truth if order is None else truth[order]


def _build_from(
    found: SelectionProblem, candidates: Candidates, truth: NDArray[Any], reduction: Reduction | None = None
) -> Ensemble:
    if found.select_by is None:
        return _build(found, candidates, truth, reduction)
    ensemble = _build_by_other_metric(found, candidates, truth, reduction)
    if ensemble is not None and ensemble.cost < found.dummy_cost:
        return ensemble
    if not found.better:
        return _dummy_of(found)
    return _build(found, candidates.where([key in found.better for key in candidates.keys]), truth, reduction)


def _dummy_of(found: SelectionProblem) -> Ensemble:
    from mpi_automl.ensemble.build import Ensemble
    from mpi_automl.ensemble.combination import WeightedMean

    assert found.dummy is not None
    return Ensemble(WeightedMean({found.dummy: 1.0}), (), found.dummy_cost, DUMMY)


def _build_by_other_metric(
    found: SelectionProblem, candidates: Candidates, truth: NDArray[Any], reduction: Reduction | None
) -> Ensemble | None:
    """None where no candidate of any process is better than the dummy in that metric."""
    from mpi_automl.ensemble.greedy import NothingSelectedError

    assert found.select_by is not None
    costs = _own_costs(candidates.predictions, truth, found.select_by, found.task_type)
    try:
        return _build(found, candidates.where(costs < found.bar), truth, reduction, found.select_by)
    except NothingSelectedError:
        return None


def _own_costs(
    predictions: NDArray[np.float32], truth: NDArray[Any], metric: Metric, kind: TaskType
) -> NDArray[np.float64]:
    """Cost of each candidate alone; infinite where the metric is not defined."""
    from mpi_automl.metrics.scorers import make_scorer

    return make_scorer(predictions, truth, metric, kind).costs(np.zeros(predictions.shape[1:]), 0)


def _build(
    found: SelectionProblem,
    candidates: Candidates,
    truth: NDArray[Any],
    reduction: Reduction | None,
    select_by: Metric | None = None,
) -> Ensemble:
    from mpi_automl.ensemble.build import build_ensemble
    from mpi_automl.ensemble.greedy import GreedyOptions

    rules = found.rules
    return build_ensemble(
        candidates,
        truth,
        found.metric,
        found.task_type,
        GreedyOptions(rules.size, rules.seed, rules.bags, select_by),
        rules.method,
        reduction,
    )


def _nothing_finished(reader: RunReader) -> str:
    counts = Counter(Status(status).name.lower() for status in reader.records["status"])
    ends = ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"
    reasons = [reason.decode(errors="replace") for reason in reader.records["reason"] if reason]
    first = f"; the first reason given: {reasons[0]}" if reasons else ""
    return f"No trial finished, not even the baseline (trials: {ends}{first}); give more --time or --trial-memory."
