#!/usr/bin/env bash
# Builds the programs and C libraries of the release before this version, from the commit that
# tools/previous-release names, into a directory. Ends with 77 if this clone lacks the commit.
# usage: tools/previous-release.sh OUTPUT_DIRECTORY [PROFILE]
set -euo pipefail
usage='usage: tools/previous-release.sh OUTPUT_DIRECTORY [PROFILE]'
output=$(realpath --canonicalize-missing "${1:?$usage}") profile=${2:-release}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The same target directory: only the project's own crates are compiled again.
CARGO_TARGET_DIR=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR
mkdir -p "$CARGO_TARGET_DIR"
exec 9>"$CARGO_TARGET_DIR/previous-release.lock"
flock 9

files=(quote-helper remote-attestation libsgx_quote_ex.so libsgx_dcap_ql.so libdcap_quoteprov.so)
read -r version commit <tools/previous-release
built_before=$(cat "$output/release" 2>/dev/null || true)
if [[ $built_before == "$version $commit $profile" ]]; then
    exit 0
fi
if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
    echo "this clone lacks version $version, commit $commit: run git fetch --unshallow" >&2
    exit 77
fi
source=$CARGO_TARGET_DIR/source-of-previous-release
git worktree remove --force "$source" 2>/dev/null || true
git worktree add --quiet --force --detach "$source" "$commit"
trap 'git worktree remove --force "$source"' EXIT
(cd "$source" && cargo build --locked --profile "$profile")
mkdir -p "$output"
for file in "${files[@]}"; do
    cp --remove-destination "$CARGO_TARGET_DIR/${profile/#dev/debug}/$file" "$output/$file"
done
echo "$version $commit $profile" >"$output/release"
