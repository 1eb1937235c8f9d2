#!/usr/bin/env bash
# Builds the Debian packages from the program and the C libraries in DIST_DIRECTORY. The same
# binaries and tools give the same bytes. VERSION replaces that of Cargo.toml. With FAST=1 they are
# larger and sooner ready, for tests.
# usage: tools/packages.sh DIST_DIRECTORY OUTPUT_DIRECTORY [VERSION]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage='usage: tools/packages.sh DIST_DIRECTORY OUTPUT_DIRECTORY [VERSION]'
dist=$(realpath "${1:?$usage}")
output=$(realpath --canonicalize-missing "${2:?$usage}")
version=${3:-$(tools/version.sh)}
tools=${XDG_CACHE_HOME:-$HOME/.cache}/sgx-quote-helper/ci-tools
# The directory that [package.metadata.deb] of the crates names.
work=target/debian
export TZ=UTC LC_ALL=C SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
umask 022

# The files as tools/install.sh installs them, without symbols.
stage() {
    rm -rf "$work"
    mkdir -p "$work/built"
    local file
    for file in quote-helper libsgx_quote_ex.so libsgx_dcap_ql.so libdcap_quoteprov.so \
        libsgx_dcap_quoteverify.so; do
        strip --strip-unneeded --remove-section=.comment -o "$work/built/$file" "$dist/$file"
    done
    DESTDIR=$PWD/$work/root tools/install.sh /usr "$work/built" >/dev/null
}

# Intel's headers are in /usr/include, so these are, too, in the package that stands for Intel's.
forward_headers() {
    local include=$work/root/usr/include header path
    for header in "$include"/sgx-quote-helper/{,intel-names/}*.h; do
        path=${header#"$include/"}
        printf '#include <%s>\n' "$path" >"$include/${path##*/}"
    done
}

changelog() {
    printf 'sgx-quote-helper (%s-1) unstable; urgency=medium\n\n' "$version"
    printf '  * Release %s. The file changelog.gz lists the changes.\n\n' "$version"
    printf ' -- sgx-quote-helper authors <maintainers@sgx-quote-helper.example>  %s\n' \
        "$(date --rfc-email --date="@$SOURCE_DATE_EPOCH")"
}

# package CRATE [ARGUMENT...]: builds one package of the crate, and prints its path.
package() {
    "$tools/bin/cargo-deb" deb --quiet --locked --no-build --no-strip --package "$1" \
        ${FAST:+--fast} --deb-version "$version-1" --output "$output" "${@:2}"
}

# revise DEB COMMAND...: runs the command, for what cargo-deb cannot write, in the package.
revise() {
    local tree=$work/revised
    rm -rf "$tree"
    dpkg-deb --raw-extract "$1" "$tree"
    (cd "$tree" && "${@:2}")
    dpkg-deb --root-owner-group ${FAST:+-z1} --build "$tree" "$1" >/dev/null
}

# complete_library SONAME PACKAGE: writes the file by which dpkg-shlibdeps finds the package. Until
# here the library is executable, because cargo-deb finds the dependencies of such files alone.
complete_library() {
    echo "$1 1 $2" >DEBIAN/shlibs
    chmod 644 usr/lib/x86_64-linux-gnu/*.so.1.*
}

# library CRATE [ARGUMENT...]
library() {
    local deb
    deb=$(package "$@")
    revise "$deb" complete_library "${1//-/_}" "$1""1-quote-helper"
    echo "$deb"
}

# headers VARIANT SYNOPSIS: a package whose synopsis is not that of the crate.
headers() {
    local deb
    deb=$(package libsgx-quote-ex --variant "$1")
    revise "$deb" sed -i "s/^Description: .*/Description: $2/" DEBIAN/control
    echo "$deb"
}

# Every file that tools/install.sh installs is in a package. The licences are in `copyright`.
check_complete() {
    local deb missing
    for deb in "$output"/*_"$version-1"_amd64.deb; do
        dpkg-deb --contents "$deb"
    done | sed -E 's| -> .*||; s|.*/||; s|\.gz$||' | sort --unique >"$work/packaged"
    missing=$(find "$work/root/usr" ! -type d ! -name 'LICENSE-*' -printf '%f\n' |
        sort --unique | comm -23 - "$work/packaged")
    [[ -z $missing ]] || { echo "no package has ${missing//$'\n'/, }" >&2; exit 1; }
}

# One at a time, since their directory is the same.
mkdir -p target "$output"
exec 9>target/debian.lock
flock 9
tools/install-missing.sh dpkg-shlibdeps=dpkg-dev pkg-config=pkg-config
cargo install --quiet --locked --profile dev --root "$tools" cargo-deb@3.8.0
stage
forward_headers
changelog >"$work/changelog"
python3 tools/packages/copyright.py >"$work/headers.copyright"
cargo metadata --locked --format-version 1 --filter-platform x86_64-unknown-linux-gnu \
    >"$work/metadata.json"
for crate in quote-helper libsgx-quote-ex libsgx-dcap-ql libdcap-quoteprov \
    libsgx-dcap-quoteverify; do
    python3 tools/packages/copyright.py "$crate" <"$work/metadata.json" >"$work/$crate.copyright"
done
package quote-helper
library libsgx-quote-ex --variant library
library libsgx-dcap-ql
library libdcap-quoteprov
library libsgx-dcap-quoteverify
headers dev "Headers for the C libraries of SGX quotes"
headers intel-dev "Headers for SGX quotes, with the names of Intel's"
check_complete
