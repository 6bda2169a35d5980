#!/usr/bin/env bash
# Start a private Slurm on this host: munged, slurmctld and one slurmd for each node, which all listen on
# loopback only and keep everything in one directory. Needs root, Slurm's packages and the right to make
# namespaces; neither systemd nor cgroups.
#
#   start_slurm.sh DIRECTORY [NODES [CPUS_PER_NODE [PORT]]]
#
# When every node is ready, prints the variables (NAME=VALUE) that a shell needs to submit jobs. The
# directory's path must be short (it holds Unix sockets). PORT is the first of NODES + 1 that it uses.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin

directory=$1
nodes=${2:-2}
cpus=${3:-4}
memory=$((1000 * cpus)) # MB per node
port=${4:-26817}
# Names of hosts have no underscores, which the names of temporary directories may have.
cluster=$(basename "$directory" | tr -c 'a-zA-Z0-9\n' -)
controller=$cluster-ctl
export SLURM_CONF=$directory/slurm.conf

fail() { echo "start_slurm.sh: $*" >&2; exit 1; }

fail_with_logs() {
    tail -n 5 "$directory"/log/* >&2
    fail "$@"
}

node_names() { seq -f 'n%.0f' 1 "$nodes"; }

# Slurm believes that each node is a host of its own: its name, its ports, its directories.
write_configuration() {
    cat <<CONFIGURATION
ClusterName=$cluster
SlurmctldHost=$controller(127.0.0.1)
SlurmctldPort=$port
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
CredType=cred/munge
# Requeued jobs wait until old credentials have expired: 5 s instead of two minutes.
AuthInfo=socket=$directory/munge/socket,cred_expire=5
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$directory/state
SlurmdSpoolDir=$directory/spool/%n
# PMIx keeps its files here: one place for each node, or they collide.
TmpFS=$directory/tmp/%n
SlurmctldPidFile=$directory/run/slurmctld.pid
SlurmdPidFile=$directory/run/%n.pid
SlurmctldLogFile=$directory/log/slurmctld
SlurmdLogFile=$directory/log/%n
# Neither cgroups nor as many cores as the nodes claim.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=$((memory / cpus))
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill,UsePss
AccountingStorageType=accounting_storage/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
JobRequeue=1
KillWait=5
MinJobAge=3600
ReturnToService=2
${SLURM_CONFIGURATION:-}
CONFIGURATION
    local number=0 name
    for name in $(node_names); do
        number=$((number + 1))
        echo "NodeName=$name NodeHostname=$name NodeAddr=127.0.0.1 Port=$((port + number))" \
            "CPUs=$cpus Sockets=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=$memory"
    done
    echo "PartitionName=test Nodes=$(node_names | paste -sd,) Default=YES DefaultTime=10 MaxTime=INFINITE State=UP"
}

# hosts_of NAME: the host itself is 127.0.0.1; the others get addresses that it does not take for its own.
hosts_of() {
    local name other=1
    printf '127.0.0.1 localhost\n127.0.0.1 %s\n' "$1"
    for name in $(node_names); do
        other=$((other + 1))
        [ "$name" = "$1" ] || printf '127.0.0.%d %s\n' "$other" "$name"
    done
}

# as_host NAME COMMAND...: with a host name and an /etc/hosts of its own. Ranks on two "nodes" with one
# host name would take each other for neighbours in shared memory.
as_host() {
    local name=$1
    shift
    hosts_of "$name" >"$directory/hosts.$name"
    # shellcheck disable=SC2016
    unshare --uts --mount --propagation slave sh -c \
        'hostname "$1"; mount --bind "$2" /etc/hosts; shift 2; exec "$@"' \
        sh "$name" "$directory/hosts.$name" "$@" </dev/null >>"$directory/log/start" 2>&1
}

all_ready() {
    [ "$(timeout 5 sinfo --noheader --Node --format=%T 2>/dev/null | grep -cE '^(idle|mixed|allocated)$')" = "$nodes" ]
}

# srun listens on the address of this host's name; unless that is loopback, it must be free to choose.
submitting_configuration() {
    mkdir -p "$directory/submit"
    cp "$directory/cgroup.conf" "$directory/submit/"
    sed 's/,NoInAddrAny//' "$SLURM_CONF" >"$directory/submit/slurm.conf"
    echo "$directory/submit/slurm.conf"
}

[ "$(id -u)" = 0 ] || fail "it takes root to run slurmd for others"
for program in munged slurmctld slurmd sbatch unshare; do
    command -v "$program" >/dev/null || fail "$program is not installed"
done
unshare --uts --mount --propagation slave true 2>/dev/null || fail "this host does not allow namespaces"
[ ${#directory} -lt 60 ] || fail "the path $directory is too long for the sockets in it"
[ ! -e "$SLURM_CONF" ] || fail "there is a Slurm in $directory already"

umask 022
mkdir -p "$directory"/{log,run,munge,state,spool,tmp}
chmod 700 "$directory"/{munge,state}
write_configuration >"$SLURM_CONF"
# From 23.11 on a cgroup plugin is loaded even where nothing uses it.
: >"$directory/cgroup.conf"
version=$(slurmctld -V | tr -dc '0-9.\n')
[ "$(printf '%s\n23.11\n' "$version" | sort -V | head -n 1)" != 23.11 ] || echo CgroupPlugin=disabled >"$directory/cgroup.conf"

head -c 1024 /dev/urandom >"$directory/munge/key"
chmod 400 "$directory/munge/key"
munged --force --socket="$directory/munge/socket" --key-file="$directory/munge/key" \
    --pid-file="$directory/run/munged.pid" --log-file="$directory/log/munged" \
    --seed-file="$directory/munge/seed" </dev/null >>"$directory/log/start" 2>&1 || fail_with_logs "munged did not start"
chmod 711 "$directory/munge"
as_host "$controller" slurmctld -c -f "$SLURM_CONF" || fail_with_logs "slurmctld did not start"
for node in $(node_names); do
    mkdir -p "$directory/spool/$node" "$directory/tmp/$node"
    chmod 1777 "$directory/tmp/$node"
    as_host "$node" slurmd -N "$node" -f "$SLURM_CONF" || fail_with_logs "slurmd did not start for $node"
done

deadline=$((SECONDS + 60))
while [ $SECONDS -lt $deadline ]; do
    if all_ready; then
        echo "SLURM_CONF=$(submitting_configuration)"
        # Open MPI between the nodes, which share one loopback device and fewer cores than they claim.
        printf '%s\n' OMPI_MCA_oob_tcp_if_include=lo OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_mpi_yield_when_idle=1
        printf '%s\n' OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
        exit 0
    fi
    sleep 0.2
done
fail_with_logs "the nodes did not become ready in 60 s"
