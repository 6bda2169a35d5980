"""Awkward tables by the hundred: each must end in a model as good as on the clean table, or in one sentence.

    python tests/campaigns/hostile_tables.py --tables 560 --out tables.jsonl

The kinds of tables are in tests/support (`awkward_columns`, `awkward_targets`, `awkward_files`). Each table is fitted
and new rows of it are predicted, by the estimators, by files as the commands read them, or by the commands themselves.
A plain scikit-learn pipeline (mean imputation, one-hot encoding, standardised columns, ridge or logistic regression)
learns from the same rows without the awkwardness, and both are scored on the same 300 new rows. The outcomes:

- good: the share of errors, or the squared error by the variance, is at most TOLERANCE and one by the number of
  training rows above the baseline's, or for classes within three standard errors of the paired difference;
- told: worse than that, and a warning or note of what was lost names the column (notes only where people see them);
- refused: a sentence that names what is wrong with the table;
- silent: worse without a word, or new rows are predicted otherwise one by one than together;
- strange: a refusal of a table that has nothing wrong, or by a sentence that does not name it; crash; hang.

Every table is a line of the file, and the campaign goes on from there when it is started again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict, deque
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT)]

BAD = ("silent", "strange", "crash", "hang")
OUTCOMES = ("good", "told", "refused", *BAD)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=560)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="only kinds whose name has this in it")
    parser.add_argument("--number", type=int, help="only the table of this number, with what it prints")
    parser.add_argument("--commands", type=float, default=0.15, help="share of tables in CSV that the commands get")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--deadline", type=float, default=90.0, help="seconds of one table until it counts as a hang")
    parser.add_argument("--out", type=Path, default=Path("hostile_tables.jsonl"))
    return parser.parse_args()


class Worker:
    """A process that takes one table after the other; it is replaced when it hangs or dies."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=work, args=(other, self.options))
        self.process.start()
        other.close()
        self.number: int | None = None
        self.since = 0.0

    def give(self, number: int) -> None:
        self.number, self.since = number, time.monotonic()
        self.connection.send(number)

    def result(self) -> dict[str, Any] | None:
        """The line of the table that is under way, if it has come to an end, good or bad."""
        if self.number is None:
            return None
        seconds = time.monotonic() - self.since
        try:
            if self.connection.poll():
                return {**self.connection.recv(), "seconds": round(seconds, 2)}
        except (EOFError, OSError):
            self.process.join()
            return self._lost("crash", f"the process ended with {self.process.exitcode}")
        return self._lost("hang", "deadline") if seconds > self.options.deadline else None

    def _lost(self, outcome: str, reason: str) -> dict[str, Any]:
        number = self.number
        self.end()
        self._start()
        return {"number": number, "outcome": outcome, "sentence": reason, "seconds": self.options.deadline}

    def end(self) -> None:
        """End the process and what it has started."""
        if self.process.is_alive():
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
        self.process.join()


def work(connection: Connection, options: argparse.Namespace) -> None:
    """What a worker does until the other side is gone."""
    os.setsid()
    from table_trials import try_table

    plan = planned(options)
    while True:
        try:
            number = connection.recv()
        except EOFError:
            return
        if number is None:
            return
        connection.send(try_table(number, *plan[number], seed=options.seed, commands=options.commands))


def planned(options: argparse.Namespace) -> list[tuple[str, str]]:
    import awkward_columns
    import awkward_files
    import awkward_targets
    from awkward_tables import deal

    assert awkward_columns and awkward_files and awkward_targets
    return deal(options.tables, options.only)


def run(options: argparse.Namespace, plan: list[tuple[str, str]]) -> None:
    """Have the workers try all tables that have no line yet."""
    done = {record["number"] for record in records_of(options.out)}
    pending = deque(number for number in range(len(plan)) if number not in done)
    workers = [Worker(options) for _ in range(min(options.workers, len(pending)))]
    with options.out.open("a") as file:
        while pending or any(worker.number is not None for worker in workers):
            for worker in workers:
                record = worker.result()
                if record is not None:
                    kind, variant = plan[record["number"]]
                    file.write(json.dumps({"kind": kind, "variant": variant, **record}) + "\n")
                    file.flush()
                    worker.number = None
                if worker.number is None and pending:
                    worker.give(pending.popleft())
            busy = [worker.connection for worker in workers if worker.number is not None]
            wait(busy, timeout=1.0)
    for worker in workers:
        worker.connection.send(None)
        worker.process.join(10.0)
        worker.end()


def records_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def summary(records: list[dict[str, Any]]) -> str:
    """Outcomes by kind as a table in Markdown, refusals by sentence, and everything that is bad."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        counts[record["kind"]][record["outcome"]] += 1
    total = Counter(record["outcome"] for record in records)
    lines = [f"| tables | number | {' | '.join(OUTCOMES)} |", "|---" * (len(OUTCOMES) + 2) + "|"]
    for name, found in [*counts.items(), ("**all**", total)]:
        cells = [str(found[outcome] or "") for outcome in OUTCOMES]
        lines.append(f"| {name} | {sum(found.values())} | {' | '.join(cells)} |")
    sentences = Counter(_pattern(record["sentence"]) for record in records if record["outcome"] == "refused")
    lines += ["", "Refusals:", *(f"- {count}: {sentence}" for sentence, count in sentences.most_common())]
    lines += [
        "",
        "By route: " + ", ".join(f"{n} {r}" for r, n in Counter(r.get("route") for r in records).most_common()),
    ]
    for outcome in ("told", *BAD):
        for record in records:
            if record["outcome"] == outcome:
                place = f"{record['number']} {record['kind']}: {record['variant']} ({record.get('route')})"
                losses = f"{record.get('loss', '')} for {record.get('baseline', '')}"
                lines.append(f"- {outcome} {place}, {losses}: {record.get('sentence', '')[:400]}")
    return "\n".join(lines)


def _pattern(sentence: str) -> str:
    """A sentence without the names and numbers of its table."""
    plain = re.sub(r"/\S+/", "", sentence.splitlines()[0])[:160]
    return re.sub(r"\d+(\.\d+)?", "#", plain)


def main() -> None:
    options = arguments()
    plan = planned(options)
    if options.number is not None:
        from table_trials import try_table

        found = try_table(
            options.number, *plan[options.number], seed=options.seed, commands=options.commands, loud=True
        )
        print(json.dumps({"table": plan[options.number], **found}, indent=1))
        return
    with tempfile.TemporaryDirectory(prefix="hostile-tables-") as directory:
        os.environ["TMPDIR"] = directory
        started = time.monotonic()
        run(options, plan)
        left = sorted(path.name for path in Path(directory).iterdir())
    records = records_of(options.out)
    print(summary(records))
    print(
        f"{len(records)} tables in {options.out}, {time.monotonic() - started:.0f} s of this start, left files: {left}"
    )
    sys.exit(any(record["outcome"] in BAD for record in records))


if __name__ == "__main__":
    main()
