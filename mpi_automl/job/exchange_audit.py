"""Whether ranks received each other's trials as they should: without this check, lost messages would go unnoticed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi_automl.job.rank_statistics import RankStatistics
    from mpi_automl.runs.run import Run

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class ExchangeAudit:
    """What comparing the ranks' statistics with the records written gave.

    Attributes
    ----------
    agreement : str
        A sentence on what all ranks know; empty where there is one rank, or where something is wrong.
    problem : str
        A sentence on what is wrong; empty if nothing is.
    """

    agreement: str = ""
    problem: str = ""


def audit_exchange(run: Run, leg: int, statistics: Sequence[RankStatistics], share: str) -> ExchangeAudit:
    """Compare what every rank did and received with what was written in this leg.

    Parameters
    ----------
    run : Run
    leg : int
    statistics : sequence of RankStatistics
        One for each rank.
    share : {"none", "incumbents", "history"}
    """
    written = Counter(key.rank for key in run.reader.keys if key.leg == leg)
    total, best = sum(written.values()), _best_cost(run, leg)
    for one in statistics:
        own, finished = written[one.rank], sum(one.statuses.values())
        if finished != own:
            return ExchangeAudit(
                problem=f"Rank {one.rank} finished {finished} trials, but {own} are in the store: "
                "mpi-automl verify tells more."
            )
        if share == "history" and one.received != total - own:
            return ExchangeAudit(
                problem=f"Rank {one.rank} received {one.received} trials of others; there are {total - own}."
            )
        if share != "none" and one.best_cost > best + _TOLERANCE:
            return ExchangeAudit(
                problem=f"Rank {one.rank} did not receive the best trial: its best has the cost "
                f"{one.best_cost:.6g}, the job's {best:.6g}."
            )
    if len(statistics) == 1:
        return ExchangeAudit()
    agreements = {
        "history": f"Every rank received all trials of the others ({total} in total), as the records show.",
        "incumbents": "Every rank knows the job's best trial, as the records show.",
        "none": "Ranks shared no trials, as --share none says.",
    }
    return ExchangeAudit(agreements[share])


def _best_cost(run: Run, leg: int) -> float:
    records, rows = run.reader.records, run.ranking
    rows = rows[records["leg"][rows] == leg]
    return float(records["cost"][rows[0]]) if len(rows) else math.inf
