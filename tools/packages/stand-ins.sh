#!/usr/bin/env bash
# Builds stand-ins for the packages of Intel and Microsoft: their names, versions, dependencies and
# the files that collide with ours.
# usage: tools/packages/stand-ins.sh OUTPUT_DIRECTORY
set -euo pipefail

output=${1:?usage: tools/packages/stand-ins.sh OUTPUT_DIRECTORY}
mkdir -p "$output"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
libraries=usr/lib/x86_64-linux-gnu

# package NAME VERSION DEPENDS FILE...
package() {
    local tree=$work/$1 file
    install -d "$tree/DEBIAN"
    for file in "${@:4}"; do
        install -D /dev/null "$tree/$file"
    done
    printf '%s\n' "Package: $1" "Version: $2" "Architecture: amd64" ${3:+"Depends: $3"} \
        "Maintainer: test <t@localhost>" "Description: a stand-in" >"$tree/DEBIAN/control"
    dpkg-deb --root-owner-group --build "$tree" "$output" >/dev/null
}

psw=2.26.100.0-bookworm1 dcap=1.23.100.0-bookworm1
package libsgx-headers $psw "" usr/include/sgx_report.h
package libsgx-urts $psw ""
package libsgx-pce-logic $dcap "" $libraries/libsgx_pce_logic.so.1
package libsgx-ae-id-enclave $dcap ""
package libsgx-qe3-logic $dcap libsgx-urts $libraries/libsgx_qe3_logic.so.1
package libsgx-quote-ex $psw "" $libraries/libsgx_quote_ex.so.1
package libsgx-dcap-ql $dcap "libsgx-qe3-logic, libsgx-pce-logic" $libraries/libsgx_dcap_ql.so.1
package libsgx-dcap-ql-dev $dcap "libsgx-dcap-ql (= $dcap), libsgx-headers" \
    $libraries/libsgx_dcap_ql.so usr/include/sgx_dcap_ql_wrapper.h
package libsgx-dcap-quote-verify $dcap "" $libraries/libsgx_dcap_quoteverify.so.1
package libsgx-dcap-default-qpl $dcap "" $libraries/libdcap_quoteprov.so.1
package az-dcap-client 1.13.0 "" usr/lib/libdcap_quoteprov.so
package sgx-aesm-service $psw "" lib/systemd/system/aesmd.service
package open-enclave 0.19.4 "libsgx-enclave-common, libsgx-dcap-ql (>= 1.0)"
package libsgx-enclave-common $psw ""
