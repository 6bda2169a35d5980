#!/usr/bin/env bash
# Stop the Slurm that start_slurm.sh started in a directory: its jobs first, then its daemons and no others.
#
#   stop_slurm.sh DIRECTORY
set -uo pipefail
export PATH=$PATH:/usr/sbin:/sbin

directory=$1
export SLURM_CONF=$directory/slurm.conf
[ -e "$SLURM_CONF" ] || exit 0

# daemons PATTERN: process ids of daemons that carry this directory in their arguments or environment.
daemons() {
    local process program
    for process in /proc/[0-9]*; do
        # By the shell itself: a command for each process of a busy host takes seconds.
        read -r program 2>/dev/null <"$process/comm" || continue
        [[ $program =~ ^($1) ]] || continue
        if tr '\0' '\n' 2>/dev/null <"$process/cmdline" | grep -qF "$directory/" ||
            tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -qxF "SLURM_CONF=$SLURM_CONF"; then
            basename "$process"
        fi
    done
}

# end PATTERN: ask politely, then not.
end() {
    local signal pids
    for signal in TERM KILL; do
        for _ in $(seq 50); do
            mapfile -t pids < <(daemons "$1")
            [ ${#pids[@]} -gt 0 ] || return 0
            kill -s "$signal" "${pids[@]}" 2>/dev/null
            sleep 0.1
        done
    done
}

if [ -n "$(daemons slurmctld)" ]; then
    timeout 10 squeue --noheader --format=%A 2>/dev/null | sort -u | xargs -r timeout 10 scancel
    for _ in $(seq 50); do
        [ -n "$(timeout 5 squeue --noheader 2>/dev/null)" ] || break
        sleep 0.2
    done
fi
end 'slurmd|slurmstepd'
end slurmctld
end munged
