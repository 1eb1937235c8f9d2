#!/usr/bin/env bash
# Prints the notes of a release: the section of CHANGELOG.md with this title, a version or
# `Unreleased`. Fails if there is none, or if it is empty.
# usage: tools/release-notes.sh TITLE [CHANGELOG]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

title=${1:?usage: tools/release-notes.sh TITLE [CHANGELOG]}
changelog=${2:-CHANGELOG.md}
notes=$(awk -v title="## $title" '
    /^## / { inside = $0 == title || index($0, title ", ") == 1 }
    inside' "$changelog")
if [[ $notes != *$'\n'*[^[:space:]]* ]]; then
    echo "$changelog has no notes below \"## $title\"; write that section first" >&2
    exit 1
fi
printf '%s\n' "$notes"
