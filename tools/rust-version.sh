#!/usr/bin/env bash
# Checks `rust-version` of Cargo.toml: no dependency declares a newer one, and the workspace
# compiles with that toolchain if it is installed. Downloads no toolchain. (Clippy's lint
# `incompatible_msrv` finds newer functions of the standard library.)
# usage: tools/rust-version.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

oldest=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
newer=$(cargo metadata --format-version 1 --locked | python3 -c '
import json, sys
version = lambda text: [int(part) for part in text.split(".")]
for package in json.load(sys.stdin)["packages"]:
    if package["rust_version"] and version(package["rust_version"]) > version(sys.argv[1]):
        print(package["name"], package["version"], "needs Rust", package["rust_version"])
' "$oldest.0")
[[ -z $newer ]] || { echo "rust-version is $oldest in Cargo.toml, but:"$'\n'"$newer" >&2; exit 1; }

if RUSTUP_AUTO_INSTALL=0 cargo "+$oldest" --version >/dev/null 2>&1; then
    cargo "+$oldest" check --locked --workspace \
        --target-dir "${CARGO_TARGET_DIR:-target}/rust-version"
else
    echo "Rust $oldest is not installed: compiled nothing with it"
fi
