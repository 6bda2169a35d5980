"""Time to target and utilisation of a search on 1 to 64 real MPI ranks, with simulated trials.

    python jobs/benchmarks/scaling.py measure benchmarks/vehicle.npz --ranks 1 4 16 64 --seeds 0 1 2 --scale 10
    python jobs/benchmarks/scaling.py report [--plot scaling.png]

Trials come from surrogate benchmarks (surrogate.py) and sleep for as long as the benchmark says, times --scale;
choose the scale so that proposing is short beside the trials although all ranks share a few cores. All ranks of a
launch import everything before the first search begins, so that starting is not part of the time. ``measure`` appends
one JSON line to --out for each search and leaves out those that are there already. The target is what --trials trials
of one rank reach, the median over the seeds; a search on more ranks ends when it is reached. With --alone the target
and one rank's time are those of the searches in regret.py's file, whose trials need not sleep, and their durations
are added up. With --virtual there are no real ranks and no sleep: one process lets all proposers take turns in virtual
time, for comparisons that need many seeds; --seconds are then the benchmark's. Times in the results are seconds of the
benchmark (wall time divided by the scale).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import regret
from simulated_search import Case, Limits, Measured, append, read

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
        targets = {} if ranks == 1 else {name: found.target for name, found in alone(arguments, measured).items()}
        if arguments.virtual:
            in_virtual_time(arguments, cases, limits, targets)
            continue
        request = {
            "cases": [asdict(case) for case in cases],
            "limits": asdict(limits),
            "targets": targets,
            "benchmarks": {path.stem: str(path) for path in arguments.benchmarks},
            "out": str(arguments.out),
        }
        program = Path(__file__).with_name("simulated_search.py")
        command = [*arguments.launcher.split(), "-n", str(ranks), sys.executable, str(program), json.dumps(request)]
        subprocess.run(command, check=True, env={**os.environ, **_MANNERS})


def in_virtual_time(
    arguments: argparse.Namespace, cases: list[Case], limits: Limits, targets: dict[str, float]
) -> None:
    """Search case after case in this process."""
    from virtual_search import search_once

    from mpi_automl.simulation.surrogate_benchmark import SurrogateBenchmark

    paths = {path.stem: path for path in arguments.benchmarks}
    for case in cases:
        benchmark = SurrogateBenchmark.load(paths[case.benchmark])
        limited = replace(limits, target=targets.get(case.benchmark))
        append(arguments.out, search_once(case, limited, benchmark))


def cases_of(arguments: argparse.Namespace, ranks: int) -> Iterator[Case]:
    """All searches, in an order in which a measurement that is cut short has something of everything."""
    for seed in arguments.seeds:
        for path in arguments.benchmarks:
            for share in arguments.share if ranks > 1 else ["none"]:
                yield Case(path.stem, ranks, share, seed, arguments.initial_design)


@dataclass(frozen=True)
class Alone:
    """What one rank comes to.

    Attributes
    ----------
    target : float
        The lowest cost that it finds with its trials, the median over seeds.
    seconds : float
        That its trials take, likewise.
    seeds : int
    """

    target: float
    seconds: float
    seeds: int


def alone(arguments: argparse.Namespace, measured: list[Measured]) -> dict[str, Alone]:
    """One rank's results for each benchmark, from searches without waiting (regret.py) or from those measured here."""
    found: dict[str, list[tuple[float, float]]] = {}
    if arguments.alone is None:
        for m in measured:
            if m.case.ranks == 1:
                found.setdefault(m.case.benchmark, []).append((m.trace[-1][1], m.trace[-1][0]))
    else:
        for curve in regret.read(arguments.alone):
            if curve.optimiser == "proposer" and len(curve.costs) >= arguments.trials:
                pair = curve.best()[arguments.trials - 1], sum(curve.seconds[: arguments.trials])
                found.setdefault(curve.problem, []).append(pair)
    middles = {name: np.median(pairs, axis=0).tolist() for name, pairs in found.items()}
    return {name: Alone(target, seconds, len(found[name])) for name, (target, seconds) in middles.items()}


def report(arguments: argparse.Namespace) -> None:
    """Print tables, and plot."""
    measured = read(arguments.out)
    on_one_rank = alone(arguments, measured)
    for name in sorted({m.case.benchmark for m in measured} & on_one_rank.keys()):
        base = on_one_rank[name]
        print(
            f"\n{name}: {arguments.trials} trials of one rank reach {base.target:.5f} and take {base.seconds:.0f} s "
            f"(medians of {base.seeds} seeds)"
        )
        print(
            f"{'ranks':>6} {'share':22}{'seeds':>6}{'reached':>8}{'time s':>8}{'sooner':>8}{'trials':>8}{'busy':>7}"
            f"{'asking':>8}{'rank 0 messages':>17}{'alike':>7}"
        )
        rows = [m for m in measured if m.case.benchmark == name]
        for ranks, kind in sorted({(m.case.ranks, m.case.share) for m in rows}):
            print(line([m for m in rows if (m.case.ranks, m.case.share) == (ranks, kind)], base))
    if arguments.plot:
        plot(measured, on_one_rank, arguments.plot)


def line(rows: list[Measured], base: Alone) -> str:
    """One line of the table."""
    times = np.array([m.time_to(base.target) for m in rows])
    middle = float(np.median(times))
    trials = np.median([m.trials for m in rows])
    busy, asking, messages, alike = (
        np.mean([getattr(m, name) for m in rows]) for name in ("utilisation", "proposing", "coordination", "alike")
    )
    first = rows[0].case
    return (
        f"{first.ranks:6} {first.share:22}{len(rows):6}{np.isfinite(times).sum():8}{middle:8.1f}"
        f"{base.seconds / middle:8.1f}{trials:8.0f}{busy:7.0%}{asking:8.1%}{messages:17.1%}{alike:7.1%}"
    )


def plot(measured: list[Measured], on_one_rank: dict[str, Alone], path: Path) -> None:
    """How many times sooner than one rank, against the number of ranks, and the ranks' utilisation."""
    from mpi_automl.report import style

    parallel = [m for m in measured if m.case.ranks > 1 and m.case.benchmark in on_one_rank]
    counts = [1, *sorted({m.case.ranks for m in parallel})]
    with style.drawing():
        figure = style.figure(style.WIDE, 3.4)
        left, right = figure.subplots(1, 2)
        for position, kind in enumerate(sorted({m.case.share for m in parallel})):
            rows = [[m for m in parallel if (m.case.ranks, m.case.share) == (ranks, kind)] for ranks in counts]
            rows = [found for found in rows if found]
            x = [found[0].case.ranks for found in rows]
            look = {"marker": style.MARKERS[position], "label": kind, **style.line_look(position)}
            left.plot([1, *x], [1.0, *(sooner(found, on_one_rank) for found in rows)], **look)
            right.plot(x, [np.mean([m.utilisation for m in found]) for found in rows], **look)
        left.plot(counts, counts, color=style.MUTED, linestyle=":", label="as many as ranks")
        left.set(xscale="log", yscale="log", xlabel="ranks", ylabel="times sooner than one rank")
        right.set(xscale="log", xlabel="ranks", ylabel="share of time in which a trial runs", ylim=(0, 1.02))
        for panel in (left, right):
            panel.set_xticks(counts, [str(count) for count in counts])
            panel.minorticks_off()
        left.set_yticks(counts, [str(count) for count in counts])
        left.legend()
        figure.savefig(path, dpi=90, facecolor="white")


def sooner(rows: list[Measured], on_one_rank: dict[str, Alone]) -> float:
    """How many times sooner than one rank the median seed was: the geometric mean over the benchmarks."""
    found = []
    for name in sorted({m.case.benchmark for m in rows}):
        base = on_one_rank[name]
        found.append(base.seconds / np.median([m.time_to(base.target) for m in rows if m.case.benchmark == name]))
    return geometric_mean(found)


def geometric_mean(values: list[float]) -> float:
    """Of positive values; zero counts as nothing reached."""
    return float(np.exp(np.mean(np.log(np.maximum(values, 1e-3)))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["measure", "report"])
    parser.add_argument("benchmarks", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, default=Path("scaling.jsonl"), help="all searches, a line each")
    parser.add_argument("--alone", type=Path, help="regret.py's file: one rank's trials, added up")
    parser.add_argument("--trials", type=int, default=200, help="trials on one rank")
    parser.add_argument("--ranks", nargs="+", type=int, default=[1, 4, 16, 64])
    parser.add_argument("--share", nargs="+", choices=SHARES, default=list(SHARES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--initial-design", default="random")
    parser.add_argument("--scale", type=float, default=10.0, help="wall seconds for a second of the benchmark")
    parser.add_argument("--seconds", type=float, default=90.0, help="wall time of one search at most")
    parser.add_argument("--virtual", action="store_true", help="in one process and without waiting (virtual_search.py)")
    parser.add_argument("--launcher", default="mpirun")
    parser.add_argument("--plot", type=Path, help="for report: where to draw")
    arguments = parser.parse_args()
    {"measure": measure, "report": report}[arguments.verb](arguments)


if __name__ == "__main__":
    main()
