#!/usr/bin/env bash
# Runs the tests that need a Kubernetes cluster: on a test cluster that it starts, which needs root;
# or on the cluster of KUBECONFIG, with the images that IMAGE, NEXT_IMAGE and SAMPLE_IMAGE name.
# usage: tools/cluster-test.sh [TEST...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

. tools/test-cluster/lib.sh

skip=()
if [[ -z ${KUBECONFIG:-} ]]; then
    trap tools/test-cluster/down EXIT
    KUBECONFIG=$(tools/test-cluster/up)
    export KUBECONFIG
    # For kubectl.
    PATH=$KUBERNETES:$PATH
    for version in 0.1.0 next; do
        tools/cluster-image.sh "$version" dev
    done
else
    : "${IMAGE:?name an image of quote-helper that the nodes of this cluster can run}"
    : "${NEXT_IMAGE:?name another image of quote-helper, for updates}"
    : "${SAMPLE_IMAGE:?name an image of the sample application}"
    # They run programs on a node, load images, or restart parts of the cluster.
    skip=(--skip device_plugin:: --skip attacks:: --skip everything_is_replaced --skip its_volume)
fi
cargo test --package quote-helper --test cluster -- --ignored --test-threads=1 --nocapture \
    "${skip[@]}" "$@"
