"""The progress of a job at one moment: measured on rank 0, written to status.json, read again from outside."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mpi_automl.space.steps import BY_NAME

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from mpi_automl.job.plan import Plan
    from mpi_automl.parallel.coordinator import Coordinator, RankState
    from mpi_automl.trial import TrialUpdate

_LEARNER_STEPS = ("classifier", "regressor")
# Trials a second are those of the last minute.
_RATE_SECONDS = 60.0
_MOST_IMPROVEMENTS = 60
_SHARE_OF_TIME = 0.005


@dataclass(frozen=True)
class RanksProgress:
    """What the ranks do, one entry for each: columns, so that the file stays small at a thousand ranks.

    Attributes
    ----------
    doing : tuple of int
        Position in `learners` of what is being fitted; -1 between two trials, -2 after the last.
    learners : tuple of str
    seconds : tuple of float
        How long the trial under way has been running.
    finished : tuple of int
        Trials that have ended.
    busy_seconds : tuple of float
        Time that they took.
    silent_seconds : tuple of float
        Since the rank's last sign of life.
    """

    doing: tuple[int, ...]
    learners: tuple[str, ...]
    seconds: tuple[float, ...]
    finished: tuple[int, ...]
    busy_seconds: tuple[float, ...]
    silent_seconds: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.doing)


@dataclass(frozen=True)
class Progress:
    """A job under way. Seconds count from the job's start unless they say otherwise.

    Attributes
    ----------
    time : float
        Of this state, in seconds since the epoch.
    elapsed_seconds : float
    began_seconds, search_seconds, job_seconds : float
        When the search began, and when the search and the job are to end.
    metric : str
    greater_is_better : bool
    trials : dict of str to int
        Finished trials by status (lower-case names).
    running : int
        Trials under way.
    per_second : float
        Finished trials in each second of the last minute.
    best : dict or None
        ``trial`` (its key as text), ``value``, ``rank`` and ``seconds`` of the incumbent.
    improvements : tuple of (float, float)
        Seconds and value of each incumbent, thinned out to at most 60.
    ranks : RanksProgress
    """

    time: float
    elapsed_seconds: float
    began_seconds: float
    search_seconds: float
    job_seconds: float
    metric: str
    greater_is_better: bool
    trials: dict[str, int]
    running: int
    per_second: float
    best: dict[str, Any] | None
    improvements: tuple[tuple[float, float], ...]
    ranks: RanksProgress

    @property
    def seconds_left(self) -> float:
        """Until the search ends."""
        return max(0.0, self.search_seconds - self.elapsed_seconds)

    def to_mapping(self) -> dict[str, Any]:
        """The progress as JSON can hold it."""
        return {**asdict(self), "seconds_left": self.seconds_left}

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Progress:
        """The progress that `to_mapping` described.

        Raises
        ------
        KeyError
            If something is missing, as in a file of another release.
        """
        values = {name: mapping[name] for name in cls.__dataclass_fields__}
        values["improvements"] = tuple((seconds, value) for seconds, value in mapping["improvements"])
        columns = {name: tuple(mapping["ranks"][name]) for name in RanksProgress.__dataclass_fields__}
        return cls(**{**values, "ranks": RanksProgress(**columns)})


class ProgressMeter:
    """Measures the progress of a job; made and used on rank 0.

    Parameters
    ----------
    plan : Plan
    coordinator : Coordinator
    began : float
        When the search began, in seconds since the epoch.
    """

    def __init__(self, plan: Plan, coordinator: Coordinator, began: float) -> None:
        self._plan, self._began = plan, began
        self._coordinator = coordinator
        self._learners = Learners(plan.search.configspace)
        self._counts: deque[tuple[float, int]] = deque()

    def read(self, now: float) -> Progress:
        """The progress now, in seconds since the epoch."""
        plan, coordinator, best = self._plan, self._coordinator, self._coordinator.incumbent
        return Progress(
            time=now,
            elapsed_seconds=round(now - plan.time.started, 2),
            began_seconds=round(self._began - plan.time.started, 2),
            search_seconds=round(plan.time.search_end - plan.time.started, 2),
            job_seconds=round(plan.time.deadline - plan.time.started, 2),
            metric=plan.metric.name,
            greater_is_better=plan.metric.greater_is_better,
            trials={status.name.lower(): count for status, count in sorted(coordinator.finished.items())},
            running=sum(1 for state in coordinator.states if state.under_way),
            per_second=self._rate(now),
            best=None if best is None else self._best(best),
            improvements=tuple(
                (round(when - plan.time.started, 2), float(plan.metric.value_of(cost)))
                for when, cost in thinned(coordinator.improvements, _MOST_IMPROVEMENTS)
            ),
            ranks=self._ranks(coordinator.states, now),
        )

    def _best(self, best: TrialUpdate) -> dict[str, Any]:
        when = self._coordinator.improvements[-1][0] - self._plan.time.started
        value = float(self._plan.metric.value_of(best.cost))
        return {"trial": str(best.key), "value": value, "rank": best.key.rank, "seconds": round(when, 2)}

    def _rate(self, now: float) -> float:
        total = self._coordinator.finished.total()
        self._counts.append((now, total))
        while len(self._counts) > 2 and now - self._counts[1][0] >= _RATE_SECONDS:
            self._counts.popleft()
        since, before = self._counts[0] if now > self._counts[0][0] else (self._plan.time.started, 0)
        return round((total - before) / max(now - since, 1e-9), 3)

    def _ranks(self, states: Sequence[RankState], now: float) -> RanksProgress:
        under_way = [next(iter(state.under_way.values()), None) for state in states]
        return RanksProgress(
            doing=tuple(
                self._learners.position(trial) if trial is not None else -2 if state.is_last else -1
                for trial, state in zip(under_way, states, strict=True)
            ),
            learners=self._learners.names,
            seconds=tuple(round(now - state.since, 1) if state.under_way else 0.0 for state in states),
            finished=tuple(state.finished.total() for state in states),
            busy_seconds=tuple(round(state.busy_seconds, 1) for state in states),
            silent_seconds=tuple(round(now - state.last_report, 1) for state in states),
        )


class Learners:
    """Names the learner of a configuration from its vector, without decoding the rest.

    Parameters
    ----------
    space : ConfigurationSpace

    Attributes
    ----------
    names : tuple of str
        What `position` points to; the last two are for the dummy, and for a space with only one learner.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        choosers = [space[BY_NAME[step].choice] for step in _LEARNER_STEPS if BY_NAME[step].choice in space]
        choices = [str(choice) for chooser in choosers for choice in getattr(chooser, "choices", ())]
        self._column = list(space).index(choosers[0].name) if choices else None
        self.names = (*choices, "dummy", "a trial")

    def position(self, trial: TrialUpdate) -> int:
        """Position in `names`."""
        if self._column is None:
            return len(self.names) - 1
        value = trial.vector[self._column]
        # Of the dummy, every hyperparameter is inactive.
        return int(value) if value == value else len(self.names) - 2  # noqa: PLR0124  # NaN


def thinned(items: Sequence[Any], most: int) -> Sequence[Any]:
    """At most `most` items, evenly chosen; the first and the last one are among them."""
    if len(items) <= most:
        return items
    return [items[round(position * (len(items) - 1) / (most - 1))] for position in range(most)]


class Throttle:
    """When something is due again that must not take more than 0.5 % of a rank's time.

    Parameters
    ----------
    interval, longest : float
        Seconds between two times, and at most so many after ones that took long.
    """

    def __init__(self, interval: float, longest: float) -> None:
        self._interval, self._longest = interval, longest
        self._next = self._last = 0.0

    def is_due(self, now: float) -> bool:
        """Whether it is time."""
        return now >= self._next

    def done(self, begun: float, now: float) -> None:
        """It was done, from `begun` to `now`."""
        # One slow time among quick ones, such as the first with its imports, is no reason to pause.
        usual, self._last = min(self._last, now - begun), now - begun
        self._next = begun + max(self._interval, min(self._longest, usual / _SHARE_OF_TIME))
