"""The trials of a run as a table, straight from the store: ``python read_the_store.py RUN``."""

import sys

from mpi_automl.runs.run import Run

if __name__ == "__main__":
    run = Run(sys.argv[1])
    reader = run.reader
    trials = reader.trials()

    print(trials.groupby("status")["seconds"].describe()[["count", "mean", "max"]])
    print(f"{len(trials)} trials of {trials['rank'].nunique()} ranks in {len(reader.legs)} legs")

    incumbents = trials.iloc[run.incumbents()]
    for end, cost, key in zip(incumbents["end"], incumbents["cost"], incumbents["key"], strict=True):
        print(f"{end - trials['start'].min():7.1f} s  cost {cost:.4f}  trial {key}")

    keys = reader.best(3)
    print("predictions of the three best:", reader.predictions(keys).shape)
