#!/usr/bin/env bash
# Upgrades from the release before, and downgrades to it, under the load of applications. With
# PREVIOUS_RELEASE, the directory of its programs, it does not build them.
# usage: [PREVIOUS_RELEASE=DIRECTORY] tools/upgrade-test.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -z ${PREVIOUS_RELEASE:-} ]]; then
    target=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
    PREVIOUS_RELEASE=$target/previous-release
    status=0
    tools/previous-release.sh "$PREVIOUS_RELEASE" || status=$?
    if ((status == 77)); then
        echo "skipped: this clone lacks the release before" >&2
        exit 0
    fi
    ((status == 0)) || exit "$status"
fi
export PREVIOUS_RELEASE
cargo test --package quote-helper --test faults -- \
    --ignored --test-threads=1 --nocapture previous_release
