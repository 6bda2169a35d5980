"""What a repeatable job says of itself: what it cost, and what could make another one differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mpi_automl.trial import Status

if TYPE_CHECKING:
    from mpi_automl.job.rank_statistics import RankStatistics
    from mpi_automl.settings import Settings
    from mpi_automl.storage.reader import RunReader

_NAMED = 5
_BY_A_LIMIT = (Status.TIMEOUT, Status.MEMOUT)


def repeatability_notes(
    settings: Settings, statistics: Sequence[RankStatistics], reader: RunReader, leg: int, failed_fits: int
) -> list[str]:
    """Sentences for the end of a job with ``--deterministic``; none for another.

    Parameters
    ----------
    settings : Settings
    statistics : sequence of RankStatistics
        One for each rank.
    reader : RunReader
        Of the run, with the trials of this leg.
    leg : int
    failed_fits : int
        Members that could not be fitted on all rows.
    """
    if not settings.deterministic:
        return []
    waited = sum(one.waited_seconds for one in statistics)
    searched = sum(one.search_seconds for one in statistics)
    notes = [
        f"Repeatable: ranks waited for each other in {waited / max(searched, 1e-9):.0%} of the search's time "
        f"({waited / len(statistics):.1f} of {searched / len(statistics):.1f} s)."
    ]
    if not all(one.is_complete for one in statistics):
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
