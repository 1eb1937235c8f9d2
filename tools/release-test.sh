#!/usr/bin/env bash
# Makes a release twice and checks it: all files are there and have the same bytes, checksums and
# signature are right, and a file that is changed, added or missing is refused.
# usage: [DIST=DIRECTORY] tools/release-test.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/install-missing.sh minisign=minisign
version=$(tools/version.sh)
DIST=$(tools/dist.sh)
export DIST FAST=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MINISIGN_KEY=$work/secret
minisign -GW -p "$work/public" -s "$MINISIGN_KEY" >/dev/null

fail() {
    echo "release test: $*" >&2
    exit 1
}

verifies() {
    tools/verify-release.sh "$1" "${2:-$work/public}" >/dev/null 2>&1
}

# is_refused REASON COMMAND...: the release is refused after the command in a copy of it.
is_refused() {
    local reason=$1
    shift
    rm -rf "$work/changed"
    cp --recursive "$work/first" "$work/changed"
    (cd "$work/changed" && "$@")
    ! verifies "$work/changed" || fail "accepts a release with $reason"
}

# flip FILE: changes a byte in the middle.
flip() {
    local middle=$(($(stat --format=%s "$1") / 2)) byte
    byte=$(od --address-radix=n --format=u1 --skip-bytes=$middle --read-bytes=1 "$1")
    printf "\\x$(printf %x $((byte ^ 1)))" |
        dd of="$1" bs=1 seek=$middle conv=notrunc status=none
}

has_all_files() {
    local file
    for file in BUILD NOTES.md SHA256SUMS SHA256SUMS.minisig \
        "sgx-quote-helper-$version"{-x86_64-linux.tar.gz,.oci.tar,.tgz} \
        "sgx-remote-attestation-$version.oci.tar" "sgx-quote-helper_$version-1_amd64.deb" \
        {libsgx-{quote-ex,dcap-ql,dcap-quoteverify},libdcap-quoteprov,quote-helper,remote-attestation}.cdx.json \
        sgx-{quote-helper,remote-attestation}-image.cdx.json; do
        [[ -s $work/first/$file ]] || fail "the release has no $file"
    done
}

refuses_changes() {
    local file
    for file in "$work/first"/*; do
        file=${file##*/}
        is_refused "a changed $file" flip "$file"
        is_refused "a missing $file" rm "$file"
    done
    is_refused "a file that is not listed" touch more.deb
    minisign -GW -p "$work/other-public" -s "$work/other-secret" >/dev/null
    ! verifies "$work/first" "$work/other-public" || fail "accepts the signature of another key"
}

needs_notes() {
    local changelog=$work/CHANGELOG.md
    printf '%s\n\n' '## Unreleased' '## 1.1.0, 2026-01-02' '- a line' '## 1.0.0, 2026-01-01' \
        >"$changelog"
    [[ $(tools/release-notes.sh 1.1.0 "$changelog") == '## 1.1.0, 2026-01-02'*'- a line' ]] ||
        fail "the notes of 1.1.0 are not its section"
    for title in Unreleased 1.0.0 1.1 2.0.0; do
        ! tools/release-notes.sh $title "$changelog" 2>/dev/null || fail "$title has notes"
    done
}

needs_notes
tools/release.sh "$work/first"
has_all_files
verifies "$work/first" || fail "refuses the release"
refuses_changes
tools/release.sh "$work/second" >/dev/null 2>&1
diff --recursive "$work/first" "$work/second" || fail "the second release has other bytes"
