"""Which variant is better: scores and ranks by table, and the tests of the field on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mpi_automl.errors import UserError
from mpi_automl.metrics.registry import get_metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Scores that differ by less differ by rounding.
_TIE = 1e-9
_LEAST_TABLES = 2


@dataclass(frozen=True)
class Pair:
    """Two variants compared over all tables.

    Attributes
    ----------
    first, second : str
    wins, ties, losses : int
        Of the first, by table.
    wilcoxon : float
        p-value of Wilcoxon's signed-rank test; NaN with fewer than two tables.
    holm : float
        The same, corrected by Holm's method for the number of pairs.
    better, equal, worse : float
        Probabilities, by the Bayesian signed-rank test, that the first is practically better than the second, equal,
        or worse.
    """

    first: str
    second: str
    wins: int
    ties: int
    losses: int
    wilcoxon: float
    holm: float
    better: float
    equal: float
    worse: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """Variants side by side; every cell is a mean over the seeds and folds that all variants have finished.

    Attributes
    ----------
    metrics : Series of str, by table
    scores, deviations, costs : DataFrame, tables by variants
        Mean and standard deviation of the metric on the outer test part, and mean distance to its optimum.
    ranks : DataFrame, tables by variants
        1 for the best; ties share their mean.
    counts : Series of int, by table
        Runs of each variant that the means are of.
    left_out : tuple of str
        Tables that not every variant has finished.
    runs : DataFrame
        The rows that the means are of.
    """

    metrics: pd.Series
    scores: pd.DataFrame
    deviations: pd.DataFrame
    costs: pd.DataFrame
    ranks: pd.DataFrame
    counts: pd.Series
    left_out: tuple[str, ...]
    runs: pd.DataFrame

    @property
    def variants(self) -> list[str]:
        """Names of the variants, in the order of the study's file."""
        return list(self.scores.columns)

    @property
    def tables(self) -> list[str]:
        """Names of the tables."""
        return list(self.scores.index)

    @property
    def mean_ranks(self) -> pd.Series:
        """Mean rank of each variant, best first."""
        return self.ranks.mean().sort_values(kind="stable")

    def comparable(self) -> pd.DataFrame:
        """Costs that may be subtracted across tables, tables by variants.

        Costs of scores are as they are. A loss has the scale of its table, so its costs are divided by their mean over
        the variants.
        """
        is_loss = [not get_metric(name, _any_type(name)).greater_is_better for name in self.metrics]
        scales = self.costs.mean(axis=1).where(is_loss, 1.0).replace(0.0, 1.0)
        return self.costs.div(scales, axis=0)


def _any_type(name: str) -> Any:
    """Some task type that a metric is defined for."""
    from mpi_automl.data.task import TaskType

    for kind in TaskType:
        try:
            get_metric(name, kind)
        except UserError:
            continue
        return kind
    raise UserError(f"The metric {name} is defined nowhere.")


def compare(collected: pd.DataFrame, metric: str | None = None) -> Comparison:
    """Put the variants of a study side by side.

    Parameters
    ----------
    collected : DataFrame
        As `mpi_automl.study.collect.collect` gives it.
    metric : str, optional
        By default the metric of each row; tables for which it is not defined are left out.

    Raises
    ------
    UserError
        If there is nothing to compare.
    """
    finished = collected[collected["state"] == "finished"]
    if metric is not None:
        finished = _by_metric(finished, metric)
    variants = list(dict.fromkeys(collected["variant"]))
    tables = list(dict.fromkeys(collected["table"]))
    kept = [rows for table in tables if len(rows := _common(finished[finished["table"] == table], variants))]
    if not kept:
        raise UserError("No table has been finished by every variant yet; mpi-automl study status tells what is left.")
    runs = pd.concat(kept)
    shape = {"index": "table", "columns": "variant", "sort": False}
    scores, costs, deviations = (
        runs.pivot_table(values=value, aggfunc=how, **shape)[variants]
        for value, how in (("score", "mean"), ("cost", "mean"), ("score", _deviation))
    )
    found = list(scores.index)
    return Comparison(
        metrics=runs.groupby("table", sort=False)["metric"].first().loc[found],
        scores=scores,
        deviations=deviations,
        costs=costs,
        ranks=_rounded(costs).rank(axis=1),
        counts=(runs.groupby("table", sort=False).size() // len(variants)).loc[found],
        left_out=tuple(table for table in tables if table not in found),
        runs=runs,
    )


def _by_metric(finished: pd.DataFrame, name: str) -> pd.DataFrame:
    known = get_metric(name, _any_type(name))
    column = f"score_{known.name}"
    if column not in finished:
        there = ", ".join(sorted(name.removeprefix("score_") for name in finished if name.startswith("score_")))
        raise UserError(f"The study has no metric {name}; it has {there}.")
    chosen = finished.dropna(subset=column)
    return chosen.assign(metric=known.name, score=chosen[column], cost=known.cost_of(chosen[column]))


def _common(rows: pd.DataFrame, variants: Sequence[str]) -> pd.DataFrame:
    """Rows of the seeds and folds that every variant has finished."""
    rows = rows.dropna(subset=["score"]) if "score" in rows else rows.iloc[:0]
    counts = rows.groupby(["seed", "fold"])["variant"].nunique()
    complete = set(counts[counts == len(variants)].index)
    return rows[[pair in complete for pair in zip(rows["seed"], rows["fold"], strict=True)]]


def _deviation(values: pd.Series) -> float:
    return float(values.std()) if len(values) > 1 else 0.0


def _rounded(costs: pd.DataFrame) -> pd.DataFrame:
    """Costs whose last digits do not break ties."""
    return (costs / _TIE).round() * _TIE


def friedman(comparison: Comparison) -> float:
    """p-value of Friedman's test that all variants are equally good; NaN where it is not defined.

    Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", 2006, section 3.2.2.
    """
    from scipy.stats import friedmanchisquare

    if len(comparison.variants) < 3 or len(comparison.tables) < _LEAST_TABLES:
        return float("nan")
    costs = _rounded(comparison.costs)
    return float(friedmanchisquare(*(costs[name] for name in costs)).pvalue)


def nemenyi(comparison: Comparison) -> pd.DataFrame:
    """p-values of Nemenyi's test for each two variants (Demsar 2006, section 3.2.2).

    Raises
    ------
    UserError
        If scikit-posthocs is not installed.
    """
    try:
        from scikit_posthocs import posthoc_nemenyi_friedman
    except ImportError as error:
        raise needs_extra(error) from None
    found: pd.DataFrame = posthoc_nemenyi_friedman(_rounded(comparison.costs))
    return found


def needs_extra(error: ImportError) -> UserError:
    """What to say when a package for reports is missing."""
    return UserError(f"The report of a study needs further packages ({error}); pip install 'mpi_automl[study]'.")


def pairs(comparison: Comparison, rope: float = 0.01, samples: int = 10_000) -> list[Pair]:
    """Compare each two variants.

    Parameters
    ----------
    comparison : Comparison
    rope : float
        Difference of comparable costs up to which variants count as equal.
    samples : int
        Of the Bayesian test's posterior.

    Raises
    ------
    UserError
        If baycomp is not installed.
    """
    costs = comparison.comparable()
    found = [_pair(costs, first, second, rope, samples) for first, second in combinations(comparison.variants, 2)]
    corrected = holm([pair.wilcoxon for pair in found])
    return [Pair(**{**vars(pair), "holm": value}) for pair, value in zip(found, corrected, strict=True)]


def _pair(costs: pd.DataFrame, first: str, second: str, rope: float, samples: int) -> Pair:
    differences = (costs[second] - costs[first]).to_numpy()
    better, equal, worse = _bayesian(-costs[first].to_numpy(), -costs[second].to_numpy(), rope, samples)
    return Pair(
        first,
        second,
        wins=int((differences > _TIE).sum()),
        ties=int((np.abs(differences) <= _TIE).sum()),
        losses=int((differences < -_TIE).sum()),
        wilcoxon=_wilcoxon(differences),
        holm=float("nan"),
        better=better,
        equal=equal,
        worse=worse,
    )


def _wilcoxon(differences: NDArray[np.float64]) -> float:
    from scipy.stats import wilcoxon

    if len(differences) < _LEAST_TABLES:
        return float("nan")
    differences = np.where(np.abs(differences) <= _TIE, 0.0, differences)
    if not differences.any():
        return 1.0
    return float(wilcoxon(differences, zero_method="zsplit").pvalue)


def _bayesian(first: NDArray[np.float64], second: NDArray[np.float64], rope: float, samples: int) -> list[float]:
    """Benavoli et al., "A Bayesian Wilcoxon signed-rank test based on the Dirichlet process", 2014."""
    try:
        from baycomp import SignedRankTest
    except ImportError as error:
        raise needs_extra(error) from None
    found = SignedRankTest.probs(first, second, rope=rope, nsamples=samples, random_state=1)
    return [float(part) for part in (found if rope > 0 else (found[0], 0.0, found[1]))]


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected by Holm's step-down method; those that are NaN stay so."""
    order = sorted((value, position) for position, value in enumerate(p_values) if value == value)  # noqa: PLR0124
    corrected = [float("nan")] * len(p_values)
    largest = 0.0
    for step, (value, position) in enumerate(order):
        largest = max(largest, min(1.0, value * (len(order) - step)))
        corrected[position] = largest
    return corrected
