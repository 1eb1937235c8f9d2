#!/usr/bin/env bash
# Writes the images of the service and of the sample application as OCI archives, without a
# container engine: OUTPUT/NAME-VERSION.oci.tar. The same binaries, packages of Debian and
# SOURCE_DATE_EPOCH (default: the commit's time) give the same bytes.
# usage: [DIST=DIRECTORY] tools/oci-images.sh OUTPUT [VERSION]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

output=$(realpath --canonicalize-missing "${1:?usage: tools/oci-images.sh OUTPUT [VERSION]}")
version=${2:-$(tools/version.sh)}
revision=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
dist=$(tools/dist.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

# write PROGRAM USER DESCRIPTION
write() {
    local name=sgx-$1 labels=org.opencontainers.image
    install -D --mode 644 --target-directory "$work/$1/usr/share/doc/$name" LICENSE-*
    mkdir "$work/$1/usr/bin"
    strip -o "$work/$1/usr/bin/$1" "$dist/$1"
    tools/oci-archive.sh "$name:$version" "$output/$name-$version.oci.tar" \
        "$work/base/root" "$work/$1" -- \
        --config.user "$2:$2" --config.entrypoint "/usr/bin/$1" \
        --config.label "$labels.title=$name" --config.label "$labels.description=$3" \
        --config.label "$labels.version=$version" --config.label "$labels.revision=$revision" \
        --config.label "$labels.licenses=Apache-2.0 OR MIT"
    echo "$output/$name-$version.oci.tar"
}

mkdir -p "$output"
tools/image-base.sh "$work/base"
write quote-helper 61100 "SGX quotes from one service per machine"
write remote-attestation 65532 "Two enclaves attest each other: the sample of sgx-quote-helper"
