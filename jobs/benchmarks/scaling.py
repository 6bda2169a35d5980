"""Time to target and utilisation of a search on 1 to 64 real MPI ranks, with simulated trials.

    python jobs/benchmarks/scaling.py measure benchmarks/vehicle.npz --ranks 1 --seeds 0 1 2 3 4 --trials 200
    python jobs/benchmarks/scaling.py measure benchmarks/vehicle.npz --ranks 4 16 64 --seeds 0 1 2 --scale 10
    python jobs/benchmarks/scaling.py report [--plot scaling.png]

Trials come from surrogate benchmarks (surrogate.py) and sleep for as long as the benchmark says, times --scale;
choose the scale so that proposing is short beside the trials although all ranks share a few cores. All ranks of a
launch import everything before the first search begins, so that starting is not part of the time. ``measure`` appends
one JSON line to --out for each search and leaves out those that are there already. The target is what one rank's
--trials trials reach, the median over the seeds on one rank; a search on more ranks ends when it is reached. Times
are seconds of the benchmark (wall time divided by the scale).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from simulated_search import Case, Limits, Measured, policy, read

SHARES = ("none", "incumbents", "history")
_MANNERS = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":OVERSUBSCRIBE",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def measure(arguments: argparse.Namespace) -> None:
    """Launch ranks for what is not measured yet."""
    measured = read(arguments.out)
    done = {found.case for found in measured}
    for ranks in arguments.ranks:
        cases = [case for case in cases_of(arguments, ranks) if case not in done]
        if not cases:
            continue
        limits = Limits(arguments.scale, arguments.seconds, arguments.trials if ranks == 1 else None)
        request = {
            "cases": [asdict(case) for case in cases],
            "limits": asdict(limits),
            "targets": {} if ranks == 1 else targets(measured),
            "benchmarks": {path.stem: str(path) for path in arguments.benchmarks},
            "out": str(arguments.out),
        }
        program = Path(__file__).with_name("simulated_search.py")
        command = [*arguments.launcher.split(), "-n", str(ranks), sys.executable, str(program), json.dumps(request)]
        subprocess.run(command, check=True, env={**os.environ, **_MANNERS})


def cases_of(arguments: argparse.Namespace, ranks: int) -> Iterator[Case]:
    """All searches, in an order in which a measurement that is cut short has something of everything."""
    for seed in arguments.seeds:
        for path in arguments.benchmarks:
            for share in arguments.share if ranks > 1 else ["none"]:
                diversity = arguments.diversity if share == "history" else "none"
                yield Case(path.stem, ranks, share, seed, arguments.initial, diversity)


def targets(measured: list[Measured]) -> dict[str, float]:
    """For each benchmark, the median of the lowest costs that one rank found."""
    alone = [found for found in measured if found.case.ranks == 1]
    names = {found.case.benchmark for found in alone}
    return {n: float(np.median([found.trace[-1][1] for found in alone if found.case.benchmark == n])) for n in names}


def report(arguments: argparse.Namespace) -> None:
    """Print tables, and plot."""
    measured = read(arguments.out)
    found_targets = targets(measured)
    for name, target in found_targets.items():
        on_one = [m for m in measured if m.case.benchmark == name and m.case.ranks == 1]
        base = float(np.median([m.trace[-1][0] for m in on_one]))
        trials = int(np.median([m.trials for m in on_one]))
        print(
            f"\n{name}: one rank's {trials} trials reach {target:.5f} in {base:.0f} s (median of {len(on_one)} seeds)"
        )
        print(
            f"{'ranks':>6} {'share':22}{'seeds':>6}{'reached':>8}{'time s':>8}{'sooner':>8}{'trials':>8}{'busy':>7}"
            f"{'asking':>8}{'rank 0 messages':>17}{'alike':>7}"
        )
        rows = [m for m in measured if m.case.benchmark == name]
        for ranks, kind in sorted({(m.case.ranks, policy(m.case)) for m in rows}):
            print(line([m for m in rows if (m.case.ranks, policy(m.case)) == (ranks, kind)], target, base))
    if arguments.plot:
        plot(measured, found_targets, arguments.plot)


def line(rows: list[Measured], target: float, base: float) -> str:
    """One line of the table."""
    times = np.array([m.time_to(target) for m in rows])
    middle = float(np.median(times))
    trials = np.median([m.trials for m in rows])
    busy, asking, messages, alike = (
        np.mean([getattr(m, name) for m in rows]) for name in ("utilisation", "proposing", "coordination", "alike")
    )
    first = rows[0].case
    return (
        f"{first.ranks:6} {policy(first):22}{len(rows):6}{np.isfinite(times).sum():8}{middle:8.1f}{base / middle:8.1f}"
        f"{trials:8.0f}{busy:7.0%}{asking:8.1%}{messages:17.1%}{alike:7.1%}"
    )


def plot(measured: list[Measured], found_targets: dict[str, float], path: Path) -> None:
    """How many times sooner than one rank, against the number of ranks, and the ranks' utilisation."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    counts = sorted({m.case.ranks for m in measured})
    kinds = sorted({policy(m.case) for m in measured if m.case.ranks > 1})
    for kind in kinds:
        sooner, busy = [], []
        for ranks in counts:
            rows = [m for m in measured if m.case.ranks == ranks and (policy(m.case) == kind or ranks == 1)]
            sooner.append(np.nan if not rows else geometric_mean(speed_ups(rows, measured, found_targets)))
            busy.append(np.mean([m.utilisation for m in rows]) if rows else np.nan)
        left.plot(counts, sooner, marker="o", label=kind)
        right.plot(counts, busy, marker="o", label=kind)
    left.plot(counts, counts, color="grey", linestyle=":", label="as many times as ranks")
    left.set(
        xscale="log",
        yscale="log",
        xlabel="ranks",
        ylabel="times sooner than one rank",
        xticks=counts,
        xticklabels=counts,
    )
    right.set(xscale="log", xlabel="ranks", ylabel="share of time in which a trial runs", ylim=(0, 1.02))
    right.set(xticks=counts, xticklabels=counts)
    left.legend(frameon=False)
    figure.savefig(path, dpi=90)


def speed_ups(rows: list[Measured], measured: list[Measured], found_targets: dict[str, float]) -> list[float]:
    """For each benchmark, how many times sooner than one rank the median seed was."""
    found = []
    for name in sorted({m.case.benchmark for m in rows}):
        alone = [m.trace[-1][0] for m in measured if m.case.benchmark == name and m.case.ranks == 1]
        times = [m.time_to(found_targets[name]) for m in rows if m.case.benchmark == name]
        if rows[0].case.ranks == 1:
            times = alone
        found.append(float(np.median(alone) / np.median(times)))
    return found


def geometric_mean(values: list[float]) -> float:
    """Of positive values; zero counts as nothing reached."""
    return float(np.exp(np.mean(np.log(np.maximum(values, 1e-3)))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    measuring = verbs.add_parser("measure")
    measuring.add_argument("benchmarks", nargs="+", type=Path)
    measuring.add_argument("--ranks", nargs="+", type=int, default=[1, 4, 16, 64])
    measuring.add_argument("--share", nargs="+", choices=SHARES, default=list(SHARES))
    measuring.add_argument("--seeds", nargs="+", type=int, default=[0])
    measuring.add_argument("--scale", type=float, default=10.0, help="wall seconds for a second of the benchmark")
    measuring.add_argument("--seconds", type=float, default=90.0, help="wall time of one search at most")
    measuring.add_argument("--trials", type=int, default=200, help="trials on one rank")
    measuring.add_argument("--initial", default="random")
    measuring.add_argument("--diversity", default="none", help="with --share history only")
    measuring.add_argument("--launcher", default="mpirun")
    measuring.set_defaults(run=measure)
    reporting = verbs.add_parser("report")
    reporting.add_argument("--plot", type=Path)
    reporting.set_defaults(run=report)
    for verb in (measuring, reporting):
        verb.add_argument("--out", type=Path, default=Path("scaling.jsonl"))
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
