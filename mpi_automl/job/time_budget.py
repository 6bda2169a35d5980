"""The clock of a job: when its search, its refits, its report and the job itself end.

Every reserve is subtracted here, once; everyone else is handed the `TimeBudget` and asks it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mpi_automl.errors import UserError
from mpi_automl.option_types import AUTO

if TYPE_CHECKING:
    from mpi_automl.machine.scheduler import TimeLeft
    from mpi_automl.settings import Settings

WORTH_A_REPORT = 20.0
"""Seconds that a job must take: a shorter one does not wait for its report."""

_SHORTEST_SEARCH = 2.0
"""Seconds: the first child of a trial server takes 1.9 s to start, so a shorter search evaluates nothing."""
_SHORTEST_LEG = 10.0
"""Seconds: imports and the reserve at the end leave a shorter leg nothing to search in."""

_MOST_RESERVED = 0.25
"""Share of a job that the reserve takes at most: in a job of some seconds it would leave no search."""
_CLOSING, _PER_THREAD = 1.5, 0.5
"""Seconds for closing the store, the ensemble and the exit; more for each busy thread per core, as all take longer."""
_TRIALS_SHARE, _MOST_FOR_TRIALS = 0.02, 60.0
"""A longer job has more trials to select from, up to the bound on candidates: a share of it, at most a minute."""
_REPORT_SHARE, _MOST_FOR_REPORT = 0.04, 3.0
"""A share that the search hardly misses; a page without its slow plots takes no longer than 3 s."""
_EXIT_SECONDS = 1.5
"""For ending the trial server and MPI after the report."""

_REFIT_SHARE = 0.1
"""Of the job, the most that is taken from the search for refits, unless --final-time says otherwise."""
_RESERVE_FOR_REFITS = 0.5
"""Of the reserve, the part that late refits may use up; saving the final model and the exit need the rest."""
_SHUTDOWN_FOR_REFITS = 0.5
"""The same for the time after a signal."""

_MARGIN_SHARE, _LONGEST_MARGIN = 0.05, 20.0
"""What --time auto leaves of the scheduler's time, for what a batch script does after the job."""
_AFTER_A_STUDY = 30.0
"""Seconds of a batch job that are not for a study's runs: the test part's predictions, and the exit."""


class TotalTimeUsedUpError(UserError):
    """What is left of --time-total does not suffice for another leg."""


@dataclass(frozen=True)
class JobFacts:
    """What a time budget is computed from, besides the options.

    Attributes
    ----------
    started : float
        When the job started, in seconds since the epoch on rank 0's clock.
    now : float
        The present moment, on the same clock.
    ranks : int
        Refits are dealt over them.
    load : float
        Busy threads per core: everything at the end takes so much longer.
    seconds_used : float
        Wall time of the run's earlier legs.
    refit_limit : float
        Seconds that the refit of one member may take.
    wants_refits : bool
        Members are to be refitted on all rows, if time allows.
    """

    started: float
    now: float
    ranks: int
    load: float
    seconds_used: float
    refit_limit: float
    wants_refits: bool


@dataclass(frozen=True)
class TimeBudget:
    """When the parts of a job end, in seconds since the epoch on rank 0's clock.

    Attributes
    ----------
    started : float
        When rank 0's process started.
    search_end : float
        When the search ends.
    refit_end : float
        When refitting members ends.
    report_end : float
        When the report must be written.
    deadline : float
        When the job must have ended.
    reserves_refits : bool
        Time is reserved for refitting all members on all rows; without it only members without a kept model are.
    leaves_total : bool
        The run's --time-total is not used up by this leg.
    """

    started: float
    search_end: float
    refit_end: float
    report_end: float
    deadline: float
    reserves_refits: bool = False
    leaves_total: bool = False

    @property
    def seconds(self) -> float:
        """Wall time of the job."""
        return self.deadline - self.started

    def after_signal(self, now: float, shutdown_time: float) -> TimeBudget:
        """The budget of a job that a signal has stopped.

        Parameters
        ----------
        now : float
            In seconds since the epoch on rank 0's clock.
        shutdown_time : float
            Seconds in which the job must have ended.
        """
        return replace(
            self,
            search_end=min(self.search_end, now),
            refit_end=min(self.refit_end, now + _SHUTDOWN_FOR_REFITS * shutdown_time),
            report_end=min(self.report_end, now),
            deadline=min(self.deadline, now + shutdown_time),
        )


def make_time_budget(settings: Settings, facts: JobFacts) -> TimeBudget:
    """The time budget of a job.

    Parameters
    ----------
    settings : Settings
        With ``time`` in seconds.
    facts : JobFacts

    Raises
    ------
    TotalTimeUsedUpError
        When --time-total is used up.
    UserError
        When --time is too short to train anything.
    """
    seconds = _leg_seconds(settings, facts.seconds_used)
    deadline = facts.started + seconds
    refit_start = deadline - end_reserve(seconds, facts.load) - report_reserve(settings, seconds)
    reserved = refit_reserve(settings, seconds, facts) if facts.wants_refits else 0.0
    reserves_refits = facts.wants_refits
    if settings.final_models == AUTO and refit_start - reserved - facts.now < _SHORTEST_SEARCH:
        reserved, reserves_refits = 0.0, False
    search_end = refit_start - reserved
    if search_end - facts.now < _SHORTEST_SEARCH:
        raise _too_short(settings, seconds, search_end, facts)
    return TimeBudget(
        started=facts.started,
        search_end=search_end,
        refit_end=refit_start + _RESERVE_FOR_REFITS * (deadline - refit_start),
        report_end=deadline - _EXIT_SECONDS,
        deadline=deadline,
        reserves_refits=reserves_refits,
        leaves_total=settings.time_total is not None
        and facts.seconds_used + seconds + _SHORTEST_LEG < settings.time_total,
    )


def _leg_seconds(settings: Settings, seconds_used: float) -> float:
    if settings.time_total is None:
        return settings.time
    left = settings.time_total - seconds_used
    if left < _SHORTEST_LEG:
        raise _total_is_used_up(settings)
    return min(settings.time, left)


def _total_is_used_up(settings: Settings) -> TotalTimeUsedUpError:
    return TotalTimeUsedUpError(f"The {settings.time_total:g} s of --time-total are used up")


def _too_short(settings: Settings, seconds: float, search_end: float, facts: JobFacts) -> UserError:
    if seconds < settings.time:
        return _total_is_used_up(settings)
    needed = settings.time + _SHORTEST_SEARCH - (search_end - facts.now)
    # Half as much again, as the next start may take longer.
    return UserError(
        f"--time {settings.time:g} s is too short to train anything: starting took {facts.now - facts.started:.0f} s "
        f"and the end needs some seconds too; give at least {max(_SHORTEST_LEG, 1.5 * needed):.0f} s."
    )


def end_reserve(seconds: float, load: float) -> float:
    """Seconds reserved at the end for closing the store, the ensemble and the exit.

    Parameters
    ----------
    seconds : float
        Of the whole job.
    load : float
        Busy threads per core.
    """
    wanted = _CLOSING + _PER_THREAD * max(1.0, load) + min(_TRIALS_SHARE * seconds, _MOST_FOR_TRIALS)
    return min(_MOST_RESERVED * seconds, wanted)


def refit_reserve(settings: Settings, seconds: float, facts: JobFacts) -> float:
    """Seconds reserved for refitting all members; no more than they can use.

    Parameters
    ----------
    settings : Settings
    seconds : float
        Of the whole job.
    facts : JobFacts
    """
    if settings.final_time is not None:
        return settings.final_time
    rounds = math.ceil(settings.ensemble_size / facts.ranks)
    return min(_REFIT_SHARE * seconds, rounds * facts.refit_limit)


def report_reserve(settings: Settings, seconds: float) -> float:
    """Seconds reserved at the end for the report that the command line writes.

    Parameters
    ----------
    settings : Settings
    seconds : float
        Of the whole job.
    """
    return min(_REPORT_SHARE * seconds, _MOST_FOR_REPORT) if settings.report and seconds >= WORTH_A_REPORT else 0.0


def seconds_of_auto(left: TimeLeft, started: float) -> float:
    """Seconds that ``--time auto`` stands for.

    Parameters
    ----------
    left : TimeLeft
        What the scheduler leaves the job.
    started : float
        When the job started, in seconds since the epoch.

    Raises
    ------
    UserError
        When no time is left.
    """
    whole = left.end - started
    seconds = whole - min(_LONGEST_MARGIN, _MARGIN_SHARE * whole)
    if seconds < 1:
        raise UserError(f"--time auto: {left.source} leaves this job no time; submit it again with a longer limit.")
    return seconds


def last_run_end(left: TimeLeft | None) -> float | None:
    """When the last run of a study must have ended, in seconds since the epoch; None without a limit."""
    return None if left is None else left.end - _AFTER_A_STUDY
