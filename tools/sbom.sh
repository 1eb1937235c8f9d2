#!/usr/bin/env bash
# Writes a bill of materials (CycloneDX, JSON) for the program and each C library to target/distrib.
# usage: tools/sbom.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=${XDG_CACHE_HOME:-$HOME/.cache}/sgx-quote-helper/ci-tools
cargo install --quiet --locked --profile dev --root "$tools" cargo-cyclonedx@0.5.9
dist=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/distrib
mkdir -p "$dist"
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
# It writes beside the manifest of every member of the workspace, hence the copy.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar --create --exclude=./target --exclude=./.git . | tar --extract --directory "$copy"
cd "$copy"
"$tools/bin/cargo-cyclonedx" cyclonedx --format json --spec-version 1.5 --no-build-deps \
    --target x86_64-unknown-linux-gnu --override-filename sbom
for package in quote-helper libsgx-quote-ex libsgx-dcap-ql libdcap-quoteprov; do
    sed "s|file://$copy/|file:///src/|g" "crates/$package/sbom.json" >"$dist/$package.cdx.json"
    echo "$dist/$package.cdx.json"
done
