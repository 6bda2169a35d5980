"""Fit a folder of tables, each with nothing but its target named, and print what came out.

    python jobs/benchmarks/tables.py DIRECTORY [--ranks 2] [--time 60s] [--only NAME ...] [OPTIONS OF FIT]

The folder holds tables and an ``index.json``: a list of objects with ``name``, ``file``, ``target``
and ``task``. A quarter of the rows of each table is held out (``train_test_split(random_state=1)``, stratified for
classification) and scored by the job as its test table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
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
    members: int
    seconds: float

    @property
    def beats_dummy(self) -> bool:
        """Whether the ensemble is better than the dummy on the held-out rows."""
        return self.test_value > self.dummy


def split(table: dict[str, Any], source: Path, place: Path) -> tuple[Path, Path]:
    """Write a training and a test table."""
    frame = pd.read_csv(source / table["file"])
    labels = frame[table["target"]] if table["task"] == "classification" else None
    train, test = train_test_split(frame, random_state=1, stratify=labels)
    paths = place / f"{table['name']}-train.csv", place / f"{table['name']}-test.csv"
    train.to_csv(paths[0], index=False)
    test.to_csv(paths[1], index=False)
    return paths


def fit(table: dict[str, Any], arguments: argparse.Namespace, options: list[str], place: Path) -> Row:
    """Run one job and read its result."""
    train, test = split(table, arguments.directory, place)
    run = place / f"{table['name']}-run"
    command = ["mpirun", "-n", str(arguments.ranks), sys.executable, "-m", "mpi_automl", "fit", str(train)]
    command += ["--target", table["target"], "--test", str(test), "--time", arguments.time, "--out", str(run)]
    started = time.monotonic()
    done = subprocess.run(
        [*command, *options], env={**os.environ, **_MANNERS}, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - started
    if done.returncode != 0:
        raise SystemExit(f"{table['name']}: exit status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return read(table["name"], run, seconds)


def read(name: str, run: Path, seconds: float) -> Row:
    """What a run directory says."""
    found = Run(run)
    outcome, reader = found.directory.read_ensemble(), found.reader
    assert found.dummy is not None
    predictions = reader.test_predictions([found.dummy])
    assert predictions is not None
    return Row(
        name=name,
        metric=outcome["metric"],
        dummy=found.metric.value(reader.test_truth(), predictions[0], found.schema.task_type),
        value=outcome["value"],
        test_value=outcome["test_value"],
        trials=sum(outcome["statuses"].values()),
        successes=outcome["statuses"].get("success", 0),
        members=len(outcome["members"]),
        seconds=seconds,
    )


def main() -> None:
    """Fit the tables one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--time", default="60s")
    parser.add_argument("--only", nargs="*", default=None)
    arguments, options = parser.parse_known_args()
    tables = json.loads((arguments.directory / "index.json").read_text(encoding="utf-8"))
    columns = ("table", "metric", "dummy", "validation", "held out", "trials", "success", "members", "s")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    losers = []
    with tempfile.TemporaryDirectory() as place:
        for table in tables:
            if arguments.only is not None and table["name"] not in arguments.only:
                continue
            row = fit(table, arguments, options, Path(place))
            print(
                f"| {row.name} | {row.metric} | {row.dummy:.4f} | {row.value:.4f} | {row.test_value:.4f} "
                f"| {row.trials} | {row.successes} | {row.members} | {row.seconds:.1f} |",
                flush=True,
            )
            if not row.beats_dummy:
                losers.append(row.name)
    print(f"\nNot better than the dummy: {', '.join(losers) or 'none'}.")


if __name__ == "__main__":
    main()
