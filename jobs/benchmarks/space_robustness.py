"""How many random pipelines of the whole search space end in success on real tables.

Every table of a directory with an ``index.json`` (a list of objects with ``name``, ``file``, ``target`` and
``task``) is read as the package reads it; random configurations, and the default one, are fitted on two thirds
of (some of) its rows and predict the rest, each in a process of its own with a time limit.

    python jobs/benchmarks/space_robustness.py DIRECTORY --configurations 25 --rows 2000
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

CONTEXT = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Ending:
    """How the trial of one configuration on one table ended."""

    table: str
    label: str
    outcome: str
    cause: str
    seconds: float


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="directory with the tables and their index.json")
    parser.add_argument("--configurations", type=int, default=25, metavar="N", help="random ones for each table")
    parser.add_argument("--rows", type=int, default=2000, metavar="N", help="rows of a table that are used at most")
    parser.add_argument("--seconds", type=float, default=10.0, help="limit of one trial")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="tables worked on at the same time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tables", default="", help="only these, with commas between them")
    arguments = parser.parse_args()

    entries = json.loads((arguments.directory / "index.json").read_text())
    wanted = set(filter(None, arguments.tables.split(",")))
    entries = [entry for entry in entries if not wanted or entry["name"] in wanted]
    queue: Any = CONTEXT.Queue()
    shares = [entries[i :: arguments.processes] for i in range(arguments.processes)]
    workers = [CONTEXT.Process(target=work, args=(share, arguments, queue)) for share in shares]
    for worker in workers:
        worker.start()
    endings: list[Ending] = []
    print(f"{'table':<22} {'tried':>5} {'success':>7} {'timeout':>7} {'failed':>6} {'median s':>8}", flush=True)
    for _ in entries:
        found = queue.get()
        endings += found
        print_row(found)
    for worker in workers:
        worker.join()
    print_summary(endings)


def work(entries: list[dict[str, Any]], arguments: argparse.Namespace, queue: Any) -> None:
    """Try configurations on a share of the tables."""
    warnings.simplefilter("ignore")
    for entry in entries:
        queue.put(list(trials(entry, arguments)))


def trials(entry: dict[str, Any], arguments: argparse.Namespace) -> Iterator[Ending]:
    """Try configurations on one table."""
    import numpy as np

    from mpi_automl.data.load import load_task
    from mpi_automl.evaluation.setup import take_rows
    from mpi_automl.settings import Settings
    from mpi_automl.space.space import build_space

    task = load_task(Settings(table=str(arguments.directory / entry["file"]), target=entry["target"]))
    order = np.random.default_rng(arguments.seed).permutation(task.profile.n_rows)[: arguments.rows]
    task = replace(task, X=take_rows(task.X, order), y=task.y[order], profile=replace(task.profile, n_rows=len(order)))
    space = build_space(task.profile, seed=arguments.seed)
    vectors = [space.default_vector()]
    vectors += [found.get_array() for found in space.configspace.sample_configuration(arguments.configurations)]
    for vector in vectors:
        started = time.monotonic()
        outcome, cause = limited(task, space, vector, arguments.seconds)
        yield Ending(entry["name"], space.describe(vector), outcome, cause, time.monotonic() - started)


def limited(task: Any, space: Any, vector: Any, seconds: float) -> tuple[str, str]:
    """Fit and predict in a child; whatever it does, it ends."""
    receiver, sender = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=attempt, args=(task, space, vector, seconds, sender))
    child.start()
    sender.close()
    try:
        answer: tuple[str, str] = receiver.recv() if receiver.poll(seconds + 2.0) else ("timeout", "")
    except EOFError:
        answer = ("failed", "the process died")
    child.kill()
    child.join()
    return answer


def attempt(task: Any, space: Any, vector: Any, seconds: float, sender: Any) -> None:
    """Fit on two thirds of the rows, predict the others, and tell how it went."""
    from threadpoolctl import threadpool_limits

    from mpi_automl.evaluation.fitting import FitOptions, fit
    from mpi_automl.evaluation.setup import take_rows
    from mpi_automl.space.predictions import predict

    border = 2 * len(task.y) // 3
    deadline = time.monotonic() + seconds
    try:
        with threadpool_limits(1):
            candidate = space.build(vector, 1)
            train = take_rows(task.X, _span(0, border))
            fit(candidate, train, task.y[:border], FitOptions(deadline), None)
            rest = take_rows(task.X, _span(border, len(task.y)))
            predict(candidate.pipeline, rest, task.type, task.profile.n_outputs)
        sender.send(("success", ""))
    except Exception as error:
        sender.send(("failed", f"{type(error).__name__}: {' '.join(str(error).split())[:110]}"))


def _span(begin: int, end: int) -> Any:
    import numpy as np

    return np.arange(begin, end)


def print_row(endings: list[Ending]) -> None:
    """One line for a table."""
    counts = Counter(ending.outcome for ending in endings)
    median = sorted(ending.seconds for ending in endings)[len(endings) // 2]
    print(
        f"{endings[0].table:<22} {len(endings):>5} {counts['success']:>7} {counts['timeout']:>7} "
        f"{counts['failed']:>6} {median:>8.2f}",
        flush=True,
    )


def print_summary(endings: list[Ending]) -> None:
    """Share of successes, and failures by cause."""
    counts = Counter(ending.outcome for ending in endings)
    finished = counts["success"] + counts["failed"]
    print(
        f"\n{len(endings)} pipelines: {counts['success']} successes, {counts['timeout']} timeouts, {counts['failed']} "
        f"failures; {100 * counts['success'] / max(1, finished):.1f} % of those that finished succeeded"
    )
    causes = Counter(ending.cause for ending in endings if ending.outcome == "failed")
    for cause, times in causes.most_common():
        examples = [f"{e.table}: {e.label[:160]}" for e in endings if e.cause == cause][:2]
        print(f"{times:>4} x {cause}")
        for example in examples:
            print(f"         {example}")
    slow = Counter(ending.label.split("(")[0].split(",")[0] for ending in endings if ending.outcome == "timeout")
    print("timeouts by learner:", ", ".join(f"{name} {times}" for name, times in slow.most_common()) or "none")


if __name__ == "__main__":
    main()
