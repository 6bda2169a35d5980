"""Kills writing jobs at random moments, many times, and counts what was lost.

    python tests/campaigns/store_kills.py --rounds 100 --ranks 4

Each round starts a job under mpirun that does nothing but write trials, kills a rank, all ranks or
the launcher after a random time (also while the file is being laid out), reads what is left with
serial h5py, and compares every trial with what was written.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from launching import Launcher
from store_killing import VICTIMS, WRITER, Aftermath, aftermath, announced, kill, layouts

from mpi_automl.storage import schema


def one_round(
    launcher: Launcher, directory: Path, ranks: int, layout: str, victim: str, delay: float, early: bool, mpi: str
) -> Aftermath:
    place = directory / "announced"
    options = ["--layout", layout, "--keep", "3", "--room", "200", "--announce", place]
    awaited = schema.store_directory(directory) if early else schema.main_file(directory, 0)
    with launcher.start(ranks, "python", WRITER, directory, "0", "10000000", *options, mpi=mpi) as job:
        limit = time.monotonic() + 60
        while not awaited.exists() and job.process.poll() is None and time.monotonic() < limit:
            time.sleep(0.002)
        time.sleep(delay)
        kill(job, victim, which=random.randrange(ranks))
        with redirect_stdout(StringIO()):
            job.wait(30)
    return aftermath(directory, announced(place))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--longest", type=float, default=1.0, help="seconds of writing before the kill, at most")
    parser.add_argument("--mpi", default="debian")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    launcher, totals, bad = Launcher(), Counter(), []
    for number in range(arguments.rounds):
        layout, victim = random.choice(layouts()), random.choice(VICTIMS)
        early = random.random() < 0.25
        delay = random.uniform(0, 0.1 if early else arguments.longest)
        directory = Path(tempfile.mkdtemp(prefix="store_kills_"))
        found = one_round(launcher, directory, arguments.ranks, layout, victim, delay, early, arguments.mpi)
        totals.update(
            rounds=1,
            announced=found.announced,
            found=found.found,
            lost=len(found.lost),
            problems=len(found.problems),
            nothing=int(found.announced == 0),
        )
        totals.update({f"{layout}, {victim}{', while laid out' if early else ''}": 1})
        if found.lost or found.problems:
            bad.append((number, layout, victim, delay, directory, found))
            print(bad[-1], flush=True)
        else:
            shutil.rmtree(directory)
        if (number + 1) % 10 == 0:
            print(f"{number + 1} rounds: {totals['announced']} trials, {totals['lost']} lost", flush=True)
    for name, count in totals.items():
        print(f"{name:30} {count}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
