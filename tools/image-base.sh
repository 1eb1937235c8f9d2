#!/usr/bin/env bash
# Makes the file system that the images share: the C library, CA certificates and users, from the
# packages of this machine's Debian. Nothing is installed and no program of a package runs, so it
# needs no root; and it has no shell.
# usage: tools/image-base.sh DIRECTORY
#   DIRECTORY/root is the file system, DIRECTORY/packages the packages
set -euo pipefail

directory=$(realpath --canonicalize-missing "${1:?usage: tools/image-base.sh DIRECTORY}")
root=$directory/root
packages=(base-files ca-certificates libc6 libgcc-s1)

# Of the documents only the licences remain. gconv converts between character sets.
not_used=(
    etc/update-motd.d usr/lib/x86_64-linux-gnu/gconv usr/sbin/update-ca-certificates
    usr/share/{base-files,bug,ca-certificates,doc/ca-certificates/examples,lintian,man}
)

download() {
    # It holds the licence of libgcc-s1.
    packages+=("$(apt-cache depends libgcc-s1 | sed -n 's/.*Depends: \(gcc-.*-base\)$/\1/p')")
    rm -rf "$directory"
    mkdir -p "$root" "$directory/packages"
    (cd "$directory/packages" &&
        apt-get download -qq -o APT::Sandbox::User=root "${packages[@]}") >&2
}

# unpack PACKAGE: its files, and its description, where scanners of images look for packages.
unpack() {
    local name status=$root/var/lib/dpkg/status.d
    name=$(dpkg-deb --field "$1" Package)
    mkdir -p "$status"
    dpkg-deb --extract "$1" "$root"
    dpkg-deb --field "$1" >"$status/$name"
}

# The file that ca-certificates makes when it is installed.
bundle_certificates() {
    mkdir -p "$root/etc/ssl/certs"
    (cd "$root/usr/share/ca-certificates/mozilla" && LC_ALL=C && cat -- *.crt) \
        >"$root/etc/ssl/certs/ca-certificates.crt"
}

remove_unused() {
    (cd "$root" && rm -rf "${not_used[@]}")
    find "$root/usr/share/doc" -mindepth 2 ! -name copyright -delete
}

# As base-files does when it is installed.
link_run() {
    rmdir "$root/var/run" "$root/var/lock"
    ln -s /run "$root/var/run"
    ln -s /run/lock "$root/var/lock"
}

# Of the quote service (docs/kubernetes.md) and of others, without a home directory.
add_users() {
    cat >"$root/etc/passwd" <<END
root:x:0:0:root:/:/sbin/nologin
sgx-quote-helper:x:61100:61100:SGX quote service:/:/sbin/nologin
nonroot:x:65532:65532:nonroot:/:/sbin/nologin
END
    sed 's/^\([^:]*:x\):[0-9]*:\([0-9]*\):.*/\1:\2:/' "$root/etc/passwd" >"$root/etc/group"
    echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
}

umask 022
download
for package in "$directory/packages"/*.deb; do
    unpack "$package"
done
bundle_certificates
remove_unused
link_run
add_users
