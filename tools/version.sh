#!/usr/bin/env bash
# Prints the version of this tree, which Cargo.toml has.
# usage: tools/version.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml
