#!/usr/bin/env bash
# Builds the container images with docker, podman or buildah, or with ENGINE: the service, its
# variant for SGX hardware, and the sample application; or only the named TARGETs of the Dockerfile.
# OPTIONS are those of the engine's `build`.
# usage: [ENGINE=NAME] tools/image.sh [TARGET...] [-- OPTION...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The client alone is not enough.
engine() {
    local engine
    for engine in ${ENGINE:-docker podman buildah}; do
        ! "$engine" info >/dev/null 2>&1 || { echo "$engine"; return; }
    done
    echo "no engine works here (${ENGINE:-docker, podman, buildah}): install one, or build" \
        "without an engine: just oci-images" >&2
    return 1
}

targets=()
while (($# > 0)) && [[ $1 != -- ]]; do
    targets+=("$1")
    shift
done
options=("${@:2}")
((${#targets[@]} > 0)) || targets=(quote-helper quote-helper-sgx remote-attestation)
engine=$(engine)
version=$(tools/version.sh)
for target in "${targets[@]}"; do
    "$engine" build --file deploy/image/Dockerfile --target "$target" --tag "sgx-$target:$version" \
        --build-arg VERSION="$version" --build-arg REVISION="$(git rev-parse HEAD)" \
        "${options[@]}" .
done
