#!/usr/bin/env bash
# Builds the Debian packages from the binaries in DIST_DIRECTORY, checks them with lintian, and
# installs, uses, upgrades, removes and purges them on a Debian 12 of its own, whose systemd runs in
# namespaces. The packages from which it upgrades have the binaries in PREVIOUS_RELEASE, by default
# those that tools/upgrade-test.sh has built, else the same. Needs root.
# usage: [PREVIOUS_RELEASE=DIRECTORY] tools/packages-test.sh DIST_DIRECTORY
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dist=${1:?usage: [PREVIOUS_RELEASE=DIRECTORY] tools/packages-test.sh DIST_DIRECTORY}
version=$(tools/version.sh)
read -r previous_version _ <tools/previous-release
previous=${PREVIOUS_RELEASE:-${CARGO_TARGET_DIR:-target}/previous-release}
[[ -e $previous/release || -n ${PREVIOUS_RELEASE:-} ]] || previous=$dist
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sgx-quote-helper
root=$cache/packages-root
work=$(mktemp -d)
trap 'kill "$machine" 2>/dev/null || true; rm -rf "$work"' EXIT
machine=

# A Debian with systemd, and what the sample's Dockerfile also installs, once.
make_root() {
    [[ ! -d $root ]] || return 0
    rm -rf "$root.new"
    mmdebstrap --quiet --mode=root --variant=minbase \
        --include=systemd,udev,gcc,g++,libssl-dev,pkg-config \
        bookworm "$root.new"
    mv "$root.new" "$root"
}

# The same packages twice, to compare them, and those of the release before.
build_packages() {
    export FAST=1
    tools/packages.sh "$dist" "$work/new"
    tools/packages.sh "$dist" "$work/again" >/dev/null
    diff --recursive "$work/new" "$work/again"
    # A library that the release before did not have stands in its packages, too.
    mkdir "$work/previous"
    cp "$dist/libsgx_dcap_quoteverify.so" "$work/previous"
    cp "$previous"/* "$work/previous"
    tools/packages.sh "$work/previous" "$work/old" "$previous_version" >/dev/null
    tools/packages/stand-ins.sh "$work/intel"
}

# repository DIRECTORY: makes an apt repository of the packages in it.
repository() {
    (cd "$1" && apt-ftparchive packages . >Packages && apt-ftparchive release . >Release)
}

# Starts the machine, whose first process is then `init`.
boot() {
    mkdir "$work/local" "$work/memory"
    unshare --pid --mount --uts --ipc --cgroup --net --fork --kill-child --propagation private \
        crates/quote-helper/tests/systemd/boot.sh "$work/local" "$work/memory" "$root" &
    machine=$!
    for _ in {1..600}; do
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
tools/install-missing.sh mmdebstrap=mmdebstrap lintian=lintian apt-ftparchive=apt-utils
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
inside /srv/packages/machine-test.sh "$previous_version" "$version"
