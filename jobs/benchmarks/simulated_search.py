"""A search on real MPI ranks with simulated trials, as scaling.py launches it; and what it came to.

Proposers, messages and the HDF5 store are those of a run (`mpi_automl.run.search`); only the evaluator is replaced
(`mpi_automl.simulation.evaluator`).
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mpi_automl.data.task import TaskType
from mpi_automl.evaluation.limits import TrialLimits
from mpi_automl.job.observer import Observer
from mpi_automl.job.plan import Plan, SearchPlan, StorePlan
from mpi_automl.job.rank_log import RankLog
from mpi_automl.job.rank_statistics import RankStatistics
from mpi_automl.job.session import JobSession
from mpi_automl.job.time_budget import TimeBudget
from mpi_automl.metrics.registry import get_metric
from mpi_automl.parallel.exchange import Exchange, RootExchange
from mpi_automl.parallel.world import World, open_world, process_start
from mpi_automl.runs.run import Run
from mpi_automl.settings import Settings
from mpi_automl.simulation.evaluator import SimulatedEvaluator
from mpi_automl.simulation.surrogate_benchmark import SurrogateBenchmark
from mpi_automl.storage.choice import StoreOptions
from mpi_automl.storage.kept_models import ModelsBound
from mpi_automl.storage.run_directory import RunDirectory
from mpi_automl.storage.sizes import StoreLayout, trials_for
from mpi_automl.storage.store import create_store
from mpi_automl.trial import Trial

ALIKE = 0.01
"""Configurations resemble each other when every hyperparameter differs by less than this share of its range."""


@dataclass(frozen=True)
class Case:
    """One search to be measured."""

    benchmark: str
    ranks: int
    share: str
    seed: int
    initial: str


@dataclass(frozen=True)
class Limits:
    """When a search ends.

    Attributes
    ----------
    scale : float
        Wall seconds for each second of the benchmark.
    seconds : float
        Wall seconds of the search at most.
    trials : int or None
        Of each rank at most.
    target : float or None
        The search is over once a cost is as low as this.
    """

    scale: float
    seconds: float
    trials: int | None = None
    target: float | None = None


@dataclass(frozen=True)
class Measured:
    """What a search came to.

    Attributes
    ----------
    case : Case
    limits : Limits
    trace : list of [seconds, cost, trials]
        For every new incumbent, and at the end: seconds of the benchmark since the search began, the lowest cost,
        and the trials that all ranks had finished.
    wall_seconds : float
        Of the search.
    utilisation, proposing, coordination : float
        Shares of all ranks' time in which a trial ran, and in which they proposed; of rank 0's time, for messages.
    received, trials : int
        Trials of other ranks that proposers received, and trials finished, on all ranks.
    alike : float
        Share of the trials that resemble an earlier one of another rank (`ALIKE`).
    """

    case: Case
    limits: Limits
    trace: list[list[float]]
    wall_seconds: float
    utilisation: float
    proposing: float
    coordination: float
    received: int
    trials: int
    alike: float

    def time_to(self, cost: float) -> float:
        """Seconds of the benchmark until a cost was reached; infinite if it was not."""
        return next((seconds for seconds, found, _ in self.trace if found <= cost), float("inf"))


def read(path: Path) -> list[Measured]:
    """All searches measured so far."""
    if not path.exists():
        return []
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Measured(**{**e, "case": Case(**e["case"]), "limits": Limits(**e["limits"])}) for e in entries]


def append(path: Path, measured: Measured) -> None:
    """Add a search to the file, in one write, and print it."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(measured)) + "\n")
    print(describe(measured), flush=True)


class _SimulatedSearch(SearchPlan):
    """A plan without the dummy: it would leave a model to wait for."""

    def first_trials(self, rank: int) -> list[Trial]:
        return []


class Trace(Observer):
    """Notes rank 0's incumbents and ends the search when one reaches the target."""

    def __init__(self, limits: Limits, began: float) -> None:
        self._limits, self._began = limits, began
        self.points: list[list[float]] = []

    def progress_callback(self, plan: Plan, exchange: Exchange) -> Callable[[], None]:
        """Give the function that looks at the coordinator."""
        if not isinstance(exchange, RootExchange):
            return lambda: None
        coordinator = exchange.coordinator

        def look() -> None:
            best = coordinator.incumbent
            if best is None or (self.points and best.cost >= self.points[-1][1]):
                return
            finished = sum(state.finished.total() for state in coordinator.states)
            self.points.append([self._seconds(), best.cost, finished])
            if self._limits.target is not None and best.cost <= self._limits.target:
                coordinator.stop()

        return look

    def _seconds(self) -> float:
        return (time.time() - self._began) / self._limits.scale


def search_once(case: Case, limits: Limits, benchmark: SurrogateBenchmark, world: World) -> Measured | None:
    """Collective. Search, and give what came of it on rank 0."""
    from mpi_automl.run import search

    settings = Settings(**_options(case, limits))
    directory = world.on_root(lambda: _make_directory(settings))
    began = world.on_root(time.time)
    plan = _plan(case, limits, benchmark, directory, began)
    truth = {"truth": np.zeros(1), "validation_rows": np.zeros(1, np.int64), "space": benchmark.space_json}
    metadata = truth if world.is_root else None
    store = create_store(directory, 0, plan.store.layout, metadata, world, plan.store.options)
    world.wait()
    trace = Trace(limits, time.time())
    evaluator = SimulatedEvaluator(benchmark, limits.scale)
    with JobSession(settings, world, evaluator, RankLog(), trace) as session:
        own = search(plan, session, store)
    statistics = world.gather(own)
    measured = _measured(case, limits, statistics, trace, directory) if world.is_root else None
    world.wait()
    if world.is_root:
        shutil.rmtree(directory)
    return measured


def _make_directory(settings: Settings) -> Path:
    directory = Path(tempfile.mkdtemp(prefix="simulated_"))
    RunDirectory.create(directory, settings).lock.release()
    return directory


def _options(case: Case, limits: Limits) -> dict[str, Any]:
    options = {"seed": case.seed, "share": case.share, "trials": limits.trials}
    return {**options, "heartbeat_timeout": 600, "models_on_disk": 0}


def _plan(case: Case, limits: Limits, benchmark: SurrogateBenchmark, directory: Path, began: float) -> Plan:
    space = benchmark.configspace
    layout = StoreLayout(case.ranks, trials_for(limits.seconds), 1, 1, 0, 1, len(space))
    end = began + limits.seconds
    return Plan(
        directory=directory,
        title=benchmark.name,
        metric=get_metric(benchmark.metric, TaskType.MULTICLASS),
        time=TimeBudget(began, end, end, end, end + 60.0),
        limits=TrialLimits(max(1.0, 1.1 * benchmark.limit * limits.scale), 1024.0),
        store=StorePlan(layout, StoreOptions(), ModelsBound(0)),
        search=_SimulatedSearch(space, 0, case.seed, case.initial),
    )


def _measured(
    case: Case, limits: Limits, statistics: Sequence[RankStatistics], trace: Trace, directory: Path
) -> Measured:
    total = sum(one.search_seconds for one in statistics)
    reader = Run(directory).reader
    last = trace.points[-1][1] if trace.points else float("inf")
    wall = max(one.search_seconds for one in statistics)
    trials = sum(one.statuses.total() for one in statistics)
    return Measured(
        case,
        limits,
        [*trace.points, [wall / limits.scale, last, trials]],
        wall,
        sum(one.busy_seconds for one in statistics) / total,
        sum(one.ask_seconds for one in statistics) / total,
        statistics[0].coordination_seconds / statistics[0].search_seconds,
        sum(one.received for one in statistics),
        trials,
        share_alike(reader.vectors, reader.records["rank"], reader.records["start"]),
    )


def share_alike(vectors: np.ndarray, ranks: np.ndarray, starts: np.ndarray) -> float:
    """Share of the trials that resemble one of another rank that began earlier."""
    order = np.argsort(starts, kind="stable")
    filled, ranks = np.where(np.isnan(vectors), -9.0, vectors)[order], ranks[order]
    alike = 0
    for i in range(1, len(filled)):
        near = np.abs(filled[:i] - filled[i]).max(axis=1) < ALIKE
        alike += bool((near & (ranks[:i] != ranks[i])).any())
    return alike / max(1, len(filled))


def describe(measured: Measured) -> str:
    """A line for people."""
    case, (seconds, cost, trials) = measured.case, measured.trace[-1]
    return (
        f"{case.benchmark} {case.ranks} ranks, sharing {case.share}, seed {case.seed}: {cost:.5f} after "
        f"{seconds:.1f} s and {trials:.0f} trials, busy {measured.utilisation:.0%}, asking {measured.proposing:.1%}, "
        f"messages {measured.coordination:.1%}, alike {measured.alike:.1%}, {measured.wall_seconds:.0f} s of wall time"
    )


def main() -> None:
    """Collective. Search case after case; the request comes as JSON."""
    request: dict[str, Any] = json.loads(sys.argv[1])
    started = process_start()
    world = open_world(started)
    # Imports belong to a job's start, which is told apart from the search.
    import mpi_automl.run
    import mpi_automl.search.surrogate_training  # noqa: F401  # imported by a proposer when it first learns

    world.wait()
    if world.is_root:
        print(f"{world.size} ranks took {time.time() - started:.0f} s to start", flush=True)
    limits = Limits(**request["limits"])
    for entry in request["cases"]:
        case = Case(**entry)
        benchmark = SurrogateBenchmark.load(Path(request["benchmarks"][case.benchmark]))
        measured = search_once(case, replace(limits, target=request["targets"].get(case.benchmark)), benchmark, world)
        if measured is not None:
            append(Path(request["out"]), measured)


if __name__ == "__main__":
    main()
