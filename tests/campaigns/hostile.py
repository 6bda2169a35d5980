"""Hostile trials by the hundred: every kind, at random moments, on several ranks at once, some of which are killed.

    python tests/campaigns/hostile.py --trials 600 --ranks 4

Each rank is a process with an evaluator of its own; a learner that misbehaves in every way of
tests/support/hostile.py is registered as a component. Now and then a rank is killed by SIGKILL in the middle
of whatever its trials do, and another one takes its place. At the end:

- every trial is recorded, once, with the status its kind deserves (STOPPED where it was cancelled);
- no trial held its rank longer than its limit plus one second;
- no process, temporary directory or shared-memory file is left over.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT)]

SECONDS = {"TIMEOUT": 0.7}
PLENTY = 20.0
MEMORY = 160.0
CANCEL_SHARE = 0.02


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=600)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=15.0, help="mean seconds between two kills of a rank")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--as-rank", nargs=4, metavar=("NUMBER", "PLAN", "SETUP", "RECORDS"), help=argparse.SUPPRESS)
    return parser.parse_args()


def rank_main(number: int, plan: Path, setup_file: Path, records: Path) -> None:
    """Run what the plan holds and is not recorded yet, two trials at a time."""
    from mpi_automl.evaluation.evaluator import Evaluator

    done = {json.loads(line)["number"] for line in records.read_text().splitlines()}
    todo = [entry for entry in json.loads(plan.read_text()) if entry["number"] not in done]
    rng = random.Random(number * 1000 + len(done))
    with Evaluator.start(records.with_suffix(".log"), plugins=["hostile_components"]) as evaluator:
        evaluator.open(setup_file)
        drive(evaluator, todo, records, rng)


def drive(evaluator, todo: list[dict], records: Path, rng: random.Random) -> None:
    import numpy as np

    from mpi_automl.trial import Origin, Trial, TrialKey

    kinds, outstanding, cancelled = {}, 0, set()
    with records.open("a") as file:
        while todo or outstanding:
            while todo and evaluator.can_submit:
                entry = todo.pop(0)
                kinds[entry["number"]] = entry
                key = TrialKey(0, 0, entry["number"])
                trial = Trial(key, np.array(entry["vector"]), entry["number"], Origin.RANDOM)
                evaluator.submit(trial, seconds=entry["seconds"], memory=MEMORY)
                outstanding += 1
                time.sleep(rng.choice([0.0, 0.0, 0.01, 0.1]))
            if rng.random() < CANCEL_SHARE:
                cancelled |= {number for number in kinds if number not in done_in(records)}
                evaluator.cancel()
            for result in evaluator.poll(1.0):
                outstanding -= 1
                number = result.trial.key.number
                record = {
                    "number": number,
                    "kind": kinds[number]["kind"],
                    "status": result.status.name,
                    "reason": result.reason,
                    "seconds": result.end - result.start,
                    "limit": kinds[number]["seconds"],
                    "cancelled": number in cancelled,
                }
                file.write(json.dumps(record) + "\n")
                file.flush()


def done_in(records: Path) -> set[int]:
    return {json.loads(line)["number"] for line in records.read_text().splitlines()}


def make_plan(options: argparse.Namespace, directory: Path) -> tuple[list[Path], Path]:
    """Deal shuffled kinds out to the ranks, and write the setup that they share."""
    import hostile_components  # noqa: F401  # registers
    from hostile import ACTS
    from setups import table

    from mpi_automl.data.resampling import make_resampling
    from mpi_automl.data.shared import pack, write_packed
    from mpi_automl.evaluation.setup import EvaluationSetup, training_rows_first
    from mpi_automl.metrics.registry import get_metric
    from mpi_automl.settings import Settings
    from mpi_automl.space.space import build_space

    task = table(400)
    space = build_space(task.profile, include=["classifier:hostile", "feature_preprocessor:no_preprocessing"])
    metric = get_metric("auto", task.type, task.schema.units)
    setup = EvaluationSetup(task, make_resampling(task, Settings(resampling="holdout")), space, metric)
    write_packed(directory / "setup", *pack(training_rows_first(setup)))
    rng = random.Random(options.seed)
    kinds = [list(ACTS)[number % len(ACTS)] for number in range(options.trials)]
    rng.shuffle(kinds)
    entries = []
    for number, kind in enumerate(kinds):
        configuration = space.configspace.get_default_configuration()
        configuration["classifier:hostile:kind"] = kind
        seconds = SECONDS.get(ACTS[kind][1].name, PLENTY)
        entries.append({"number": number, "kind": kind, "vector": list(configuration.get_array()), "seconds": seconds})
    plans = [directory / f"plan{rank}.json" for rank in range(options.ranks)]
    for rank, plan in enumerate(plans):
        plan.write_text(json.dumps(entries[rank :: options.ranks]))
        (directory / f"records{rank}.jsonl").touch()
    return plans, directory / "setup"


def start(rank: int, plan: Path, setup_file: Path) -> subprocess.Popen:
    records = plan.with_name(f"records{rank}.jsonl")
    command = [sys.executable, __file__, "--as-rank", str(rank), str(plan), str(setup_file), str(records)]
    return subprocess.Popen(command)


def run(options: argparse.Namespace, plans: list[Path], setup_file: Path) -> int:
    """Start the ranks and kill one now and then; gives how many were killed."""
    rng = random.Random(options.seed)
    ranks = {rank: start(rank, plan, setup_file) for rank, plan in enumerate(plans)}
    kills = 0
    next_kill = time.monotonic() + rng.expovariate(1.0 / options.kill_every)
    while ranks:
        time.sleep(0.05)
        for rank, process in list(ranks.items()):
            if process.poll() == 0:
                del ranks[rank]
            elif process.returncode is not None:
                assert process.returncode == -9, f"rank {rank} ended with {process.returncode}"
                ranks[rank] = start(rank, plans[rank], setup_file)
        if ranks and time.monotonic() > next_kill:
            rng.choice(list(ranks.values())).kill()
            kills += 1
            next_kill = time.monotonic() + rng.expovariate(1.0 / options.kill_every)
    return kills


def check(options: argparse.Namespace, directory: Path) -> list[str]:
    """Complaints about the records."""
    from hostile import ACTS

    lines = [line for path in directory.glob("records*.jsonl") for line in path.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    complaints = []
    if sorted(record["number"] for record in records) != list(range(options.trials)):
        complaints.append(f"{len(records)} records of {options.trials} trials")
    table = defaultdict(Counter)
    for record in records:
        wanted = {ACTS[record["kind"]][1].name} | ({"STOPPED"} if record["cancelled"] else set())
        table[record["kind"]][record["status"]] += 1
        if record["status"] not in wanted:
            complaints.append(f"{record} should be {wanted}")
        if record["seconds"] > record["limit"] + 1.0:
            complaints.append(f"{record} took too long")
    for kind, statuses in sorted(table.items()):
        print(f"{kind:32}", ", ".join(f"{status} {count}" for status, count in sorted(statuses.items())))
    over = [record["seconds"] - record["limit"] for record in records if record["status"] == "TIMEOUT"]
    print(f"{len(over)} timeouts, the latest {max(over):.2f} s after its limit")
    return complaints


def main() -> None:
    options = arguments()
    if options.as_rank:
        number, *paths = options.as_rank
        rank_main(int(number), *map(Path, paths))
        return
    from processes import new_mark, settle

    mark = new_mark()
    directory = Path(tempfile.mkdtemp(prefix="hostile-"))
    os.environ["TMPDIR"] = str(directory / "tmp")
    (directory / "tmp").mkdir()
    started = time.monotonic()
    plans, setup_file = make_plan(options, directory)
    kills = run(options, plans, setup_file)
    complaints = check(options, directory)
    if left := settle(mark, 0):
        complaints.append(f"left processes: {left}")
    if files := [*(directory / "tmp").iterdir(), *Path("/dev/shm").glob("hostile_*")]:
        complaints.append(f"left files: {files}")
    print(f"{options.trials} trials, {options.ranks} ranks, {kills} killed, {time.monotonic() - started:.0f} s")
    print(*complaints, sep="\n")
    print(f"{len(complaints)} complaints; records in {directory}")
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
