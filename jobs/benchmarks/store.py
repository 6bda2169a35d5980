"""Write throughput of the prediction store beside a plain write of the same bytes, and records per second.

    mpirun -n 8 python jobs/benchmarks/store.py
    python jobs/benchmarks/store.py --layout per-rank

Every rank commits trials one after the other, as in a job whose trials take no time. The plain write
puts the same bytes into one file per rank with `os.pwrite`, in the same pieces and without checksums.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from mpi4py import MPI

from mpi_automl.parallel.world import World
from mpi_automl.runs.run import Run
from mpi_automl.storage.choice import StoreOptions
from mpi_automl.storage.sizes import StoreLayout
from mpi_automl.storage.store import create_store
from mpi_automl.trial import Origin, Result, Status, Trial, TrialKey

_MIB = 2**20


def make_results(layout: StoreLayout, rank: int) -> list[Result]:
    rng = np.random.default_rng(rank)
    predictions = [rng.random((layout.n_validation, layout.n_outputs), dtype=np.float32) for _ in range(4)]
    results = []
    for number in range(layout.trials_per_rank):
        vector = rng.random(layout.n_hyperparameters)
        trial = Trial(TrialKey(0, rank, number), vector, number, Origin.MODEL)
        results.append(Result(trial, Status.SUCCESS, -float(number), 0.0, 1.0, predictions[number % 4]))
    return results


def write_store(store, results: list[Result]) -> None:
    for result in results:
        store.begin(result.trial)
        store.write(result)
        store.flush_if_due()


def write_plainly(path: Path, layout: StoreLayout, results: list[Result]) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    room = layout.slots * layout.prediction_nbytes
    for result in results:
        number = result.trial.key.number
        os.pwrite(descriptor, result.predictions.data, (number % layout.slots) * layout.prediction_nbytes)
        os.pwrite(descriptor, bytes(layout.record_nbytes), room + number * layout.record_nbytes)
    os.close(descriptor)


class Clock:
    """Wall time until the last rank is done, and CPU time of all ranks, summed over calls."""

    def __init__(self, comm: MPI.Intracomm) -> None:
        self._comm = comm
        self.wall = self.cpu = 0.0

    def measure(self, action) -> None:
        """Collective. Do something on every rank and add its time."""
        self._comm.Barrier()
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        self.wall += self._comm.allreduce(wall, MPI.MAX)
        self.cpu += self._comm.allreduce(cpu)


def measure(
    comm: MPI.Intracomm, directory: Path, layout: StoreLayout, wanted: str, rounds: int = 5
) -> dict[str, object]:
    metadata = {
        "space": "{}",
        "truth": np.zeros(layout.n_validation),
        "validation_rows": np.arange(layout.n_validation),
    }
    results = make_results(layout, comm.rank)
    creating, storing, plain, reading = (Clock(comm) for _ in range(4))
    made = []
    world = World(comm, time.time())
    options = StoreOptions(wanted, flush=1e9)
    creating.measure(lambda: made.append(create_store(directory, 0, layout, metadata, world, options)))
    (store,) = made
    # Turn by turn, so that other work on the machine disturbs both alike.
    for part in np.array_split(np.arange(len(results)), rounds):
        own = [results[number] for number in part]
        storing.measure(lambda own=own: write_store(store, own))
        plain.measure(lambda own=own: write_plainly(directory / f"plain-{comm.rank}", layout, own))
    store.close()
    reading.measure(lambda: Run(directory).reader if comm.rank == 0 else None)
    trials = layout.ranks * layout.trials_per_rank
    size = trials * (layout.prediction_nbytes + layout.record_nbytes) / _MIB
    return {
        "rows": layout.n_validation,
        "trials": trials,
        "layout": "shared" if store.choice.shared else "per-rank",
        "MiB/s": f"{size / storing.wall:.0f}",
        "plain": f"{size / plain.wall:.0f}",
        "ratio": f"{plain.wall / storing.wall:.2f}",
        "trials/s": f"{trials / storing.wall:.0f}",
        "CPU us": f"{1e6 * storing.cpu / trials:.0f}",
        "plain us": f"{1e6 * plain.cpu / trials:.0f}",
        "create s": f"{creating.wall:.2f}",
        "read s": f"{reading.wall:.2f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layout", default="auto", choices=("auto", "shared", "per-rank"))
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 10_000, 100_000], help="validation rows")
    parser.add_argument("--outputs", type=int, default=10)
    parser.add_argument("--mebibytes", type=int, default=256, help="to write, by all ranks together")
    parser.add_argument("--directory", help="on the file system to measure; default: a temporary one")
    arguments = parser.parse_args()
    comm = MPI.COMM_WORLD
    for rows in arguments.rows:
        per_trial = rows * arguments.outputs * 4
        trials = min(2000, max(20, arguments.mebibytes * _MIB // comm.size // per_trial))
        layout = StoreLayout(comm.size, trials, min(trials, 200), rows, 0, arguments.outputs, 118)
        place = tempfile.mkdtemp(prefix="store_benchmark_", dir=arguments.directory) if comm.rank == 0 else None
        directory = Path(comm.bcast(place))
        found = measure(comm, directory, layout, arguments.layout)
        if comm.rank == 0:
            shutil.rmtree(directory)
            if rows == arguments.rows[0]:
                print(f"{comm.size} ranks, {arguments.outputs} outputs; CPU time is per trial")
                print(" ".join(f"{name:>9}" for name in found))
            print(" ".join(f"{value:>9}" for value in found.values()), flush=True)


if __name__ == "__main__":
    main()
