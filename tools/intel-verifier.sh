#!/usr/bin/env bash
# Verifies public production quotes through Intel's Rust crate, unmodified, over our verification
# library. Needs libclang, which that crate reads the C headers with (Debian: libclang-dev).
# usage: tools/intel-verifier.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
cargo build --locked --package libsgx-dcap-quoteverify

# The two names of the library: for the linker, and at run time.
library=$target/intel-verifier/library
mkdir -p "$library"
built=$target/debug/libsgx_dcap_quoteverify.so
ln --symbolic --force "$built" "$library/libsgx_dcap_quoteverify.so"
ln --symbolic --force "$built" "$library/libsgx_dcap_quoteverify.so.1"

# The samples come with the package dcap-qvl.
samples=$(cargo metadata --locked --format-version 1 | python3 -c '
import json, os, sys
packages = json.load(sys.stdin)["packages"]
[manifest] = [each["manifest_path"] for each in packages if each["name"] == "dcap-qvl"]
print(os.path.join(os.path.dirname(manifest), "sample"))')

include=$PWD/crates
export BINDGEN_EXTRA_CLANG_ARGS="-I$include/libsgx-dcap-quoteverify/include \
-I$include/libsgx-quote-ex/include"
export CARGO_TARGET_DIR=$target/intel-verifier
export RUSTFLAGS="-L $library"
export LD_LIBRARY_PATH=$library
cargo run --locked --manifest-path tools/intel-verifier/Cargo.toml -- "$samples"
