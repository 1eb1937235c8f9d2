#!/usr/bin/env bash
# The tests of the Debian packages, inside the machine that tools/packages-test.sh starts, which has
# the repositories old, new and intel in /srv/packages.
# usage: machine-test.sh OLD_VERSION NEW_VERSION
set -euo pipefail
usage='usage: machine-test.sh OLD_VERSION NEW_VERSION'
old_version=${1:?$usage}-1 version=${2:?$usage}-1
cd /srv/packages
export DEBIAN_FRONTEND=noninteractive SGX_AESM_ADDR=1

service=sgx-quote-helper.service
libraries=(libsgx-quote-ex1-quote-helper libsgx-dcap-ql1-quote-helper
    libdcap-quoteprov1-quote-helper libsgx-dcap-quoteverify1-quote-helper)

fail() {
    echo "FAILED: $*" >&2
    journalctl --no-pager --quiet --unit 'sgx-*' | tail -20 >&2
    exit 1
}

# repositories NAME...: apt sees these repositories alone, the last first.
repositories() {
    printf 'deb [trusted=yes] file:/srv/packages/%s ./\n' "$@" >/etc/apt/sources.list
    apt-get update -qq
}

apt() {
    apt-get --yes --quiet --no-install-recommends "$@" >apt.log 2>&1 ||
        fail "apt-get $*" "$(<apt.log)"
}

# status PACKAGE: its status and version, or "not-installed ".
status() {
    dpkg-query --show --showformat '${db:Status-Status} ${Version}' "$1" 2>/dev/null ||
        echo "not-installed "
}

# is PACKAGE PATTERN: checks the status and version of a package.
is() {
    # shellcheck disable=SC2053
    [[ $(status "$1") == $2 ]] || fail "$1 is \"$(status "$1")\", not \"$2\""
}

files() {
    find / -xdev \( -path /srv -o -path /var/log -o -path /var/lib/apt -o -path /var/cache/apt \
        -o -path /var/cache/ldconfig \) -prune -o -print | sort
}

property() {
    systemctl show --value --property "$1" "${2:-$service}"
}

# makes_quotes DIRECTORY: a C program gets quotes from the service, which the root there verifies.
makes_quotes() {
    local quote
    quote-helper quote --target-info "$1/app_target_info.bin"
    quote-helper report --target-info "$1/app_target_info.bin" --report-data 07 \
        --out "$1/report.bin" 2>/dev/null
    "$1/attest" "$1"
    for quote in quote_ex dcap_ql; do
        quote-helper verify "$1/$quote.bin" --trusted-root "$1/root.pem" --report-data 07 \
            --source http://127.0.0.1:17492 >verify.log 2>&1 || fail "verify" "$(<verify.log)"
    done
}

# The list of the sample's Dockerfile, without Open Enclave, clang and other tools.
the_list_of_the_sample_is_satisfied() {
    apt install libsgx-dcap-ql libsgx-quote-ex az-dcap-client libsgx-dcap-quote-verify \
        gcc g++ libssl-dev libsgx-dcap-ql-dev
    local package library found
    for package in "${libraries[@]}" libsgx-quote-helper-dev libsgx-quote-helper-intel-dev; do
        is "$package" "installed $old_version"
    done
    found=$(ldconfig -p)
    for library in libsgx_quote_ex.so.1 libsgx_dcap_ql.so.1 libdcap_quoteprov.so{,.1} \
        libsgx_dcap_quoteverify.so.1; do
        [[ $found == *"$library (libc6,x86-64)"* ]] || fail "ldconfig does not find $library"
    done
}

c_programs_compile() {
    mkdir quotes
    # shellcheck disable=SC2046
    cc c/attest.c -o quotes/attest $(pkg-config --cflags --libs libsgx_quote_ex libsgx_dcap_ql)
    # As with Intel's packages: no directory of headers or libraries.
    cc c/intel_names.c -o quotes/intel_names -lsgx_dcap_ql
}

the_service_starts_and_makes_quotes() {
    mkdir /etc/quote-helper
    printf '%s\n' "platform = 'software'" "isolate = true" "workers = 2" \
        "collateral_listen = '127.0.0.1:17492'" >/etc/quote-helper/config.toml
    apt install sgx-quote-helper
    systemctl is-enabled --quiet $service sgx-quote-helper.socket || fail "not enabled"
    systemctl is-active --quiet $service || fail "not active"
    ! systemctl is-enabled --quiet sgx-pccs || fail "the PCCS is enabled"
    quote-helper platform root --state-dir /var/lib/quote-helper --out quotes/root.pem
    makes_quotes quotes
}

an_upgrade_fails_no_quote() {
    local before load
    before="$(property MainPID) $(property InvocationID sgx-quote-helper.socket)"
    until [[ -e upgraded ]]; do
        quote-helper load --duration 3s --output json || echo '"errors": "no connection"'
    done >load.json &
    load=$!
    sleep 1
    repositories new
    apt upgrade
    touch upgraded
    wait $load
    ! grep '"errors"' load.json | grep --invert-match '"errors": 0,' || fail "$(<load.json)"
    is sgx-quote-helper "installed $version"
    [[ $(property MainPID) != "${before% *}" ]] || fail "the service was not restarted"
    [[ $(property InvocationID sgx-quote-helper.socket) == "${before#* }" ]] ||
        fail "the socket was restarted"
    grep '"requests"' load.json
    makes_quotes quotes
}

a_disabled_service_stays_disabled() {
    systemctl disable --now --quiet $service sgx-quote-helper.socket
    apt install --reinstall sgx-quote-helper
    ! systemctl is-active --quiet $service sgx-quote-helper.socket || fail "it was started"
    systemctl enable --now --quiet $service
}

a_removal_keeps_the_state() {
    apt remove sgx-quote-helper
    is sgx-quote-helper "config-files $version"
    ! systemctl is-active --quiet $service sgx-quote-helper.socket || fail "still active"
    [[ ! -e /run/aesmd ]] || fail "the socket is still there"
    apt install sgx-quote-helper
    makes_quotes quotes
}

# With Intel's repository too, its names are its packages', and ours stay where they were chosen.
both_repositories_are_usable() {
    repositories intel new
    apt upgrade
    is libsgx-dcap-ql1-quote-helper "installed $version"
    apt install libsgx-qe3-logic libsgx-pce-logic libsgx-enclave-common open-enclave
    is libsgx-dcap-ql1-quote-helper "installed $version"
    is sgx-quote-helper "installed $version"

    apt install libsgx-dcap-ql libsgx-quote-ex
    is libsgx-dcap-ql "installed 1.23*"
    is libsgx-dcap-ql1-quote-helper "not-installed "
    apt install libsgx-dcap-ql-dev
    is libsgx-quote-helper-intel-dev "not-installed "
    apt install sgx-aesm-service
    is sgx-quote-helper "config-files *"

    apt install sgx-quote-helper "${libraries[@]}" libsgx-quote-helper-intel-dev
    is sgx-aesm-service "not-installed "
    is libsgx-dcap-ql "not-installed "
    is libsgx-qe3-logic "installed 1.23*"
    is open-enclave "installed *"
    makes_quotes quotes
}

a_purge_leaves_nothing() {
    apt purge sgx-quote-helper 'lib*-quote-helper' 'libsgx-*' open-enclave
    ! systemctl list-unit-files --no-legend 'sgx-*' | grep . || fail "units remain"
    diff before <(files) || fail "files remain"
}

files >before
repositories old
for test in the_list_of_the_sample_is_satisfied c_programs_compile \
    the_service_starts_and_makes_quotes an_upgrade_fails_no_quote \
    a_disabled_service_stays_disabled a_removal_keeps_the_state both_repositories_are_usable \
    a_purge_leaves_nothing; do
    begin=$SECONDS
    $test
    echo "$test: ok, $((SECONDS - begin)) s"
done
