#!/usr/bin/env bash
# Builds the Debian packages from the binaries in DIST_DIRECTORY, checks them with lintian, and
# installs, uses, upgrades, removes and purges them on a Debian 12 of its own, whose systemd runs in
# namespaces. Needs root.
# usage: tools/packages-test.sh DIST_DIRECTORY
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dist=${1:?usage: tools/packages-test.sh DIST_DIRECTORY}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sgx-quote-helper
root=$cache/packages-root
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
work=$(mktemp -d)
trap 'kill "$machine" 2>/dev/null || true; rm -rf "$work"' EXIT
machine=

install_tools() {
    local tool
    for tool in mmdebstrap lintian apt-ftparchive; do
        command -v "$tool" >/dev/null || {
            apt-get update -qq
            DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -qq \
                mmdebstrap lintian apt-utils dpkg-dev >/dev/null
            return
        }
    done
}

# A Debian with systemd, and what the sample's Dockerfile also installs, once.
make_root() {
    [[ ! -d $root ]] || return 0
    rm -rf "$root.new"
    mmdebstrap --quiet --mode=root --variant=minbase \
        --include=systemd,udev,gcc,g++,libssl-dev,pkg-config \
        bookworm "$root.new" http://deb.debian.org/debian
    mv "$root.new" "$root"
}

# The same packages twice, to compare them, and those of a version before.
build_packages() {
    FAST=1 tools/packages.sh "$dist" "$work/new"
    FAST=1 tools/packages.sh "$dist" "$work/again"
    diff --recursive "$work/new" "$work/again"
    FAST=1 tools/packages.sh "$dist" "$work/old" 0.0.1
    tools/packages/stand-ins.sh "$work/intel"
}

# repository DIRECTORY: makes an apt repository of the packages in it.
repository() {
    (cd "$1" && apt-ftparchive packages . >Packages && apt-ftparchive release . >Release)
}

# Starts the machine, and prints the number of its first process.
boot() {
    mkdir "$work/local" "$work/memory"
    unshare --pid --mount --uts --ipc --cgroup --net --fork --kill-child --propagation private \
        crates/quote-helper/tests/systemd/boot.sh "$work/local" "$work/memory" "$root" &
    machine=$!
    local tries
    for tries in {1..600}; do
        init=$(cat "/proc/$machine/task/$machine/children")
        [[ -z $init ]] || ! inside systemctl is-active --quiet basic.target 2>/dev/null || return 0
        sleep 0.1
    done
    echo "the machine did not start in a minute" >&2
    exit 1
}

# inside COMMAND...: runs it in the machine.
inside() {
    nsenter --target "${init// /}" --mount --uts --ipc --net --pid --cgroup \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}

echo "== tools and root"
install_tools
make_root
echo "== build"
build_packages
echo "== lintian"
lintian --fail-on error,warning "$work"/new/*.deb
echo "== boot"
for name in new old intel; do
    repository "$work/$name"
done
boot
target=/proc/${init// /}/root/srv/packages
mkdir -p "$target"
cp -r "$work"/{new,old,intel} tools/packages/machine-test.sh crates/libsgx-dcap-ql/tests/c "$target"
inside /srv/packages/machine-test.sh "$version"
