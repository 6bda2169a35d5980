"""Commands of the repository.

    python jobs/benchmarks/repository candidates --published FOLDER
    mpirun -n 2 python jobs/benchmarks/repository build TABLES OUT [--hours 6] [--tables NAME ...] [--candidates-to 120]
    python jobs/benchmarks/repository status OUT
    python jobs/benchmarks/repository pack OUT repository.zip
    python jobs/benchmarks/repository portfolio OUT --write mpi_automl/search/portfolios
    python jobs/benchmarks/repository curves OUT --ranks 1 8 64 [--order portfolio.json]
    python jobs/benchmarks/repository ablation OUT --ranks 2 --times 60 240
    python jobs/benchmarks/repository optimism OUT
    python jobs/benchmarks/repository recordings OUT FOLDER

TABLES is a folder with an ``index.json``: a list of objects with name, file, target, task and categorical. OUT is the
directory of the repository; ``build`` goes on with what is there. Other commands also take a packed file.
``recordings`` writes the predictions as `record_predictions` does, for ``combination.py`` and ``pruning.py``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mpi_automl.errors import UserError
from mpi_automl.trial import Status
from repository.ablation import ablate, ablation_table
from repository.build import BuildOptions, build
from repository.candidates import COMMITTED, STEPS, make_candidates, write_candidates
from repository.evaluations import MOST_PACKED, Repository, pack, read, write_recording
from repository.optimism import optimism_table
from repository.portfolio import (
    LeftOut,
    PortfolioOptions,
    greedy_order,
    leave_out,
    present_order,
    write_portfolio,
)
from repository.simulator import Job, SimulatedTable, anytime, area

STATUSES = {-1: "missing", 0: "skipped", **{int(status): status.name.lower() for status in Status if status}}


def _candidates(arguments: argparse.Namespace) -> None:
    arguments.out.mkdir(parents=True, exist_ok=True)
    for step in STEPS:
        made = make_candidates(step, arguments.count, arguments.published)
        write_candidates(arguments.out / f"{step}.json", made)
        learners = Counter(candidate.learner for candidate in made)
        print(f"{step}: {len(made)}, {dict(Counter(candidate.source for candidate in made))}, {dict(learners)}")


def _build(arguments: argparse.Namespace) -> None:
    build(
        BuildOptions(
            out=arguments.out,
            tables=arguments.folder,
            only=arguments.tables,
            rows=arguments.rows,
            most=arguments.candidates_to,
            trial_time=arguments.trial_time,
            memory=arguments.memory,
            seconds=3600 * arguments.hours,
            candidates=arguments.candidates,
            nice=arguments.nice,
        )
    )


def _status(arguments: argparse.Namespace) -> None:
    repository = read(arguments.repository)
    for table in repository.tables:
        counts = Counter(STATUSES[int(status)] for status in table.numbers["status"])
        best = min((cost for cost in table.numbers["held_out_cost"] if np.isfinite(cost)), default=np.nan)
        print(f"{table.name:24}{np.nansum(table.durations):9.0f} s  best held out {best:.5f}  {dict(counts)}")


def _pack(arguments: argparse.Namespace) -> None:
    has_predictions = pack(read(arguments.repository), arguments.file, int(arguments.most * 2**20))
    size = arguments.file.stat().st_size / 2**20
    print(f"{arguments.file}: {size:.1f} MiB, {'with' if has_predictions else 'without'} predictions")


def _portfolio_options(arguments: argparse.Namespace) -> PortfolioOptions:
    return PortfolioOptions(arguments.size, Job(arguments.deal, arguments.begin, arguments.trial_time))


def _portfolio(arguments: argparse.Namespace) -> None:
    repository = read(arguments.repository)
    options = _portfolio_options(arguments)
    for task in arguments.tasks:
        known = [table for table in repository.of_task(task) if table.name not in arguments.leave_out]
        tables = [SimulatedTable(table) for table in known]
        if not tables:
            continue
        candidates = repository.candidates["regressor" if task == "regression" else "classifier"]
        order = greedy_order(tables, options)
        print(f"\n{task}, {len(tables)} tables: {len(order)} candidates")
        for position, i in enumerate(order):
            seconds = np.median([table.durations[i] for table in tables])
            print(f"{position:3} {i:4} {candidates[i].source:10}{candidates[i].learner:22}{seconds:8.1f} s")
        if not arguments.quick and len(tables) > 1:
            jobs = [Job(ranks, limit=arguments.trial_time) for ranks in arguments.ranks]
            _print_left_out(leave_out(tables, present_order(candidates), options, jobs, _times(arguments)))
        if arguments.write:
            facts = {"tables": [table.name for table in tables], "candidates": len(candidates), **asdict(options)}
            name = arguments.write_as or task
            write_portfolio(arguments.write / f"{name}.json", candidates, order, facts)


def _times(arguments: argparse.Namespace) -> list[float]:
    return [float(t) for t in np.geomspace(10.0, arguments.horizon, 12)]


def _print_left_out(found: Sequence[LeftOut]) -> None:
    print("left out                ranks   area: own   present   end: own      present")
    for row in found:
        print(f"{row.table:24}{row.ranks:5}{row.own:12.3f}{row.other:10.3f}{row.own_end:12.5f}{row.other_end:12.5f}")
    for ranks in sorted({row.ranks for row in found}):
        own, other = (np.mean([getattr(r, name) for r in found if r.ranks == ranks]) for name in ("own", "other"))
        better = sum(row.own < row.other for row in found if row.ranks == ranks)
        print(f"{'mean':24}{ranks:5}{own:12.3f}{other:10.3f}   lower on {better} tables")


def _curves(arguments: argparse.Namespace) -> None:
    repository = read(arguments.repository)
    times = _times(arguments)
    print("table                   order   ranks   area " + "".join(f"{t:10.0f} s" for t in times))
    for task in arguments.tasks:
        for evaluations in repository.of_task(task):
            table = SimulatedTable(evaluations)
            for name, order in _orders(arguments, repository, evaluations.step, task).items():
                for ranks in arguments.ranks:
                    curve = anytime(table, order, Job(ranks, limit=arguments.trial_time), times)
                    costs = "".join(f"{cost:12.5f}" for cost in curve)
                    print(f"{table.name:22}{name:>9}{ranks:6}{area(table, curve, times):8.3f} {costs}", flush=True)


def _orders(arguments: argparse.Namespace, repository: Repository, step: str, task: str) -> dict[str, list[int]]:
    candidates = repository.candidates[step]
    orders = {"present": present_order(candidates)}
    if arguments.order is not None:
        path = arguments.order / f"{task}.json" if arguments.order.is_dir() else arguments.order
        wanted = json.loads(path.read_text(encoding="utf-8"))["configurations"]
        values = [candidate.values for candidate in candidates]
        orders["given"] = [values.index(entry) for entry in wanted if entry in values]
    return orders


def _ablation(arguments: argparse.Namespace) -> None:
    repository = read(arguments.repository)
    for step in STEPS:
        tables = [SimulatedTable(table) for table in repository.tables if table.step == step]
        if len(tables) < 2:
            continue
        candidates = repository.candidates[step]
        options = _portfolio_options(arguments)
        found = [
            one
            for ranks in arguments.ranks
            for one in ablate(tables, candidates, options, Job(ranks, limit=arguments.trial_time), arguments.times)
        ]
        print(f"\n{step}, {len(tables)} tables\n", *ablation_table(found), sep="\n", flush=True)


def _optimism(arguments: argparse.Namespace) -> None:
    repository = read(arguments.repository)
    print(*optimism_table(repository.tables, repository.candidates), sep="\n")


def _recordings(arguments: argparse.Namespace) -> None:
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for table in read(arguments.repository).tables:
        write_recording(arguments.folder / f"{table.name}.npz", table)


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        "repository", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command")
    made = commands.add_parser("candidates", help="make the lists of candidates")
    made.add_argument("--published", type=Path, help="folder with the files of published configurations")
    made.add_argument("--count", type=int, default=250, help="of each list")
    made.add_argument("--out", type=Path, default=COMMITTED)
    made.set_defaults(run=_candidates)
    _add_build(commands.add_parser("build", help="evaluate candidates; an MPI program"))
    status = commands.add_parser("status", help="what is there")
    status.add_argument("repository", type=Path)
    status.set_defaults(run=_status)
    packed = commands.add_parser("pack", help="write one small file")
    packed.add_argument("repository", type=Path)
    packed.add_argument("file", type=Path)
    packed.add_argument("--most", type=float, default=MOST_PACKED / 2**20, help="MiB with predictions")
    packed.set_defaults(run=_pack)
    chosen = commands.add_parser("portfolio", help="choose portfolios, and check them on tables left out")
    _add_simulation(chosen)
    _add_choice(chosen)
    chosen.add_argument("--write", type=Path, help="folder for TASK.json")
    chosen.add_argument("--write-as", metavar="TASK", help="its name, where it is chosen on tables of other tasks too")
    chosen.add_argument("--leave-out", nargs="*", default=[], metavar="TABLE", help="tables not to choose by")
    chosen.add_argument("--quick", action="store_true", help="do not check it")
    chosen.set_defaults(run=_portfolio)
    curves = commands.add_parser("curves", help="what a job would give out after so many seconds")
    _add_simulation(curves)
    curves.add_argument("--order", type=Path, help="a portfolio, or a folder of TASK.json, beside the present order")
    curves.set_defaults(run=_curves)
    ablation = commands.add_parser("ablation", help="what jobs come to without single parts of the package")
    _add_simulation(ablation)
    _add_choice(ablation)
    ablation.add_argument("--times", type=float, nargs="+", default=[60.0, 240.0], help="seconds of the jobs")
    ablation.set_defaults(run=_ablation)
    optimism = commands.add_parser("optimism", help="whether early stopping flatters candidates")
    optimism.add_argument("repository", type=Path)
    optimism.set_defaults(run=_optimism)
    recordings = commands.add_parser("recordings", help="write the predictions for other benchmarks")
    recordings.add_argument("repository", type=Path)
    recordings.add_argument("folder", type=Path)
    recordings.set_defaults(run=_recordings)
    return parser


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="TABLES")
    parser.add_argument("out", type=Path)
    parser.add_argument("--tables", nargs="+", help="only these")
    parser.add_argument("--candidates", type=Path, default=COMMITTED, help="folder of the lists")
    parser.add_argument("--candidates-to", type=int, help="only so many of each list")
    parser.add_argument("--rows", type=int, default=10_000, help="of a larger table, so many")
    parser.add_argument("--trial-time", type=float, default=60.0, help="seconds of a trial, all folds together")
    parser.add_argument("--memory", type=float, default=3072.0, help="MiB of a trial")
    parser.add_argument("--hours", type=float, default=float("inf"), help="begin no unit after so long")
    parser.add_argument("--nice", type=int, default=10, help="by how much the priority is lowered")
    parser.set_defaults(run=_build)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", type=int, default=PortfolioOptions.size, help="of a portfolio")
    parser.add_argument("--deal", type=int, default=PortfolioOptions().job.ranks, help="ranks that it is chosen for")
    parser.add_argument(
        "--begin", type=float, default=20.0, help="seconds that count as over already: the more, the less speed counts"
    )


def _add_simulation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("repository", type=Path)
    parser.add_argument("--tasks", nargs="+", default=["binary", "multiclass", "regression"])
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--trial-time", type=float, default=float("inf"), help="seconds after which a trial is cut off")
    parser.add_argument("--horizon", type=float, default=600.0, help="seconds at which curves end")


def main() -> None:
    """Run a command."""
    arguments = make_parser().parse_args()
    try:
        arguments.run(arguments)
    except UserError as error:
        sys.exit(f"repository: {error}")
