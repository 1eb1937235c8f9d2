#!/usr/bin/env bash
# Builds the images of the service and of the sample application without a container engine, and
# loads them into the test cluster, which must be up.
# usage: [DIST=DIRECTORY] tools/cluster-image.sh [VERSION...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
for version in "${@:-$(tools/version.sh)}"; do
    tools/oci-images.sh "$directory" "$version"
done
tools/test-cluster/load-image "$directory"/*.tar
