#!/usr/bin/env bash
# Makes a release in the directory OUTPUT, which must be empty or absent: docs/release.md lists its
# files. MINISIGN_KEY, a secret key of minisign, signs the checksums. At a tag vVERSION the
# changelog must have the section of that version.
# usage: [DIST=DIRECTORY] [MINISIGN_KEY=FILE] tools/release.sh OUTPUT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

output=$(realpath --canonicalize-missing "${1:?usage: tools/release.sh OUTPUT}")
version=$(tools/version.sh)
name=sgx-quote-helper-$version
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
export TZ=UTC LC_ALL=C SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
umask 022

refuse() {
    echo "release: $*" >&2
    exit 1
}

# Prints the section of the changelog; between releases, that of the next one.
notes() {
    local tag
    tag=$(git tag --points-at HEAD 'v*')
    if [[ -n $tag ]]; then
        [[ $tag == "v$version" ]] || refuse "the tag is $tag, but Cargo.toml has $version"
        [[ -z $(git status --porcelain) ]] || refuse "the tree has changes that are not committed"
        tools/release-notes.sh "$version"
    else
        tools/release-notes.sh "$version" 2>/dev/null || tools/release-notes.sh Unreleased
    fi
}

# Everything that `just install` installs below /usr.
archive() {
    DESTDIR=$stage tools/install.sh /usr "$DIST"
    tar --directory "$stage" --create --sort=name --format=gnu --owner=0 --group=0 \
        --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" usr |
        gzip --no-name --best >"$output/$name-x86_64-linux.tar.gz"
}

# The tools on which the bytes depend, and the images' digests.
build_record() {
    local image
    rustc --version --verbose
    cc --version | head -1
    ld --version | head -1
    echo "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"
    for image in "$output"/*.oci.tar; do
        echo "$(basename "$image") $(tar --extract --to-stdout --file "$image" ./index.json |
            jq --raw-output '.manifests[0].digest')"
    done
}

sums() {
    (cd "$output" && find . -type f ! -name SHA256SUMS -printf '%P\n' | sort | xargs sha256sum) \
        >"$stage/SHA256SUMS"
    mv "$stage/SHA256SUMS" "$output/"
}

sign() {
    if [[ -z ${MINISIGN_KEY:-} ]]; then
        echo "release: unsigned, because MINISIGN_KEY names no secret key" >&2
        return
    fi
    tools/install-missing.sh minisign=minisign
    minisign -S -s "$MINISIGN_KEY" -m "$output/SHA256SUMS" -t "sgx-quote-helper $version" >&2
}

mkdir -p "$output"
[[ -z $(ls -A "$output") ]] || refuse "$output is not empty"
notes >"$output/NOTES.md"
DIST=$(tools/dist.sh)
export DIST
archive >&2
tools/oci-images.sh "$output" >&2
tools/packages.sh "$DIST" "$output" >&2
tools/chart-package.sh "$output" >&2
tools/sbom.sh "$output" >&2
build_record >"$output/BUILD"
sums
sign
ls "$output"
