#!/usr/bin/env bash
# Starts a test cluster, loads the images of this version and the next, runs the tests that need a
# cluster, and stops it. Needs root.
# usage: tools/cluster-test.sh TESTBED      TESTBED has the scripts up, down and load-image
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

KUBE_TESTBED=$(realpath "${1:?usage: tools/cluster-test.sh TESTBED}")
trap '"$KUBE_TESTBED/down"' EXIT
KUBECONFIG=$("$KUBE_TESTBED/up" | tail -n 1)
KUBE_RUN=$(dirname "$KUBECONFIG")
PATH=${KUBE_CACHE:-/var/cache/kube-testbed}/path:$PATH
export KUBE_TESTBED KUBECONFIG KUBE_RUN
for version in 0.1.0 next; do
    tools/cluster-image.sh "$KUBE_TESTBED" "$version" dev
done
cargo test --package quote-helper --test cluster -- --ignored --test-threads=1 --nocapture
