"""What a repeatable job says of itself: what it cost, and what could make another one differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.trial import Status

if TYPE_CHECKING:
    from mpi_automl.job.search_loop import LoopAccount
    from mpi_automl.settings import Settings
    from mpi_automl.storage.reader import RunReader

_NAMED = 5
_BY_A_LIMIT = (Status.TIMEOUT, Status.MEMOUT)


def repeatability_notes(
    settings: Settings, accounts: Sequence[LoopAccount], reader: RunReader, leg: int, failed_fits: int
) -> list[str]:
    """Sentences for the end of a job with ``--deterministic``; none for another.

    Parameters
    ----------
    settings : Settings
    accounts : sequence of LoopAccount
        One for each rank.
    reader : RunReader
        Of the run, with the trials of this leg.
    leg : int
    failed_fits : int
        Members that could not be fitted on all rows.
    """
    if not settings.deterministic:
        return []
    waited = sum(account.waited_seconds for account in accounts)
    searched = sum(account.search_seconds for account in accounts)
    notes = [
        f"Repeatable: ranks waited for each other in {waited / max(searched, 1e-9):.0%} of the search's time "
        f"({waited / len(accounts):.1f} of {searched / len(accounts):.1f} s)."
    ]
    if not all(account.is_complete for account in accounts):
        notes.append(
            f"The search ended before every rank had made its {settings.trials} trials, so the same command may give "
            "another result; give more --time."
        )
    of_this_leg = reader.records["leg"] == leg
    cut = np.flatnonzero(np.isin(reader.records["status"], _BY_A_LIMIT) & of_this_leg)
    if len(cut):
        named = ", ".join(str(reader.keys[row]) for row in cut[:_NAMED]) + (", ..." if len(cut) > _NAMED else "")
        notes.append(
            f"{len(cut)} trials ran into their limit of time or memory ({named}); on a faster or emptier machine they "
            "may not, and what was proposed after them would differ too."
        )
    if failed_fits:
        notes.append("Members that could not be fitted in time depend on the machine as well.")
    return notes
