"""What it costs to evaluate a trial in a process of its own, beside other ways of doing so.

For each way: the time from the decision to evaluate to the first line of fitting, and from the last
prediction to the result in the hands of the caller. The learner notes both moments itself (wall clock).

    python jobs/benchmarks/overhead.py --rows 50000 --columns 100 --trials 40

A second table gives the share of all CPU time (rank, trial server, children) that is spent in fitting, for
trials that compute for a given time; unlike the first one it hardly depends on what else the machine does.

Ways: the trial server; a fresh interpreter per trial (``python -c``, table from a shared .npy file); pynisher
(what SMAC and auto-sklearn use; here a fork of the calling process, its default on Linux).
"""

from __future__ import annotations

import argparse
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SUPPORT = Path(__file__).resolve().parents[2] / "tests" / "support"
sys.path.insert(0, str(SUPPORT))

from mpi_automl.evaluation.evaluator import Evaluator  # noqa: E402

Moments = tuple[float, float]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--trials", type=int, default=40, help="trials of the trial server; others get a fourth")
    parser.add_argument(
        "--without-fresh", action="store_true", help="leave out the fresh interpreters, which take long"
    )
    return parser.parse_args()


def trial_server(evaluator: Evaluator, setup_file: Path, notes: Path, count: int) -> list[Moments]:
    from setups import trial

    evaluator.open(setup_file)
    measured = []
    for number in range(count + 3):
        decided = time.time()
        evaluator.submit(trial(number, 0), seconds=60.0, memory=2048.0)
        while not (results := evaluator.poll(5.0)):
            continue
        received = time.time()
        assert results[0].has_cost, results[0].reason
        measured.append(noted(notes, decided, received))
    return measured[3:]  # the first trials teach the server what to import


def cpu_share(evaluator: Evaluator, directory: Path, seconds: float, options: argparse.Namespace) -> float:
    """Share of the CPU time of this process, the server and its children that trials spend in fitting."""
    from moments import Computes
    from setups import make_setup, table, trial, write_setup

    setup = make_setup(Computes(seconds), task=table(options.rows, options.columns))
    evaluator.open(write_setup(setup, directory / f"computes{seconds}"))
    count = max(5, int(4 / seconds))
    for warm_up in (True, False):
        before = cpu_of_all()
        submitted = finished = 0
        total = 3 if warm_up else count
        while finished < total:
            while submitted < total and evaluator.can_submit:
                evaluator.submit(trial(submitted, 0), seconds=60.0, memory=2048.0)
                submitted += 1
            finished += len(evaluator.poll(5.0))
    evaluator.submit(trial(0, 0), seconds=60.0, memory=2048.0)  # once it is done, all before it have been waited for
    while not evaluator.poll(5.0):
        continue
    return (count + 1) * seconds / (cpu_of_all() - before)


def cpu_of_all() -> float:
    """CPU seconds of this process, and of all below it that run or have been waited for."""
    from mpi_automl.evaluation.linux import descendants

    ticks = 0
    for pid in {os.getpid()} | descendants(os.getpid()):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def noted(notes: Path, decided: float, received: float) -> Moments:
    fitting, predicted = np.frombuffer(notes.read_bytes())
    return fitting - decided, received - predicted


def fresh_interpreter(setup_file: Path, notes: Path, count: int) -> list[Moments]:
    program = f"""
import sys
sys.path[:0] = {sys.path!r}
import pickle
from pathlib import Path
from mpi_automl.data.shared import map_packed
from mpi_automl.evaluation.evaluate import Assignment, evaluate
import numpy as np
outcome = evaluate(map_packed({str(setup_file)!r}), Assignment(np.array([0.0]), 1))
sys.stdout.buffer.write(pickle.dumps((outcome.cost, outcome.predictions)))
"""
    return [timed(lambda: pickle.loads(run(program)), notes) for _ in range(count)]  # noqa: S301  # our own output


def run(program: str) -> bytes:
    return subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE).stdout


def limited_by_pynisher(setup_file: Path, notes: Path, count: int) -> list[Moments]:
    import pynisher

    from mpi_automl.data.shared import map_packed
    from mpi_automl.evaluation.evaluate import Assignment, evaluate

    setup = map_packed(setup_file)

    def target() -> tuple[float, np.ndarray]:
        outcome = evaluate(setup, Assignment(np.array([0.0]), 1))
        return outcome.cost, outcome.predictions

    limited = pynisher.limit(target, wall_time=60, memory=(2, "gb"), context="fork")
    return [timed(limited, notes) for _ in range(count)]


def timed(call: Callable[[], object], notes: Path) -> Moments:
    decided = time.time()
    call()
    return noted(notes, decided, time.time())


def main() -> None:
    options = arguments()
    notes = Path(tempfile.mkdtemp()) / "moments"
    with Evaluator.start() as evaluator:
        from moments import NotesMoments
        from setups import make_setup, table, write_setup

        directory = Path(tempfile.mkdtemp(dir="/dev/shm"))
        setup_file = directory / "setup"
        task = table(options.rows, options.columns)
        write_setup(make_setup(NotesMoments(str(notes)), task=task), setup_file)
        fewer = max(3, options.trials // 4)
        measured = {"trial server": trial_server(evaluator, setup_file, notes, options.trials)}
        if not options.without_fresh:
            measured["fresh interpreter"] = fresh_interpreter(setup_file, notes, fewer)
        try:
            measured["pynisher"] = limited_by_pynisher(setup_file, notes, fewer)
        except ImportError:
            print("pynisher is not installed: left out")
        shares = {seconds: cpu_share(evaluator, directory, seconds, options) for seconds in (0.05, 0.2, 1.0)}
    shutil.rmtree(directory)
    show(measured, options)
    print("\nshare of all CPU time spent in fitting")
    for seconds, share in shares.items():
        print(f"trials of {seconds:4g} s {100 * share:6.1f} %")


def show(measured: dict[str, list[Moments]], options: argparse.Namespace) -> None:
    print(f"{options.rows} rows, {options.columns} columns; milliseconds: median (10 to 90 %)")
    print(f"{'':20}{'decision to fitting':>26}{'prediction to result':>26}{'sum, ratio':>14}")
    base = None
    for name, moments in measured.items():
        array = 1000 * np.array(moments)
        total = float(np.median(array.sum(axis=1)))
        base = base or total
        cells = [f"{np.median(c):.1f} ({np.quantile(c, 0.1):.1f} to {np.quantile(c, 0.9):.1f})" for c in array.T]
        print(f"{name:20}{cells[0]:>26}{cells[1]:>26}{total:8.1f}{total / base:6.1f}")


if __name__ == "__main__":
    main()
