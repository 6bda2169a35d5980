"""Whether ranks know of each other's trials what they should: silent non-sharing would go unnoticed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi_automl.job.search_loop import LoopAccount
    from mpi_automl.runs.run import Run

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class ExchangeAudit:
    """What comparing the ranks' accounts with the records written gave.

    Attributes
    ----------
    agreement : str
        A sentence on what all ranks know; empty where there is one rank, or where something is wrong.
    problem : str
        A sentence on what is wrong; empty if nothing is.
    """

    agreement: str = ""
    problem: str = ""


def audit_exchange(run: Run, leg: int, accounts: Sequence[LoopAccount], share: str) -> ExchangeAudit:
    """Compare what every rank did and was told with what was written in this leg.

    Parameters
    ----------
    run : Run
    leg : int
    accounts : sequence of LoopAccount
        One for each rank.
    share : {"none", "incumbents", "history"}
    """
    written = Counter(key.rank for key in run.reader.keys if key.leg == leg)
    total, best = sum(written.values()), _best_cost(run, leg)
    for account in accounts:
        own, finished = written[account.rank], sum(account.statuses.values())
        if finished != own:
            return ExchangeAudit(
                problem=f"Rank {account.rank} finished {finished} trials, but {own} are in the store: "
                "mpi-automl verify tells more."
            )
        if share == "history" and account.told != total - own:
            return ExchangeAudit(
                problem=f"Rank {account.rank} was told {account.told} trials of others; there are {total - own}."
            )
        if share != "none" and account.best_cost > best + _TOLERANCE:
            return ExchangeAudit(
                problem=f"Rank {account.rank} was not told the best trial: its best has the cost "
                f"{account.best_cost:.6g}, the job's {best:.6g}."
            )
    if len(accounts) == 1:
        return ExchangeAudit()
    agreements = {
        "history": f"Every rank was told all trials of the others ({total} in all), as the records show.",
        "incumbents": "Every rank knows the job's best trial, as the records show.",
        "none": "Ranks told each other nothing, as --share none says.",
    }
    return ExchangeAudit(agreements[share])


def _best_cost(run: Run, leg: int) -> float:
    records, rows = run.reader.records, run.ranking
    rows = rows[records["leg"][rows] == leg]
    return float(records["cost"][rows[0]]) if len(rows) else math.inf
