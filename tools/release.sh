#!/usr/bin/env bash
# Packs what `just install` installs below /usr into an archive in target/distrib. The same tools
# give the same bytes on every machine.
# usage: tools/release.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(tools/version.sh)
dist=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/distrib
name=sgx-quote-helper-$version-x86_64-linux
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
export TZ=UTC LC_ALL=C SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
export CARGO_TARGET_DIR=$dist/build
# Keeps the paths of this machine out of the binaries. The last prefix that matches counts.
prefixes=("$PWD=/src" "$CARGO_TARGET_DIR=/target" "${CARGO_HOME:-$HOME/.cargo}=/cargo"
    "$(rustc --print sysroot)=/rust")
export RUSTFLAGS="${prefixes[*]/#/--remap-path-prefix=}"
RUSTFLAGS+=" -C link-arg=-Wl,--build-id=none -C strip=symbols"
export CFLAGS="${prefixes[*]/#/-ffile-prefix-map=}"
umask 022
DESTDIR=$stage just install /usr
tar --directory "$stage" --create --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
    --mtime="@$SOURCE_DATE_EPOCH" usr | gzip --no-name --best >"$dist/$name.tar.gz"
{
    rustc --version --verbose
    cc --version | head -1
    ld --version | head -1
    echo "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"
} >"$dist/$name.tools"
cd "$dist"
sha256sum "$name.tar.gz" | tee "$name.sha256"
