#!/usr/bin/env bash
# Checks the OCI archives, on Debian 12: two builds have the same bytes, and size, files, users and
# packages are those that docs/image.md promises. WRITE_FILES=1 writes the lists of files anew.
# usage: [DIST=DIRECTORY] tools/image-test.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(tools/version.sh)
DIST=$(tools/dist.sh)
export DIST
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "image: $*" >&2
    exit 1
}

# is_small NAME MEBIBYTES: the archive's size is below the limit.
is_small() {
    local size
    size=$(stat --format=%s "$work/first/$1-$version.oci.tar")
    echo "$1: archive $((size / 1024)) KiB, files $(du -sk "$work/$1/rootfs" | cut -f 1) KiB"
    ((size <= $2 << 20)) || fail "the archive of $1 is larger than $2 MiB"
}

# holds_its_files NAME: no file is added or missing, none belongs to a shell, none gives privileges.
holds_its_files() {
    local rootfs=$work/$1/rootfs list=deploy/image/$1.files
    (cd "$rootfs" && find . ! -type d -printf '%P\n' | LC_ALL=C sort) >"$work/$1.files"
    [[ -z ${WRITE_FILES:-} ]] || cp "$work/$1.files" "$list"
    diff "$list" "$work/$1.files" || fail "$1 has other files than $list"
    local wrong
    wrong=$(find "$rootfs" -type f -perm /6000 -o ! -type l -perm -o+w ! -perm -1000)
    [[ -z $wrong ]] || fail "$1 has files that give privileges or that all can write: $wrong"
    (($(grep --count BEGIN "$rootfs/etc/ssl/certs/ca-certificates.crt") > 100)) ||
        fail "$1 has too few CA certificates"
    (($(find "$rootfs/var/lib/dpkg/status.d" -type f | wc -l) == 5)) ||
        fail "$1 does not describe its packages"
}

# is_labelled NAME USER: the configuration has user, program, version and commit.
is_labelled() {
    jq --exit-status --argjson user "$2" --arg program "/usr/bin/${1#sgx-}" \
        --arg version "$version" --arg revision "$(git rev-parse HEAD)" '
        .process.user.uid == $user and .process.user.gid == $user
        and .process.args == [$program]
        and .annotations["org.opencontainers.image.version"] == $version
        and .annotations["org.opencontainers.image.revision"] == $revision' \
        "$work/$1/config.json" >/dev/null || fail "$1 has another configuration"
}

# runs NAME USER ARGUMENT...: the program works with the image's files alone. Needs root.
runs() {
    local name=$1 user=$2
    shift 2
    ((EUID != 0)) || chroot --userspec="$user:$user" "$work/$name/rootfs" \
        "/usr/bin/${name#sgx-}" "$@" >/dev/null || fail "$name does not run: $*"
}

for run in first second; do
    tools/oci-images.sh "$work/$run" >/dev/null
done
diff --recursive "$work/first" "$work/second" || fail "the second build has other bytes"
for image in sgx-quote-helper:61100:20 sgx-remote-attestation:65532:8; do
    IFS=: read -r name user limit <<<"$image"
    tools/oci-unpack.sh "$work/first/$name-$version.oci.tar" "$work/$name"
    is_small "$name" "$limit"
    holds_its_files "$name"
    is_labelled "$name" "$user"
    runs "$name" "$user" --version
done
runs sgx-quote-helper 61100 demo
