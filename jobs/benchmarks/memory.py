"""Does a further rank of a node bring a further copy of the table? Memory of a job by ranks and size of the table.

    python jobs/benchmarks/memory.py --mebibytes 1024 --ranks 1 2 3 4

Memory is the proportional set size (each page divided by the processes that map it) of all processes of a job: ranks,
guardians, trial servers and the trials they run, the median of a look each half second between the first trials
and the end of the search. The same job on a table of 1 MiB tells what interpreters and libraries take; the difference
is what the table takes. The trials (tests/support/burning_space.py) read the whole table and keep nothing of it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests" / "support"
sys.path[:0] = [str(SUPPORT), str(ROOT)]

from mpi_automl.evaluation.linux import descendants  # noqa: E402

COLUMNS = 1024
SETTLED = 5.0
"""Seconds after the first trial's start from which looks count."""


@dataclass(frozen=True)
class Memory:
    """MiB of a job: while it searches, and at most."""

    searching: float
    peak: float


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mebibytes", type=int, default=1024, help="size of the table")
    parser.add_argument("--ranks", nargs="+", type=int, default=[1, 2, 3, 4])
    parser.add_argument("--time", type=float, default=60.0, help="wall time of a job")
    parser.add_argument("--launcher", nargs="+", default=["mpirun"], help="with its options but -n")
    return parser.parse_args()


def write_table(mebibytes: int, path: Path) -> Path:
    rows = mebibytes * 2**20 // (8 * COLUMNS)
    X = np.random.default_rng(0).normal(size=(rows, COLUMNS))
    np.savez(path, X=X, y=(X[:, 0] > 0).astype(int))
    return path


def proportional_set_size(pid: int) -> float:
    """MiB of a process and all below it."""
    total = 0
    for member in {pid} | descendants(pid):
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def measure(ranks: int, table: Path, options: argparse.Namespace) -> Memory:
    from mpi_automl.runs.run import Run

    environment = {**os.environ, "BURN_SECONDS": "1", "PYTHONPATH": os.pathsep.join([str(SUPPORT), str(ROOT)])}
    with tempfile.TemporaryDirectory() as directory:
        words = f"fit {table} --target y --time {options.time} --resampling holdout --plugins burning_space --out run"
        command = [*options.launcher, "-n", str(ranks), sys.executable, "-m", "mpi_automl", *words.split()]
        looks = []
        with Path(directory, "output").open("w") as output:
            job = subprocess.Popen(command, cwd=directory, env=environment, stdout=output, stderr=subprocess.STDOUT)
            while job.poll() is None:
                looks.append((time.time(), proportional_set_size(job.pid)))
                time.sleep(0.5)
        if job.returncode:
            sys.exit(Path(directory, "output").read_text())
        records = Run(Path(directory, "run")).reader.records
    begin, end = records["start"].min() + SETTLED, records["start"].max()
    searching = [size for moment, size in looks if begin < moment < end]
    return Memory(float(np.median(searching)), max(size for _, size in looks))


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory() as directory:
        large = write_table(options.mebibytes, Path(directory, "large.npz"))
        small = write_table(1, Path(directory, "small.npz"))
        print(f"MiB of all processes, table of {options.mebibytes} MiB")
        print(f"{'ranks':>6}{'1 MiB table':>14}{'table':>14}{'difference':>14}{'further rank':>16}{'peak':>10}")
        first = None
        for ranks in options.ranks:
            base, whole = measure(ranks, small, options), measure(ranks, large, options)
            taken = whole.searching - base.searching
            first = (ranks, taken) if first is None else first
            line = f"{ranks:6}{base.searching:14.0f}{whole.searching:14.0f}{taken:14.0f}"
            if ranks > first[0]:
                growth = (taken - first[1]) / (ranks - first[0])
                line += f"{growth:8.1f} ({100 * growth / options.mebibytes:.1f} %)"
            print(f"{line:64}{whole.peak:10.0f}", flush=True)


if __name__ == "__main__":
    main()
