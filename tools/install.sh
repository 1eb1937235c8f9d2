#!/usr/bin/env bash
# Installs the program and the C libraries from the directory BUILT, with headers, man pages,
# completions, systemd units and documents, below PREFIX. DESTDIR is prepended to each path.
# usage: tools/install.sh PREFIX BUILT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

prefix=${1:?usage: tools/install.sh PREFIX BUILT}
built=${2:?usage: tools/install.sh PREFIX BUILT}
[[ $prefix == /* ]] || { echo "the prefix $prefix must be an absolute path" >&2; exit 2; }
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
root="${DESTDIR:-}$prefix"
libraries="$root/lib/x86_64-linux-gnu"
headers="$root/include/sgx-quote-helper"
documents="$root/share/doc/sgx-quote-helper"

# with_prefix TEMPLATE FILE: installs a file that names the prefix or the version.
with_prefix() {
    install -D --mode 644 "$1" "$2"
    sed -i "s|@prefix@|$prefix|; s|@version@|$version|" "$2"
}

install_program() {
    install -D "$built/quote-helper" "$root/bin/quote-helper"
    install -d "$root/share/man/man1" "$root/share/bash-completion/completions" \
        "$root/share/zsh/site-functions" "$root/share/fish/vendor_completions.d"
    "$built/quote-helper" man-pages "$root/share/man/man1"
    # argv[0] without a path makes the scripts call the program from PATH.
    completions() { (exec -a quote-helper "$built/quote-helper" completions "$1"); }
    completions bash >"$root/share/bash-completion/completions/quote-helper"
    completions zsh >"$root/share/zsh/site-functions/_quote-helper"
    completions fish >"$root/share/fish/vendor_completions.d/quote-helper.fish"
}

install_libraries() {
    local package name
    for package in libsgx-quote-ex libsgx-dcap-ql libdcap-quoteprov libsgx-dcap-quoteverify; do
        name=${package//-/_}
        install -D --mode 644 "$built/$name.so" "$libraries/$name.so.1.$version"
        ln -sf "$name.so.1.$version" "$libraries/$name.so.1"
        ln -sf "$name.so.1" "$libraries/$name.so"
        install -D --mode 644 --target-directory "$headers" "crates/$package/include/"*.h
        with_prefix "crates/$package/$name.pc.in" "$libraries/pkgconfig/$name.pc"
    done
    # A separate directory: they shadow Intel's headers only for programs that ask for them.
    install -D --mode 644 --target-directory "$headers/intel-names" \
        crates/libsgx-quote-ex/include/intel-names/*.h
    name=sgx-quote-helper-intel-names
    with_prefix "crates/libsgx-quote-ex/$name.pc.in" "$libraries/pkgconfig/$name.pc"
}

# systemd reads these directories below /usr and below /usr/local.
install_units() {
    local units="$root/lib/systemd/system" unit
    for unit in sgx-quote-helper.service sgx-quote-helper.socket sgx-pccs.service; do
        with_prefix "deploy/systemd/$unit.in" "$units/$unit"
    done
    install -D --mode 644 deploy/systemd/sgx-quote-helper.sysusers \
        "$root/lib/sysusers.d/sgx-quote-helper.conf"
    install -D --mode 644 deploy/systemd/sgx-quote-helper.udev \
        "$root/lib/udev/rules.d/60-sgx-quote-helper.rules"
}

# As examples, because /etc belongs to the administrator.
install_documents() {
    install -D --mode 644 --target-directory "$documents" \
        README.md LICENSE-APACHE LICENSE-MIT docs/c-libraries.md docs/systemd.md
    install -D --mode 644 --target-directory "$documents/examples" \
        deploy/config.toml deploy/systemd/sgx-pccs.env deploy/monitoring/prometheus-scrape.yaml \
        deploy/monitoring/prometheus-rules.yaml deploy/monitoring/grafana-dashboard.json
}

# compiles PROGRAM LIBRARY...: compiles a C program with the flags of pkg-config, and checks that
# the loader finds the libraries.
compiles() {
    local program=$1 flags check
    shift
    check=$(mktemp)
    flags=$(PKG_CONFIG_PATH="$libraries/pkgconfig" PKG_CONFIG_SYSROOT_DIR="${DESTDIR:-}" \
        pkg-config --cflags --libs "$@")
    # shellcheck disable=SC2086
    cc "$program" -o "$check" $flags
    LD_LIBRARY_PATH="$libraries" ldd "$check" | grep "$libraries/lib"
    rm "$check"
}

install_program
install_libraries
install_units
install_documents

# Check the installation: the program starts, and C programs find headers and libraries.
"$root/bin/quote-helper" --version
if command -v pkg-config >/dev/null; then
    compiles crates/libsgx-dcap-ql/tests/c/attest.c libsgx_quote_ex libsgx_dcap_ql
    compiles crates/libsgx-dcap-ql/tests/c/intel_names.c libsgx_dcap_ql sgx-quote-helper-intel-names
    compiles crates/libdcap-quoteprov/tests/c/provide.c libdcap_quoteprov
    compiles crates/libsgx-dcap-quoteverify/tests/c/verify.c libsgx_dcap_quoteverify
fi
