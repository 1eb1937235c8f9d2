#!/usr/bin/env bash
# Prints the bill of materials (CycloneDX, JSON) of the image in an OCI archive: that of its
# program, and the Debian packages that the image describes.
# usage: tools/image-sbom.sh ARCHIVE PROGRAM_BILL
set -euo pipefail

usage='usage: tools/image-sbom.sh ARCHIVE PROGRAM_BILL'
archive=${1:?$usage} bill=${2:?$usage}
image=$(mktemp -d)
trap 'rm -rf "$image"' EXIT
"$(dirname "${BASH_SOURCE[0]}")/oci-unpack.sh" "$archive" "$image/bundle"
rootfs=$image/bundle/rootfs
os_release() { sed -n "s/^$1=//p" "$rootfs/usr/lib/os-release" | tr -d '"'; }

for package in "$rootfs"/var/lib/dpkg/status.d/*; do
    for field in Package Version Architecture; do
        sed -n "s/^$field: //p" "$package"
    done | paste - - -
done |
    jq --raw-input --null-input --slurpfile bill "$bill" \
        --argjson labels "$(jq .annotations "$image/bundle/config.json")" \
        --arg id "$(os_release ID)" --arg release "$(os_release VERSION_ID)" '
        [inputs | split("\t") | {
            type: "library", name: .[0], version: .[1],
            purl: "pkg:deb/\($id)/\(.[0])@\(.[1] | @uri)?arch=\(.[2])&distro=\($id)-\($release)"
        }] as $packages
        | $bill[0]
        | .components += $packages
        | .metadata.component.type = "container"
        | .metadata.component.name = $labels["org.opencontainers.image.title"]
        | .metadata.component.version = $labels["org.opencontainers.image.version"]'
