#!/usr/bin/env bash
# Builds the binaries that are shipped, with profile dist, and prints their directory. The same
# tools give the same bytes on every machine. With DIST, the directory of binaries that were built
# before, perhaps of an earlier version with fewer libraries, it builds nothing.
# usage: [DIST=DIRECTORY] tools/dist.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

programs=(quote-helper remote-attestation)
libraries=(libsgx-quote-ex libsgx-dcap-ql libdcap-quoteprov libsgx-dcap-quoteverify)
if [[ -n ${DIST:-} ]]; then
    for program in "${programs[@]}"; do
        [[ -e $DIST/$program ]] || {
            echo "DIST=$DIST has no $program" >&2
            exit 1
        }
    done
    realpath "$DIST"
    exit
fi

CARGO_TARGET_DIR=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/distrib/build
export CARGO_TARGET_DIR
# Keeps the paths of this machine out of the binaries. The last prefix that matches counts.
prefixes=("$PWD=/src" "$CARGO_TARGET_DIR=/target" "${CARGO_HOME:-$HOME/.cargo}=/cargo"
    "$(rustc --print sysroot)=/rust")
export RUSTFLAGS="${prefixes[*]/#/--remap-path-prefix=}"
RUSTFLAGS+=" -C link-arg=-Wl,--build-id=none -C strip=symbols"
export CFLAGS="${prefixes[*]/#/-ffile-prefix-map=}"
packages=("${programs[@]}" "${libraries[@]}")
cargo build --locked --profile dist "${packages[@]/#/--package=}" >&2
echo "$CARGO_TARGET_DIR/dist"
