"""Faults in real jobs at random moments, many times, and what they cost.

    python tests/campaigns/faults.py --runs 200

Each run starts a job of 4 ranks; at a random moment one rank, all ranks, mpirun, a trial's child or the trial server is
killed, or the disk (a small tmpfs, as root) gets full. Then the run is checked, shown, and gone on with by another
number of ranks.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from job_faults import FULL_DISK, KILLS, Fault, Found, can_mount, draw, small_disk, strike_and_go_on
from launching import MPIS, Launcher
from store_killing import layouts


def one_run(launcher: Launcher, fault: Fault, mpi: str, rng: random.Random) -> tuple[Found, Path]:
    """Strike once; a run without problems is removed."""
    directory = Path(tempfile.mkdtemp(prefix="faults_"))
    if fault.victim == FULL_DISK:
        with small_disk(directory / "disk") as disk:
            return strike_and_go_on(launcher, disk, fault, mpi, rng), directory
    return strike_and_go_on(launcher, directory, fault, mpi, rng), directory


def main() -> None:
    """Run the campaign; the exit status is 1 when anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mpi", default="debian", choices=MPIS)
    parser.add_argument("--pause-while", type=Path, help="wait before each run while this file exists")
    arguments = parser.parse_args()
    rng, launcher = random.Random(arguments.seed), Launcher()
    victims = (*KILLS, FULL_DISK) if can_mount() else KILLS
    store_layouts = layouts() if arguments.mpi == "debian" else ["per-rank"]
    table: dict[str, Counter[str]] = {victim: Counter() for victim in victims}
    for number in range(arguments.runs):
        while arguments.pause_while is not None and arguments.pause_while.exists():
            time.sleep(2)
        fault = draw(rng, victims, store_layouts)
        found, directory = one_run(launcher, fault, arguments.mpi, rng)
        hangs = sum("hang" in problem for problem in found.problems)
        table[fault.victim].update(
            runs=1,
            committed=found.committed,
            lost=found.lost,
            hangs=hangs,
            other=len(found.problems) - hangs,
            early=int(not found.committed),
        )
        print(f"{number} {fault} {found}", flush=True)
        if found.lost or found.problems:
            print(f"kept: {directory}", flush=True)
        else:
            shutil.rmtree(directory)
    names = ("runs", "early", "committed", "lost", "hangs", "other")
    print("".join(f"{name:>14}" for name in ("fault", *names)))
    for victim, counts in table.items():
        print(f"{victim:>14}" + "".join(f"{counts[name]:>14}" for name in names))
    bad = sum(counts["lost"] + counts["hangs"] + counts["other"] for counts in table.values())
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
