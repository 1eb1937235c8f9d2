/* The platform for which the C programs request collateral. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include "../../../libsgx-dcap-ql/tests/c/expect.h"
#include "sgx_default_quote_provider.h"

/* The file platform.bin. */
#pragma pack(push, 1)
static struct {
    uint8_t qe_id[16];
    sgx_cpu_svn_t cpu_svn;
    sgx_isv_svn_t pce_svn;
    uint16_t pce_id;
    uint8_t fmspc[6];
    uint8_t encrypted_ppid[384];
} platform;
#pragma pack(pop)

/* The request for the PCK certificate of the platform in this directory. */
static inline sgx_ql_pck_cert_id_t read_platform(const char *directory)
{
    sgx_ql_pck_cert_id_t id = {
        .p_qe3_id = platform.qe_id,
        .qe3_id_size = sizeof platform.qe_id,
        .p_platform_cpu_svn = &platform.cpu_svn,
        .p_platform_pce_isv_svn = &platform.pce_svn,
        .p_encrypted_ppid = platform.encrypted_ppid,
        .encrypted_ppid_size = sizeof platform.encrypted_ppid,
        .crypto_suite = 1,
    };
    read_file(directory, "platform.bin", &platform, sizeof platform);
    id.pce_id = platform.pce_id;
    return id;
}

#endif
