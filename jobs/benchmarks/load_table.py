"""How long a CSV file takes to become a task, beside pandas' parser alone, and what sharing it costs.

python jobs/benchmarks/load_table.py --rows 50000 --columns 100
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from mpi_automl.data.load import load_task
from mpi_automl.data.read import read_table
from mpi_automl.data.shared import map_packed, pack, write_packed
from mpi_automl.settings import Settings


def write_table(path: Path, rows: int, columns: int) -> None:
    rng = np.random.default_rng(0)
    n_categories = columns // 10
    frame = pd.DataFrame(rng.normal(size=(rows, columns - n_categories))).rename(columns=lambda i: f"n{i}")
    categories = {f"c{i}": rng.choice(["alpha", "beta", "gamma", "delta"], rows) for i in range(n_categories)}
    frame.assign(**categories, y=rng.integers(0, 3, rows)).to_csv(path, index=False)


def best_of(repeats: int, call: Callable[[], object]) -> float:
    def once() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return min(once() for _ in range(repeats))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path, packed = Path(directory) / "table.csv", Path(directory) / "packed"
        write_table(path, arguments.rows, arguments.columns)
        settings = Settings(table=str(path), target="y")
        task = load_task(settings)

        def share() -> None:
            packed.unlink(missing_ok=True)
            write_packed(packed, *pack(task))

        steps = {
            "pandas.read_csv": lambda: pd.read_csv(path),
            "read_table": lambda: read_table(path),
            "load_task (reads, types, encodes, hashes)": lambda: load_task(settings),
            "pack and write": share,
            "map": lambda: map_packed(packed),
        }
        print(f"{arguments.rows} rows, {arguments.columns} columns, {path.stat().st_size / 2**20:.0f} MiB of CSV")
        parser_alone = 0.0
        for name, call in steps.items():
            seconds = best_of(arguments.repeats, call)
            parser_alone = parser_alone or seconds
            print(f"{name:45s} {seconds:8.3f} s {seconds / parser_alone:8.3f} of the parser")


if __name__ == "__main__":
    main()
