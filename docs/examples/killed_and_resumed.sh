#!/usr/bin/env bash
# A job is killed without warning, and resumes with another number of ranks.
#
#   bash killed_and_resumed.sh TABLE TARGET RUN
set -euo pipefail
table=$1 target=$2 run=$3

mpirun -n 2 mpi-automl fit "$table" --target "$target" --time 10m --out "$run" &
job=$!
until mpi-automl show "$run" --json 2>/dev/null | grep -q '"success": [1-9]'; do
    kill -0 "$job" # the job must be alive until here
    sleep 1
done
kill -KILL "$job"
wait "$job" || echo "the job was killed"
sleep 5 # its ranks notice, and end

mpi-automl verify "$run"
mpirun -n 3 mpi-automl fit --resume "$run" --time 2m --trials 2
mpi-automl show "$run"
