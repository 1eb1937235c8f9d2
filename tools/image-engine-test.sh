#!/usr/bin/env bash
# Builds the images with buildah from the Dockerfile, without a registry: on the base of
# tools/image-base.sh, and with a `cargo` that copies the binaries of DIST. Needs root.
# usage: [DIST=DIRECTORY] tools/image-engine-test.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/install-missing.sh buildah=buildah jq=jq
version=$(tools/version.sh)
dist=$(tools/dist.sh)
work=$(mktemp -d)
export CONTAINERS_STORAGE_CONF=$work/storage.conf
trap 'rm -rf "$work"' EXIT

# A store of its own, which is a plain directory.
printf '[storage]\ndriver = "vfs"\ngraphroot = "%s"\nrunroot = "%s"\n' "$work/images" "$work/run" \
    >"$CONTAINERS_STORAGE_CONF"

# make_builder: the base with a shell, `install`, `cp`, and `cargo`.
make_builder() {
    mkdir -p "$work/packages" "$work/tools/dist" "$work/tools/usr/bin"
    (cd "$work/packages" && apt-get download -qq -o APT::Sandbox::User=root dash coreutils \
        libacl1 libattr1 libgmp10 libpcre2-8-0 libselinux1)
    for package in "$work/packages"/*.deb; do
        dpkg-deb --extract "$package" "$work/tools"
    done
    ln -sf dash "$work/tools/bin/sh"
    cp "$dist"/{quote-helper,remote-attestation,libdcap_quoteprov.so} "$work/tools/dist"
    printf '#!/bin/sh\nmkdir -p target/dist\ncp /dist/* target/dist/\n' >"$work/tools/usr/bin/cargo"
    chmod +x "$work/tools/usr/bin/cargo"
}

# is_built PROGRAM USER: the image has the entry point, the user and the version, and runs.
is_built() {
    local image=localhost/sgx-$1:$version container
    buildah inspect --type image "$image" | jq --exit-status --arg user "$2:$2" \
        --arg program "/usr/bin/$1" --arg version "$version" '.OCIv1.config
        | .User == $user and .Entrypoint == [$program]
        and .Labels["org.opencontainers.image.version"] == $version' >/dev/null
    container=$(buildah from "$image")
    buildah run --isolation chroot "$container" -- "/usr/bin/$1" --version
}

tools/image-base.sh "$work/base"
make_builder
tools/oci-archive.sh base:test "$work/base.tar" "$work/base/root"
tools/oci-archive.sh builder:test "$work/builder.tar" "$work/base/root" "$work/tools"
buildah --version
ENGINE=buildah tools/image.sh quote-helper remote-attestation -- --isolation chroot --quiet \
    --build-arg BASE_IMAGE="oci-archive:$work/base.tar" \
    --build-arg RUST_IMAGE="oci-archive:$work/builder.tar"
is_built quote-helper 61100
is_built remote-attestation 65532
