#!/usr/bin/env bash
# Writes bills of materials (CycloneDX, JSON) to OUTPUT: one for each program and C library, and one
# for each OCI archive in OUTPUT, with the Debian packages that it holds.
# usage: tools/sbom.sh OUTPUT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

output=$(realpath --canonicalize-missing "${1:?usage: tools/sbom.sh OUTPUT}")
tools=${XDG_CACHE_HOME:-$HOME/.cache}/sgx-quote-helper/ci-tools
version=$(tools/version.sh)
checkout=$PWD
cargo install --quiet --locked --profile dev --root "$tools" cargo-cyclonedx@0.5.9
mkdir -p "$output"
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
# It writes beside the manifest of every member of the workspace, hence the copy.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar --create --exclude=./target --exclude=./.git . | tar --extract --directory "$copy"
cd "$copy"
"$tools/bin/cargo-cyclonedx" cyclonedx --format json --spec-version 1.5 --no-build-deps \
    --target x86_64-unknown-linux-gnu --override-filename sbom

# image PROGRAM: the bill of the image of a program, if OUTPUT has that image.
image() {
    local archive
    archive=$output/sgx-$1-$version.oci.tar
    [[ ! -e $archive ]] || "$checkout/tools/image-sbom.sh" "$archive" "$output/$1.cdx.json" \
        >"$output/sgx-$1-image.cdx.json"
}

for package in quote-helper remote-attestation libsgx-quote-ex libsgx-dcap-ql libdcap-quoteprov \
    libsgx-dcap-quoteverify; do
    sed "s|file://$copy/|file:///src/|g" "crates/$package/sbom.json" >"$output/$package.cdx.json"
done
image quote-helper
image remote-attestation
ls "$output"/*.cdx.json
