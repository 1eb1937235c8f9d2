#!/usr/bin/env bash
# Unpacks the image of an OCI archive: its files to DIRECTORY/rootfs, and its configuration, as that
# of a runtime, to DIRECTORY/config.json. Needs no root.
# usage: tools/oci-unpack.sh ARCHIVE DIRECTORY
set -euo pipefail

usage='usage: tools/oci-unpack.sh ARCHIVE DIRECTORY'
archive=${1:?$usage} directory=${2:?$usage}
"$(dirname "${BASH_SOURCE[0]}")/install-missing.sh" umoci=umoci jq=jq

layout=$(mktemp -d)
trap 'rm -rf "$layout"' EXIT
tar --directory "$layout" --extract --file "$archive"
tag=$(jq --raw-output '.manifests[0].annotations["org.opencontainers.image.ref.name"]' \
    "$layout/index.json")
umoci unpack --rootless --image "$layout:$tag" "$directory"
