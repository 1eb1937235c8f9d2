#!/usr/bin/env bash
# Records the interfaces and the state of this version in tests/releases, for the tests of later
# versions. Run it at the commit of a release; docs/compatibility.md has the steps.
# usage: tools/record-release.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

directory=$PWD/tests/releases/$(tools/version.sh)
mkdir -p "$directory"
# Each test writes its part.
RECORD_RELEASE=$directory cargo test --workspace --test compatibility
echo "$directory"
