#!/usr/bin/env bash
# Runs the tests that need a Kubernetes cluster: on test clusters that it starts, which needs root;
# or on the cluster of KUBECONFIG, with the images that IMAGE, NEXT_IMAGE and SAMPLE_IMAGE name.
# usage: tools/cluster-test.sh [TEST...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

. tools/test-cluster/lib.sh

run_tests() {
    cargo test --package quote-helper --test cluster -- \
        --ignored --test-threads=1 --nocapture "$@"
}

# Loads the image of the release before, if that can be built, for the test that upgrades from it.
use_previous_release() {
    local version directory=${PREVIOUS_RELEASE:-} status=0
    if [[ -z $directory ]]; then
        directory=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/previous-release
        tools/previous-release.sh "$directory" || status=$?
        ((status != 77)) || return 0
        ((status == 0)) || return "$status"
    fi
    read -r version _ <tools/previous-release
    DIST=$directory tools/cluster-image.sh "$version"
    export PREVIOUS_RELEASE=$directory PREVIOUS_IMAGE=sgx-quote-helper:$version
}

# on_own_cluster NAME ARGUMENT...: runs tests on a test cluster of this name.
on_own_cluster() (
    export TEST_CLUSTER=$1
    shift
    trap tools/test-cluster/down EXIT
    KUBECONFIG=$(tools/test-cluster/up)
    export KUBECONFIG
    # For kubectl.
    PATH=$KUBERNETES:$PATH
    # The same content with two versions, for updates.
    tools/cluster-image.sh "$(tools/version.sh)" next
    use_previous_release
    run_tests "$@"
)

# Half of the tests on each of two clusters, since most of their time is waiting.
on_two_clusters() {
    local output parts part failed=0
    output=$(mktemp)
    tools/test-cluster/build
    DIST=$(tools/dist.sh)
    export DIST
    cargo test --package quote-helper --test cluster --no-run
    local half=(chart:: admission:: device_plugin::)
    on_own_cluster "$CLUSTER" "${half[@]/#/--skip=}" &
    parts=("$!")
    on_own_cluster "${CLUSTER:0:10}-2" "${half[@]}" >"$output" 2>&1 &
    parts+=("$!")
    # Also if this script is interrupted.
    trap 'kill "${parts[@]}" 2>/dev/null || true' EXIT
    for part in "${parts[@]}"; do
        wait "$part" || failed=1
    done
    trap - EXIT
    cat "$output"
    rm "$output"
    return "$failed"
}

if [[ -n ${KUBECONFIG:-} ]]; then
    : "${IMAGE:?name an image of quote-helper that the nodes of this cluster can run}"
    : "${NEXT_IMAGE:?name another image of quote-helper, for updates}"
    : "${SAMPLE_IMAGE:?name an image of the sample application}"
    # The skipped tests run programs on a node, load images, or restart parts of the cluster.
    run_tests --skip device_plugin:: --skip attacks:: --skip everything_is_replaced \
        --skip its_volume "$@"
elif (($# > 0)); then
    on_own_cluster "$CLUSTER" "$@"
else
    on_two_clusters
fi
