#!/usr/bin/env bash
# Upgrades from the release before, and downgrades to it, under the load of applications.
# usage: tools/upgrade-test.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

directory=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/previous-release
status=0
tools/previous-release.sh "$directory" || status=$?
if ((status == 77)); then
    echo "skipped: the programs of the release before cannot be built" >&2
    exit 0
fi
((status == 0)) || exit "$status"
PREVIOUS_RELEASE=$directory cargo test --package quote-helper --test faults -- \
    --ignored --test-threads=1 --nocapture previous_release
