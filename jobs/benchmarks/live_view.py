"""What showing progress costs rank 0: the picture in its terminal, and the file that others watch.

A coordinator is fed with reports of made-up ranks; then the real meter, the real picture (written to a file) and
the real status.json are timed as rank 0's loop calls them. Other ranks show nothing.

    python jobs/benchmarks/live_view.py --ranks 1 8 64 1000

The share is the CPU time of one call over the seconds to the next one.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from rich.console import Console
from rich.live import Live

from mpi_automl.cli.live import picture, progress_line
from mpi_automl.data.task import ColumnKind, Profile, TaskType
from mpi_automl.job.progress import ProgressMeter, Throttle
from mpi_automl.job.time_budget import TimeBudget
from mpi_automl.metrics.registry import get_metric
from mpi_automl.parallel.coordinator import Coordinator
from mpi_automl.parallel.messages import Report
from mpi_automl.settings import Settings
from mpi_automl.space.space import build_space
from mpi_automl.storage.run_directory import RUNNING, RunDirectory
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

LIVE, STATUS = (1.0, 5.0), (5.0, 30.0)
"""Seconds between two pictures and two files, and at most so many after slow ones, as in the package."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 8, 64, 1000])
    parser.add_argument("--calls", type=int, default=30)
    return parser.parse_args()


def busy_coordinator(space: Any, ranks: int, trials: int = 20) -> Coordinator:
    rng = np.random.default_rng(0)
    coordinator = Coordinator(ranks, "none", 0.0)
    vectors = [configuration.get_array() for configuration in space.sample_configuration(50)]
    for number in range(trials):
        for rank in range(ranks):
            vector = vectors[int(rng.integers(len(vectors)))]
            key = TrialKey(0, rank, number)
            begun = TrialUpdate(key, Status.RUNNING, np.nan, Origin.MODEL, 1.0, 0.0, vector)
            ended = TrialUpdate(key, Status.SUCCESS, float(rng.random()), Origin.MODEL, 1.0, 1.0, vector)
            updates = (begun, ended) if number < trials - 1 else (begun,)
            coordinator.absorb(Report(rank, 0.0, busy_seconds=float(number), trials=updates), float(number))
    return coordinator


def cpu_seconds(work: Callable[[], object], calls: int) -> float:
    taken = []
    for _ in range(calls):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def measure(ranks: int, calls: int, place: Path) -> None:
    profile = Profile(TaskType.BINARY, 1000, 10, 2, (ColumnKind.NUMERICAL,) * 10, (0,) * 10, False, False, False)
    space = build_space(profile).configspace
    plan: Any = SimpleNamespace(
        search=SimpleNamespace(configspace=space),
        time=TimeBudget(0.0, 90.0, 95.0, 98.5, 100.0),
        metric=get_metric("accuracy", TaskType.BINARY),
    )
    meter = ProgressMeter(plan, busy_coordinator(space, ranks), 0.0)
    directory = RunDirectory.create(place / f"run-{ranks}", Settings())
    with (place / "terminal").open("w") as file:
        console = Console(file=file, force_terminal=True, width=110, height=34)
        with Live(console=console, auto_refresh=False, transient=True) as live:
            frame = cpu_seconds(lambda: live.update(picture(meter.read(20.0), 110, 34), refresh=True), calls)
    line = cpu_seconds(lambda: progress_line(meter.read(20.0)), calls)
    status = cpu_seconds(lambda: directory.write_status({"state": RUNNING, **meter.read(20.0).to_mapping()}), calls)
    size = (directory.path / "status.json").stat().st_size / 1024
    shares = [cost / spacing(limits, cost) for limits, cost in ((LIVE, frame), (STATUS, status))]
    print(
        f"| {ranks:,} | {1e3 * frame:.1f} ms | {shares[0]:.2%} | {1e3 * line:.2f} ms | {1e3 * status:.1f} ms "
        f"| {shares[1]:.2%} | {size:.1f} KiB |",
        flush=True,
    )


def spacing(limits: tuple[float, float], cost: float) -> float:
    """Seconds from one call to the next, by the package's own rule."""
    throttle = Throttle(*limits)
    throttle.done(0.0, cost)
    throttle.done(1000.0, 1000.0 + cost)
    moments = (1000.0 + step / 100 for step in range(4000))
    return next(moment for moment in moments if throttle.is_due(moment)) - 1000.0


def main() -> None:
    options = arguments()
    print("| ranks | picture | share of rank 0 | line in a log | status.json | share of rank 0 | its size |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        for ranks in options.ranks:
            measure(ranks, options.calls, Path(place))


if __name__ == "__main__":
    main()
