"""The share of its cores that a job spends in the fits of its trials, beside stock SMAC under auto-sklearn's practice.

    python jobs/benchmarks/utilisation.py --seconds 1 --time 120

Every trial computes for a given CPU time in ``fit``, counted by the trial itself, so nothing that overlaps can flatter
the figure: it is (finished trials x that CPU time) / (time from a rank's first trial to its last one), over all ranks,
each with one core. The search runs over the package's own space (tests/support/burning_space.py); trials are
those of the whole job, with search, storage, messages and models.

Stock SMAC: one process for each rank, each with a SMAC of its own and its own run history, every trial in a
process that pynisher forks, with time and memory limits: what auto-sklearn does with several workers.
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

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests" / "support"
sys.path[:0] = [str(SUPPORT), str(ROOT)]
MEMORY = 1024
LIMIT = 60


@dataclass(frozen=True)
class Use:
    """What the ranks did: finished trials, and seconds between first and last trial, summed over the ranks."""

    trials: int
    seconds: float


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU time of one trial")
    parser.add_argument("--time", type=float, default=120.0, help="wall time of a job")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--only", choices=["mpi_automl", "smac"], default=None)
    parser.add_argument("--launcher", nargs="+", default=["mpirun"], help="with its options but -n")
    parser.add_argument("--as-smac", nargs=2, metavar=("NUMBER", "SETUP"), help=argparse.SUPPRESS)
    return parser.parse_args()


def write_table(rows: int, path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(rows, 20))
    y = (X[:, :1] > 0).astype(int)
    names = ",".join([*(f"x{i}" for i in range(20)), "y"])
    np.savetxt(path, np.column_stack([X, y]), delimiter=",", header=names, comments="", fmt="%.6g")


def environment(seconds: float) -> dict[str, str]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    paths = os.pathsep.join([str(SUPPORT), str(ROOT)])
    return {**os.environ, **threads, "BURN_SECONDS": str(seconds), "PYTHONPATH": paths}


def this_package(options: argparse.Namespace, directory: Path) -> Use:
    from mpi_automl.runs.run import Run
    from mpi_automl.trial import Origin, Status

    write_table(options.rows, directory / "table.csv")
    words = f"fit table.csv --target y --time {options.time} --trial-time {LIMIT} --trial-memory {MEMORY}"
    command = [*options.launcher, "-n", str(options.ranks), sys.executable, "-m", "mpi_automl", *words.split()]
    command += ["--resampling", "holdout", "--plugins", "burning_space", "--out", "run"]
    done = subprocess.run(command, cwd=directory, env=environment(options.seconds), capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    records = Run(directory / "run").reader.records
    records = records[records["origin"] != Origin.DUMMY]
    finished = records[records["status"] == Status.SUCCESS]
    by_rank = [finished[finished["rank"] == rank] for rank in range(options.ranks)]
    return Use(len(finished), sum(own["end"].max() - own["start"].min() for own in by_rank))


def stock_smac(options: argparse.Namespace, directory: Path) -> Use:
    from setups import write_setup

    from mpi_automl.data.load import make_task
    from mpi_automl.data.resampling import make_resampling
    from mpi_automl.evaluation.setup import EvaluationSetup
    from mpi_automl.metrics.registry import get_metric
    from mpi_automl.settings import Settings
    from mpi_automl.space.space import build_space

    write_table(options.rows, directory / "table.csv")
    table = np.loadtxt(directory / "table.csv", delimiter=",", skiprows=1)
    task = make_task(table[:, :-1], table[:, -1].astype(int))
    resampling = make_resampling(task, Settings(resampling="holdout"))
    setup = EvaluationSetup(
        task, resampling, build_space(task.profile), get_metric("auto", task.type, task.schema.units)
    )
    write_setup(setup, directory / "setup")
    command = [sys.executable, __file__, "--time", str(options.time), "--as-smac"]
    processes = [
        subprocess.Popen(
            [
                "taskset",
                "-c",
                str(sorted(os.sched_getaffinity(0))[rank]),
                *command,
                str(rank),
                str(directory / "setup"),
            ],
            cwd=directory,
            env=environment(options.seconds),
            stdout=subprocess.PIPE,
        )
        for rank in range(options.ranks)
    ]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit("stock SMAC failed, see above")
    uses = [Use(**json.loads(output.splitlines()[-1])) for output in outputs]
    return Use(sum(use.trials for use in uses), sum(use.seconds for use in uses))


def smac_process(number: int, setup_file: str, seconds: float) -> None:
    """One worker; prints what it did as the last line."""
    import logging
    import warnings

    import burning_space  # noqa: F401  # plants the learner
    from smac import HyperparameterOptimizationFacade, Scenario
    from smac.runhistory import StatusType

    from mpi_automl.data.shared import map_packed
    from mpi_automl.evaluation.evaluate import Assignment, evaluate

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    setup = map_packed(setup_file)
    began = time.time()
    scenario = Scenario(
        setup.space.configspace,
        name=f"worker{number}",
        deterministic=True,
        n_trials=10**6,
        walltime_limit=seconds,
        trial_walltime_limit=LIMIT,
        trial_memory_limit=(MEMORY + 2048, "MB"),  # here libraries and table count
        seed=number,
        output_directory=Path.cwd() / "smac",
    )

    def target(config, seed: int = 0) -> float:
        return evaluate(setup, Assignment(config.get_array(), seed)).cost

    design = HyperparameterOptimizationFacade.get_initial_design(scenario, n_configs=20)
    optimiser = HyperparameterOptimizationFacade(
        scenario, target, initial_design=design, overwrite=True, logging_level=False
    )
    optimiser.optimize()
    values = [value for value in optimiser.runhistory.values() if value.endtime <= began + seconds]
    finished = [value for value in values if value.status is StatusType.SUCCESS]
    if not finished:
        sys.exit(f"no trial of SMAC's succeeded: {[value.additional_info for value in values][:1]}")
    first, last = min(value.starttime for value in finished), max(value.endtime for value in finished)
    print(json.dumps({"trials": len(finished), "seconds": last - first}), flush=True)


def main() -> None:
    options = arguments()
    if options.as_smac:
        smac_process(int(options.as_smac[0]), options.as_smac[1], options.time)
        return
    for name, measure in {"mpi_automl": this_package, "smac": stock_smac}.items():
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as directory:
                use = measure(options, Path(directory))
            share = use.trials * options.seconds / use.seconds
            print(
                f"{name:12} {options.ranks} ranks, trials of {options.seconds:g} s CPU: {use.trials} trials in "
                f"{use.seconds:.1f} s of core time, {100 * share:.1f} % in fit",
                flush=True,
            )


if __name__ == "__main__":
    main()
