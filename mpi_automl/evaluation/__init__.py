"""One trial: fit, predict and score in a limited child process.

Processes, each started by the one before it:

- rank: `evaluator` hands out trials and collects results (`interface`, which the simulation has as well).
- guardian: `guardian` starts the trial server, and starts it again if it was killed.
- trial server: `server` runs one trial after the other; `server_job` enforces its limits, `server_memory` measures it.
- child of one trial: `child` isolates the process, then calls `evaluate`, `fitting` and `budget`, and reports.
- all: `messages` between them, `trial_status` (what a timeout, an exception, an exit becomes), `process_tree`, `linux`.

`limits` holds the limits of a trial, `setup` what all trials of a run have in common.
"""
