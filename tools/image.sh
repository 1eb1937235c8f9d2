#!/usr/bin/env bash
# Builds the container images with docker or podman: the service, its variant for SGX hardware, and
# the sample application.
# usage: tools/image.sh VERSION
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=${1:?usage: tools/image.sh VERSION}
engine=$(command -v docker || command -v podman) || {
    echo "found neither docker nor podman; install one of them" >&2
    exit 1
}
for target in quote-helper quote-helper-sgx remote-attestation; do
    "$engine" build --file deploy/image/Dockerfile --target "$target" --tag "sgx-$target:$version" \
        --build-arg VERSION="$version" --build-arg REVISION="$(git rev-parse HEAD)" .
done
