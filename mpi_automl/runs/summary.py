"""What came out of a job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mpi_automl.trial import Status, TrialKey


@dataclass(frozen=True)
class Member:
    """One model of the ensemble.

    Attributes
    ----------
    key : TrialKey
    weight : float
    value : float
        The metric on the validation rows.
    test_value : float or None
        The metric on the test rows.
    description : str
        Its pipeline, for people.
    models : {"folds", "refit"}
        One for each fold, or one fitted on all rows.
    """

    key: TrialKey
    weight: float
    value: float
    test_value: float | None
    description: str
    models: str = "folds"


@dataclass(frozen=True)
class RankShare:
    """What one rank contributed.

    Attributes
    ----------
    rank : int
    host : str
    trials : int
        Finished trials, failures included.
    utilisation : float
        Share of the search's wall time in which one of its trials ran.
    received : int
        Finished trials of other ranks that its proposer received.
    latency : float
        Median seconds from rank 0's sending of a bulletin to its arrival here; NaN without any.
    latency_max : float
        The longest of them.
    """

    rank: int
    host: str
    trials: int
    utilisation: float
    received: int
    latency: float
    latency_max: float


@dataclass(frozen=True)
class RunSummary:
    """The result of a job, in a form that can be sent and written.

    Attributes
    ----------
    directory : Path
        The run directory.
    metric : str
    is_dummy : bool
        No model beat the baseline, which is therefore the result.
    members : tuple of Member
        By descending weight.
    value, test_value : float, float or None
        The metric of the ensemble on the validation rows and on the test rows.
    single_best : Member or None
        The best single trial.
    statuses : Counter of Status
        All trials by status.
    ranks : tuple of RankShare
    seconds : float
        Wall time from the job's start to here.
    is_interrupted : bool
        The search was ended by a signal, or the run has time left for another leg.
    notes : tuple of str
        What a person should know, in one sentence each.
    sharing : str
        What all ranks know of each other's trials, compared with the records; empty with one rank.
    """

    directory: Path
    metric: str
    is_dummy: bool
    members: tuple[Member, ...]
    value: float
    test_value: float | None
    single_best: Member | None
    statuses: Counter[Status]
    ranks: tuple[RankShare, ...]
    seconds: float
    is_interrupted: bool = False
    notes: tuple[str, ...] = ()
    sharing: str = ""

    def to_mapping(self) -> dict[str, Any]:
        """The outcome as JSON can hold it."""
        mapping = asdict(self)
        mapping["directory"] = self.directory.name
        mapping["statuses"] = {status.name.lower(): count for status, count in sorted(self.statuses.items())}
        for member in (*mapping["members"], *filter(None, [mapping["single_best"]])):
            member["key"] = str(TrialKey(*member["key"]))
        return mapping

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], directory: Path) -> RunSummary:
        """The outcome that `to_mapping` described, of a run that is now at `directory`."""
        values = {
            name: mapping[name] for name in ("metric", "is_dummy", "value", "test_value", "seconds", "is_interrupted")
        }
        best = mapping["single_best"]
        return cls(
            directory=directory,
            members=tuple(_member(member) for member in mapping["members"]),
            single_best=None if best is None else _member(best),
            statuses=Counter({Status[name.upper()]: count for name, count in mapping["statuses"].items()}),
            ranks=tuple(RankShare(**share) for share in mapping["ranks"]),
            notes=tuple(mapping["notes"]),
            sharing=mapping.get("sharing", ""),
            **values,
        )


def _member(mapping: Mapping[str, Any]) -> Member:
    return Member(**{**mapping, "key": TrialKey(*map(int, mapping["key"].split("-")))})
