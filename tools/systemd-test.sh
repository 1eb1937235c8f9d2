#!/usr/bin/env bash
# Installs a debug build into a directory, and tests its units under a real systemd in namespaces.
# Needs root. Only one at a time: two would share a tree of cgroups.
# usage: tools/systemd-test.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/install-missing.sh /lib/systemd/systemd=systemd
target=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
# Each by itself, so that features are the same as in the builds of the other tests.
for package in quote-helper libsgx-quote-ex libsgx-dcap-ql libdcap-quoteprov \
    libsgx-dcap-quoteverify; do
    cargo build --locked --package "$package"
done
rm -rf "$target/systemd-test"
DESTDIR=$target/systemd-test tools/install.sh /usr/local "$target/debug"
INSTALLED=$target/systemd-test/usr/local \
    cargo test --package quote-helper --test systemd -- --ignored --test-threads=1
