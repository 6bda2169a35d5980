"""What coordinating costs rank 0, with the messages of many ranks in real time.

    mpirun -n 2 python jobs/benchmarks/coordinator.py --ranks 1000 --trial-seconds 5 --seconds 40 --share history

Rank 0 runs the real exchange and coordinator of a job of so many ranks and serves it as often as its search loop does
(`mpi_automl.job.polling`); of its own it searches nothing. Process 1 plays all other ranks: each reports a finished
trial and the next one's start every `--trial-seconds`, and a sign of life where that leaves it silent, and takes its
bulletins.
Every message is a real one; the addresses of the played ranks are the only thing that is replaced.
Hyperparameters are as many as the classification space has, and as few of them active as in its configurations.
"""

from __future__ import annotations

import argparse
import heapq
import resource
import time

import numpy as np
from mpi4py import MPI

from mpi_automl.job.polling import pause
from mpi_automl.parallel import tags
from mpi_automl.parallel.exchange import HEARTBEAT, RootExchange
from mpi_automl.parallel.messages import Report, decode_bulletin, encode_report
from mpi_automl.parallel.world import World
from mpi_automl.trial import Origin, Status, TrialKey, TrialUpdate

HYPERPARAMETERS = 150
ACTIVE = 16
END, RESULT = 99, 98
MOST_SENDS = 5000
"""Sends that are remembered before those that are complete are forgotten."""


class Crowd:
    """A communicator whose ranks are all played by process 1."""

    def __init__(self, comm: MPI.Intracomm) -> None:
        self._comm = comm
        self._sends: list[MPI.Request] = []
        self.sent = self.sent_bytes = 0

    def Isend(  # noqa: N802  # MPI's name
        self, buffer: np.ndarray, dest: int, tag: int
    ) -> MPI.Request:
        """Send to process 1 what is meant for any rank."""
        self.sent += 1
        self.sent_bytes += buffer.nbytes
        request = self._comm.Isend(buffer, dest=1, tag=tag)
        if len(self._sends) > MOST_SENDS:
            self._sends = [open_one for open_one in self._sends if open_one != MPI.REQUEST_NULL]
        self._sends.append(request)
        return request

    def wait(self) -> None:
        """Return when process 1 has taken everything: until then the buffers may not go."""
        MPI.Request.Waitall(self._sends)

    def Improbe(  # noqa: N802  # MPI's name
        self, source: int, tag: int, status: MPI.Status
    ) -> MPI.Message | None:
        """Look for a message, as it is."""
        return self._comm.Improbe(source, tag, status)


class Inbox:
    """Bulletins for all played ranks: each rank waits for its own, and none of them for another's."""

    def __init__(self, comm: MPI.Intracomm) -> None:
        self._comm = comm
        self._open: list[tuple[MPI.Request, np.ndarray]] = []

    def arrived(self) -> list[np.ndarray]:
        """Bulletins that have come completely."""
        status = MPI.Status()
        while (message := self._comm.Improbe(0, tags.BULLETIN, status)) is not None:
            buffer = np.empty(status.Get_count(MPI.DOUBLE))
            self._open.append((message.Irecv([buffer, MPI.DOUBLE]), buffer))
        if not self._open:
            return []
        done = set(MPI.Request.Testsome([request for request, _ in self._open]) or ())
        complete = [buffer for i, (_, buffer) in enumerate(self._open) if i in done]
        self._open = [entry for i, entry in enumerate(self._open) if i not in done]
        return complete


def update(rank: int, number: int, status: Status, rng: np.random.Generator) -> TrialUpdate:
    vector = np.where(rng.random(HYPERPARAMETERS) < ACTIVE / HYPERPARAMETERS, rng.random(HYPERPARAMETERS), np.nan)
    cost = np.nan if status is Status.RUNNING else float(rng.random())
    return TrialUpdate(TrialKey(0, rank, number), status, cost, Origin.MODEL, 1.0, 5.0, vector)


def play(comm: MPI.Intracomm, ranks: int, trial_seconds: float, seconds: float) -> dict[str, float]:
    """Report for everybody but rank 0, in real time; gives how late the reports were and what came back."""
    rng = np.random.default_rng(0)
    started = time.time()
    # When each rank is next to report, and whether by a trial.
    due = [(started + trial_seconds * float(rng.random()), rank, True) for rank in range(1, ranks)]
    heapq.heapify(due)
    numbers = [0] * ranks
    sends: list[tuple[MPI.Request, np.ndarray]] = []
    inbox = Inbox(comm)
    reports, rows, bulletins, latest = 0, 0, 0, 0.0
    delays: list[float] = []
    while (now := time.time()) < started + seconds:
        while due[0][0] <= now:
            moment, rank, is_trial = heapq.heappop(due)
            latest = max(latest, now - moment)
            messages: list[tuple[TrialUpdate, ...]] = [()]
            if is_trial:
                number = numbers[rank]
                numbers[rank] += 1
                messages = [
                    (update(rank, number, Status.SUCCESS, rng),),
                    (update(rank, number + 1, Status.RUNNING, rng),),
                ]
            for trials in messages:
                buffer = encode_report(Report(rank, now, trials=trials))
                sends.append((comm.Isend(buffer, dest=0, tag=tags.REPORT), buffer))
                reports += 1
            next_trial = moment + trial_seconds if is_trial else due_trial[rank]
            if is_trial:
                due_trial[rank] = next_trial
            quiet = moment + HEARTBEAT
            heapq.heappush(due, (next_trial, rank, True) if next_trial <= quiet else (quiet, rank, False))
        sends = [(request, buffer) for request, buffer in sends if not request.Test()]
        for buffer in inbox.arrived():
            bulletins += 1
            rows += int(buffer[6])
            if bulletins % 500 == 0:
                delays.append(time.time() - decode_bulletin(buffer).sent)
        time.sleep(0.001)
    comm.send(None, dest=0, tag=END)
    while not comm.Iprobe(0, END):
        inbox.arrived()
    comm.recv(source=0, tag=END)
    for request, _ in sends:
        request.Cancel() if not request.Test() else None
    return {
        "reports": reports / seconds,
        "bulletins": bulletins / seconds,
        "rows": rows / seconds,
        "trials": sum(numbers) / seconds,
        "behind": latest,
        "delay": float(np.median(delays)) if delays else float("nan"),
    }


due_trial: dict[int, float] = {}


def coordinate(comm: MPI.Intracomm, ranks: int, share: str, trial_seconds: float) -> dict[str, float]:
    """Serve as the search loop of rank 0 does until process 1 has finished."""
    world = World(None, time.time())
    crowd = Crowd(comm)
    world.comm, world.size = crowd, ranks
    exchange = RootExchange(world, share)
    rng = np.random.default_rng(1)
    before, started, cpu = memory(), time.perf_counter(), time.process_time()
    number, longest, next_trial = 0, 0.0, time.time()
    while not comm.Iprobe(1, END):
        begun = time.perf_counter()
        trials = ()
        if time.time() > next_trial:
            next_trial += trial_seconds
            trials = (update(0, number, Status.SUCCESS, rng),)
            number += 1
        exchange.post(trials)
        exchange.serve()
        longest = max(longest, time.perf_counter() - begun)
        time.sleep(pause(trial_seconds, is_sending=exchange.is_sending))
    elapsed = time.perf_counter() - started
    comm.recv(source=1, tag=END)
    coordinator = exchange.coordinator
    facts = {
        "share": exchange.coordination_seconds / elapsed,
        "cpu": (time.process_time() - cpu) / elapsed,
        "longest": longest,
        "backlog": float(max(coordinator.backlog(peer) for peer in range(1, ranks))),
        "memory": memory() - before,
        "sent": crowd.sent / elapsed,
        "bytes": crowd.sent_bytes / elapsed,
    }
    crowd.wait()
    comm.send(None, dest=1, tag=END)
    return facts


def memory() -> float:
    """MiB that this process has occupied at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1000])
    parser.add_argument("--trial-seconds", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--share", nargs="+", default=["none", "incumbents", "history"])
    arguments = parser.parse_args()
    comm = MPI.COMM_WORLD
    if comm.size != 2:
        raise SystemExit("run this with two processes: mpirun -n 2 python jobs/benchmarks/coordinator.py")
    if comm.rank == 0:
        print(f"{HYPERPARAMETERS} hyperparameters, trials of {arguments.trial_seconds:g} s")
        print(
            f"{'ranks':>6} {'share':>11} {'of time':>8} {'of CPU':>7} {'longest':>9} {'trials/s':>9} {'reports/s':>10} "
            f"{'bulletins/s':>12} {'rows/s':>9} {'MiB/s':>7} {'delay':>8} {'not sent':>9} {'memory':>8}"
        )
    for ranks in arguments.ranks:
        for share in arguments.share:
            comm.Barrier()
            due_trial.clear()
            if comm.rank == 1:
                comm.send(play(comm, ranks, arguments.trial_seconds, arguments.seconds), dest=0, tag=RESULT)
                continue
            own = coordinate(comm, ranks, share, arguments.trial_seconds)
            played = comm.recv(source=1, tag=RESULT)
            print(
                f"{ranks:6} {share:>11} {own['share']:8.1%} {own['cpu']:7.1%} {1000 * own['longest']:6.0f} ms "
                f"{played['trials']:9.0f} {played['reports']:10.0f} {played['bulletins']:12.0f} {played['rows']:9.0f} "
                f"{own['bytes'] / 2**20:7.1f} {1000 * played['delay']:5.0f} ms {own['backlog']:9.0f} "
                f"{own['memory']:4.0f} MiB",
                flush=True,
            )
            if played["behind"] > 1.0:
                print(f"       (process 1 was up to {played['behind']:.1f} s late: this machine is too slow for it)")


if __name__ == "__main__":
    main()
