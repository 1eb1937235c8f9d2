#!/usr/bin/env bash
# Builds the crypto library with a search path that has a C compiler, binutils and Rust alone: a
# dependency that needs cmake, nasm, perl or go fails here.
# usage: tools/crypto-build.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

alone=$(mktemp -d)
trap 'rm -rf "$alone"' EXIT
mkdir "$alone/bin"
for tool in cc ar as ld; do
    ln -s "$(command -v "$tool")" "$alone/bin/$tool"
done
ln -s "$(rustc --print sysroot)"/bin/{cargo,rustc} "$alone/bin/"
cargo fetch --locked --target x86_64-unknown-linux-gnu
env -i HOME="$HOME" CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" PATH="$alone/bin" \
    cargo build --offline --package aws-lc-rs --target-dir "$alone/target"
