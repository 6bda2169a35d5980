"""What one rank did in a search, for the end of the job."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from mpi_automl.trial import Status


@dataclass(frozen=True)
class RankStatistics:
    """What one rank did.

    Attributes
    ----------
    rank : int
    statuses : Counter of Status
        Its trials by status.
    search_seconds : float
        From the start of the loop to its end.
    busy_seconds : float
        Time in which one of its trials ran.
    ask_seconds, coordination_seconds : float
        Time spent proposing, and on messages.
    latencies : tuple of float
        Seconds each bulletin was under way.
    received : int
        Finished trials of other ranks that its proposer received.
    best_cost : float
        Of all trials it knows; infinite without a success.
    was_stopped : bool
        The search was ended by a signal, not by its time.
    waited_seconds : float
        Time in which the rank waited for others, where trials are made in rounds.
    is_complete : bool
        It made all the trials that it was to make, or all there are.
    """

    rank: int
    statuses: Counter[Status]
    search_seconds: float
    busy_seconds: float
    ask_seconds: float
    coordination_seconds: float
    latencies: tuple[float, ...]
    received: int
    best_cost: float
    was_stopped: bool
    waited_seconds: float = 0.0
    is_complete: bool = False
