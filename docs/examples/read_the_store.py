"""The trials of a run as a table, straight from the store: ``python read_the_store.py RUN``."""

import sys

from mpi_automl.storage.reader import RunReader

if __name__ == "__main__":
    run = RunReader(sys.argv[1])
    trials = run.trials().sort_values("end")

    print(trials.groupby("status")["seconds"].describe()[["count", "mean", "max"]])
    print(f"{len(trials)} trials of {trials['rank'].nunique()} ranks in {len(run.legs)} legs")

    best = trials["cost"].cummin()
    improved = trials[best < best.shift(fill_value=float("inf"))]
    for start, cost, key in zip(
        improved["end"] - trials["start"].min(), improved["cost"], improved["key"], strict=True
    ):
        print(f"{start:7.1f} s  cost {cost:.4f}  trial {key}")

    keys = run.best(3)
    print("predictions of the three best:", run.predictions(keys).shape)
