"""Faults in real jobs at random moments, many times, and what they cost.

    python tests/campaigns/faults.py --faults 200 --results faults.jsonl

A run is begun by 4 ranks, and a fault strikes: a rank, all ranks, mpirun, a trial's child or the trial server is
killed, a signal to stop comes, or the disk (a small tmpfs, as root) gets full. What is left is checked and shown, then
another number of ranks goes on and is struck too, then 4 ranks again, and a last leg of another number of ranks ends
the run. Every leg is a line in the file of results; the campaign goes on from there when it is started again, and ends
when enough legs of 4 ranks have been struck.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from job_faults import DISK, HARMLESS, KILLS, SIGNALS, Fault, StruckRun, can_mount, small_disk
from launching import MPIS, Launcher, find_environment
from store_killing import layouts

_RANKS = (4, (1, 2, 3, 5))
_FAULTS_OF_A_RUN = 3
_LONGEST_DELAY = 6.0


def layouts_of(mpi: str) -> list[str]:
    """Layouts that the h5py beside an MPI can write."""
    return layouts() if mpi == "debian" else ["per-rank"]


def draw(rng: random.Random, victims: tuple[str, ...], number: int, mpi: str) -> Fault:
    """A fault at a random moment; every other leg has 4 ranks."""
    ranks = _RANKS[0] if number % 2 == 0 else rng.choice(_RANKS[1])
    return Fault(rng.choice(victims), rng.uniform(0, _LONGEST_DELAY), ranks, rng.choice(layouts_of(mpi)))


def one_run(rng: random.Random, mpi: str, results: Path, ends_at: float) -> None:
    """Strike a run several times and let it end; a run without problems is removed."""
    directory = Path(tempfile.mkdtemp(prefix="faults_"))
    on_small_disk = can_mount() and rng.random() < 0.25
    disk = small_disk(directory / "disk") if on_small_disk else nullcontext(directory)
    victims = (*KILLS, *HARMLESS, *SIGNALS, *(DISK * 4 if on_small_disk else ()))
    bad = False
    with disk as place:
        run = StruckRun(Launcher(), place, mpi, rng)
        for number in range(_FAULTS_OF_A_RUN):
            fault = draw(rng, victims, number, mpi)
            found = run.strike(fault)
            bad |= note(results, mpi, asdict(fault), asdict(found))
            if time.monotonic() > ends_at:
                break
        found = run.finish(rng.choice(_RANKS[1]))
        bad |= note(results, mpi, {"victim": "(last leg)"}, asdict(found))
    if not bad:
        shutil.rmtree(directory)


def note(results: Path, mpi: str, fault: dict[str, object], found: dict[str, object]) -> bool:
    """Write a line of results; gives whether anything went wrong."""
    with results.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"mpi": mpi, **fault, **found}) + "\n")
    print(mpi, fault, found, flush=True)
    return bool(found["lost"] or found["problems"])


def read(results: Path) -> list[dict[str, object]]:
    """Lines of results so far."""
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()] if results.exists() else []


def struck(lines: list[dict[str, object]]) -> int:
    """Legs of 4 ranks that met a fault."""
    return sum(line.get("ranks") == _RANKS[0] for line in lines)


def table(lines: list[dict[str, object]], by: str) -> str:
    """Counts for each value of a field, as Markdown."""
    counts: dict[object, Counter[str]] = {}
    for line in lines:
        hangs = sum(str(problem).startswith("hang") for problem in line["problems"])
        counts.setdefault(line.get(by, ""), Counter()).update(
            legs=1, lost=line["lost"], hangs=hangs, other=len(line["problems"]) - hangs
        )
    rows = [f"| {by} | legs | lost trials | hangs | other problems |", "|---|---|---|---|---|"]
    for value, count in sorted(counts.items(), key=lambda item: str(item[0])):
        rows.append(f"| {value} | {count['legs']} | {count['lost']} | {count['hangs']} | {count['other']} |")
    return "\n".join(rows)


def main() -> None:
    """Go on with the campaign; the exit status is 1 when anything went wrong so far."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=200, help="legs of 4 ranks to be struck in all")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no fault after so many seconds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=Path("faults.jsonl"))
    arguments = parser.parse_args()
    ends_at = time.monotonic() + arguments.seconds
    mpis = [mpi for mpi in MPIS if find_environment(mpi)]
    while struck(lines := read(arguments.results)) < arguments.faults and time.monotonic() < ends_at:
        rng = random.Random(f"{arguments.seed} {len(lines)}")
        one_run(rng, rng.choice(mpis), arguments.results, ends_at)
    lines = read(arguments.results)
    for by in ("victim", "mpi", "layout", "ranks"):
        print(table(lines, by), end="\n\n")
    slowest = max((float(line.get("searched_on", 0.0)) for line in lines if "ranks" in line), default=0.0)
    print(f"{struck(lines)} legs of {_RANKS[0]} ranks were struck")
    print(f"{slowest:.1f} s at most from a signal to the end of the last trial")
    print(f"{sum(int(line['committed']) for line in lines)} times a committed trial was looked for")
    sys.exit(1 if any(line["lost"] or line["problems"] for line in lines) else 0)


if __name__ == "__main__":
    main()
