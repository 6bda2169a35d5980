"""What a rank's job hands to its search beside the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi_automl.job.observer import Observer
    from mpi_automl.job.rank_log import RankLog
    from mpi_automl.job.signals import StopSignals
    from mpi_automl.parallel.watchdog import Watchdog
    from mpi_automl.parallel.world import World


@dataclass(frozen=True)
class JobContext:
    """The surroundings of one rank in a job.

    Attributes
    ----------
    world : World
    signals : StopSignals
        Signals that ask the job to stop.
    watchdog : Watchdog
        Writes this rank's stack to its log when it is stuck.
    log : RankLog
        This rank's.
    observer : Observer
        Receives the job's progress on rank 0.
    """

    world: World
    signals: StopSignals
    watchdog: Watchdog
    log: RankLog
    observer: Observer
