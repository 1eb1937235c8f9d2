# The settings and helpers that the scripts of the test cluster share; sourced, not run.

# Several clusters can run side by side, each with its own name.
CLUSTER=${TEST_CLUSTER:-test-cluster}
# The release of Kubernetes: a directory of `kubernetes/`.
RELEASE=${TEST_CLUSTER_KUBERNETES:-1.37}
# Programs and base images, built once.
CACHE=${TEST_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sgx-quote-helper/test-cluster}
STATE=/var/lib/test-cluster/$CLUSTER
# The first two numbers of all addresses: NET.0.N for nodes, NET.N.0/24 for the pods of node N.
NET=${TEST_CLUSTER_NET:-10.$((100 + $(cksum <<<"$CLUSTER" | cut -d ' ' -f 1) % 100))}
SERVICES=$NET.128
NODES=(node-1 node-2)
KUBERNETES=$CACHE/kubernetes-$RELEASE
RUNTIME=$CACHE/runtime
ADMIN=$STATE/admin.kubeconfig
# In the nodes' view.
PROGRAMS=/run/test-cluster/kubernetes:/run/test-cluster/runtime
CONTAINERD=/run/containerd/containerd.sock

say() { printf '%s\n' "$*" >&2; }
die() {
    say "test cluster $CLUSTER: $*"
    exit 1
}

needs_root() { ((EUID == 0)) || die "needs root"; }

# number NODE: its number, from 1 on.
number() { echo "${1##*-}"; }
# The machine's end of the node's network.
link() { echo "v$(number "$1")-$CLUSTER"; }
address() { echo "$NET.0.$(number "$1")"; }

# init NODE: the process id of the node's first process, if the node runs.
init() {
    local pid
    pid=$(cat "$STATE/$1/pid" 2>/dev/null)
    [[ -n $pid && -d /proc/$pid ]] && echo "$pid"
}

# on NODE COMMAND...: runs it in the node's namespaces, with a clean environment.
on() {
    local pid
    pid=$(init "$1") || die "$1 does not run"
    shift
    nsenter --target "$pid" --mount --uts --ipc --net --pid --cgroup \
        env -i HOME=/root PATH="$PROGRAMS:$PATH" "$@"
}

# start NODE PROGRAM ARGUMENT...: starts a program of the node in the background. Its command line
# stays in /run/test-cluster/programs, for `restart`; its log is /var/log/PROGRAM.log.
start() {
    local node=$1 name
    name=$(basename "$2")
    shift
    printf '%q ' "$@" >"$STATE/$node/programs/$name"
    run_program "$node" "$name"
}

# run_program NODE NAME: by the command line with which it was started before. Its process id is
# known when this returns.
run_program() {
    # shellcheck disable=SC2016 # expanded in the node
    on "$1" bash -c '
        ulimit -n 65536 2>/dev/null
        eval "exec setsid $(<"/run/test-cluster/programs/$0")" </dev/null >>"/var/log/$0.log" 2>&1 &
        echo $! >"/run/test-cluster/programs/$0.pid"
    ' "$2"
}

# runs NODE NAME: true if the program that was started runs.
runs() {
    # shellcheck disable=SC2016
    on "$1" bash -c 'kill -0 "$(<"/run/test-cluster/programs/$0.pid")" 2>/dev/null' "$2"
}

# stop NODE NAME: by SIGTERM, then SIGKILL.
stop() {
    # shellcheck disable=SC2016
    on "$1" bash -c '
        pid=$(<"/run/test-cluster/programs/$0.pid")
        kill "$pid"
        for _ in {1..100}; do kill -0 "$pid" || exit 0; sleep 0.1; done
        kill -KILL "$pid"
    ' "$2" 2>/dev/null || true
}

# wait_for SECONDS NODE NAME WHAT COMMAND...: retries the command until it succeeds, while the
# program runs.
wait_for() {
    local limit=$((SECONDS + $1)) node=$2 name=$3 what=$4
    shift 4
    until "$@" >/dev/null 2>&1; do
        if ! runs "$node" "$name" || ((SECONDS >= limit)); then
            tail -n 25 "$STATE/$node/var/log/$name.log" >&2 || true
            die "no $what on $node; log: $STATE/$node/var/log/$name.log"
        fi
        sleep 0.2
    done
}

# import_image NODE ARCHIVE: into the node's containerd, where pods find it.
import_image() {
    local said
    said=$(on "$1" ctr --address "$CONTAINERD" --namespace k8s.io images import - <"$2" 2>&1) ||
        die "$1 does not import $2: $said"
}

admin() { "$KUBERNETES/kubectl" --kubeconfig "$ADMIN" "$@"; }
