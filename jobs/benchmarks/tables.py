"""Fit a folder of tables, each with nothing but its target named, and print what came out.

    python jobs/benchmarks/tables.py DIRECTORY [--ranks 2] [--time 60s] [--only NAME ...] [--split 1]
        [--metric-by-task] [--out FILE] [OPTIONS OF FIT]

The folder holds tables and an ``index.json``: a list of objects with ``name``, ``file``, ``target``
and ``task``. A quarter of the rows of each table is held out (``train_test_split(random_state=1)``, stratified for
classification) and scored by the job as its test table. With --metric-by-task the metric is ROC AUC for two classes,
log loss for more, and the root mean squared error for numbers. With --out each result becomes a line of JSON, and what
is in the file is not run again. Trials that were cut off are those that their time limit ended or shortened.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from mpi_automl.runs.run import Run

_MANNERS = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":OVERSUBSCRIBE",
}


@dataclass(frozen=True)
class Row:
    """One table's result."""

    name: str
    metric: str
    dummy: float
    value: float
    test_value: float
    trials: int
    successes: int
    cut_off: int
    members: int
    seconds: float
    beats_dummy: bool


def split(table: dict[str, Any], source: Path, place: Path, seed: int) -> tuple[Path, Path]:
    """Write a training and a test table."""
    frame = pd.read_csv(source / table["file"])
    labels = frame[table["target"]] if table["task"] == "classification" else None
    train, test = train_test_split(frame, random_state=seed, stratify=labels)
    paths = place / f"{table['name']}-train.csv", place / f"{table['name']}-test.csv"
    train.to_csv(paths[0], index=False)
    test.to_csv(paths[1], index=False)
    return paths


def fit(table: dict[str, Any], arguments: argparse.Namespace, options: list[str], place: Path) -> Row:
    """Run one job and read its result."""
    train, test = split(table, arguments.directory, place, arguments.split)
    run = place / f"{table['name']}-run"
    command = ["mpirun", "-n", str(arguments.ranks), sys.executable, "-m", "mpi_automl", "fit", str(train)]
    command += ["--target", table["target"], "--test", str(test), "--time", arguments.time, "--out", str(run)]
    if arguments.metric_by_task:
        command += ["--metric", _metric(table)]
    started = time.monotonic()
    done = subprocess.run(
        [*command, *options], env={**os.environ, **_MANNERS}, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - started
    if done.returncode != 0:
        raise SystemExit(f"{table['name']}: exit status {done.returncode}\n{done.stdout}\n{done.stderr}")
    row = read(table["name"], run, seconds)
    shutil.rmtree(run)
    return row


def _metric(table: dict[str, Any]) -> str:
    if table["task"] != "classification":
        return "root_mean_squared_error"
    return "roc_auc" if table["n_classes"] == 2 else "log_loss"


def read(name: str, run: Path, seconds: float) -> Row:
    """What a run directory says."""
    found = Run(run)
    outcome, reader = found.directory.read_ensemble(), found.reader
    assert found.dummy is not None
    predictions = reader.test_predictions([found.dummy])
    assert predictions is not None
    dummy = found.metric.value(reader.test_truth(), predictions[0], found.schema.task_type)
    return Row(
        name=name,
        metric=outcome["metric"],
        dummy=dummy,
        value=outcome["value"],
        test_value=outcome["test_value"],
        trials=sum(outcome["statuses"].values()),
        successes=outcome["statuses"].get("success", 0),
        cut_off=sum(reason.startswith(b"time limit") for reason in reader.records["reason"]),
        members=len(outcome["members"]),
        seconds=seconds,
        beats_dummy=bool(found.metric.cost_of(outcome["test_value"]) < found.metric.cost_of(dummy)),
    )


def _results(path: Path | None) -> list[Row]:
    if path is None or not path.exists():
        return []
    return [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _line(row: Row) -> str:
    return (
        f"| {row.name} | {row.metric} | {row.dummy:.4f} | {row.value:.4f} | {row.test_value:.4f} "
        f"| {row.trials} | {row.successes} | {row.cut_off} | {row.members} | {row.seconds:.1f} |"
    )


def main() -> None:
    """Fit the tables one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--time", default="60s")
    parser.add_argument("--only", nargs="*", default=None)
    parser.add_argument("--split", type=int, default=1, metavar="SEED")
    parser.add_argument("--metric-by-task", action="store_true")
    parser.add_argument("--out", type=Path)
    arguments, options = parser.parse_known_args()
    tables = json.loads((arguments.directory / "index.json").read_text(encoding="utf-8"))
    known = {row.name: row for row in _results(arguments.out)}
    columns = ("table", "metric", "dummy", "validation", "held out", "trials", "success", "cut off", "members", "s")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    losers = []
    with tempfile.TemporaryDirectory() as place:
        for table in tables:
            if arguments.only is not None and table["name"] not in arguments.only:
                continue
            row = known.get(table["name"]) or fit(table, arguments, options, Path(place))
            if arguments.out is not None and row.name not in known:
                with arguments.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(row)) + "\n")
            print(_line(row), flush=True)
            if not row.beats_dummy:
                losers.append(row.name)
    print(f"\nNot better than the dummy: {', '.join(losers) or 'none'}.")


if __name__ == "__main__":
    main()
