"""A job on a table of a million rows, beside one gradient boosting with fixed settings on all cores.

    python jobs/benchmarks/million_rows.py [--rows N] [--ranks 2] [--time 300s] [--skip-reference] [OPTIONS OF FIT]

The table is generated: 28 numeric columns of normal and log-normal values, two classes, whose log-odds are a sum of
products, waves and steps of single columns and of pairs. 100,000 further rows are held out. The reference is LightGBM
with 600 iterations, 63 leaves and a learning rate of 0.05.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

_MANNERS = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}
COLUMNS, HELD_OUT = 28, 100_000


def make_table(n_rows: int, seed: int = 0) -> pd.DataFrame:
    """The table, with ``y`` as its last column."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_rows, COLUMNS)).astype(np.float32)
    log_odds = np.zeros(n_rows)
    for i, j in rng.permutation(COLUMNS)[:20].reshape(-1, 2):
        weight = rng.normal()
        log_odds += weight * values[:, i] * values[:, j]
    for i in rng.permutation(COLUMNS)[:10]:
        log_odds += rng.normal() * np.sin(2.0 * values[:, i]) + rng.normal() * (values[:, i] > 0.5)
    happens = rng.random(n_rows) < 1.0 / (1.0 + np.exp(-log_odds))
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(COLUMNS)])
    skewed = [f"x{i}" for i in range(0, COLUMNS, 4)]
    frame[skewed] = np.exp(frame[skewed])
    return frame.assign(y=np.where(happens, "yes", "no"))


def reference(train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Print what LightGBM comes to."""
    from lightgbm import LGBMClassifier

    started = time.monotonic()
    model = LGBMClassifier(n_estimators=600, num_leaves=63, learning_rate=0.05, n_jobs=os.cpu_count(), verbose=-1)
    model.fit(train.drop(columns="y"), train["y"])
    seconds = time.monotonic() - started
    auc = roc_auc_score(test["y"], model.predict_proba(test.drop(columns="y"))[:, 1])
    print(f"LightGBM, 600 iterations: ROC AUC {auc:.4f} after {seconds:.0f} s", flush=True)


def main() -> None:
    """Make the table, fit both and print their scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--time", default="300s")
    parser.add_argument("--skip-reference", action="store_true")
    arguments, options = parser.parse_known_args()
    frame = make_table(arguments.rows + HELD_OUT)
    train, test = frame.iloc[HELD_OUT:], frame.iloc[:HELD_OUT]
    if not arguments.skip_reference:
        reference(train, test)
    with tempfile.TemporaryDirectory() as place:
        paths = Path(place) / "train.parquet", Path(place) / "test.parquet"
        train.to_parquet(paths[0])
        test.to_parquet(paths[1])
        del frame, train, test
        run = Path(place) / "run"
        command = ["mpirun", "-n", str(arguments.ranks), sys.executable, "-m", "mpi_automl", "fit", str(paths[0])]
        command += ["--target", "y", "--test", str(paths[1]), "--metric", "roc_auc", "--time", arguments.time]
        started = time.monotonic()
        subprocess.run([*command, "--out", str(run), *options], env={**os.environ, **_MANNERS}, check=True)
        print(f"mpi_automl: {time.monotonic() - started:.0f} s with start and end", flush=True)
        subprocess.run([sys.executable, "-m", "mpi_automl", "leaderboard", str(run)], check=True)


if __name__ == "__main__":
    main()
