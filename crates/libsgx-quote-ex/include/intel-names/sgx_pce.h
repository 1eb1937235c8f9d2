/* The structures and numbers of the Provisioning Certification Enclave's library. Its functions are
 * in Intel's libsgx_pce_logic. */
#ifndef SGX_QUOTE_HELPER_PCE_H
#define SGX_QUOTE_HELPER_PCE_H

#include "sgx_key.h"
#include "sgx_report.h"

#ifndef _SGX_PCE_H_
#define SGX_PCE_MK_ERROR(number) (0x0000F000 | (number))

typedef enum _sgx_pce_error_t {
    SGX_PCE_SUCCESS = 0xf000,
    SGX_PCE_UNEXPECTED = 0xf001,
    SGX_PCE_INVALID_PARAMETER = 0xf002,
    SGX_PCE_OUT_OF_EPC = 0xf003,
    SGX_PCE_INTERFACE_UNAVAILABLE = 0xf004,
    SGX_PCE_INVALID_REPORT = 0xf005,
    SGX_PCE_CRYPTO_ERROR = 0xf006,
    SGX_PCE_INVALID_PRIVILEGE = 0xf007,
    SGX_PCE_INVALID_TCB = 0xf008
} sgx_pce_error_t;

/* The one id, the one way to encrypt a PPID, and the one way to sign that there are. */
#define PCE_ID 0
#define PCE_ALG_RSA_OAEP_3072 1
#define PCE_NIST_P256_ECDSA_SHA256 0

/* For how long enclaves stay loaded: until the process ends, or for one call. The latter two are
 * for verification. */
typedef enum _sgx_ql_request_policy {
    SGX_QL_PERSISTENT = 0,
    SGX_QL_EPHEMERAL = 1,
    SGX_QL_EPHEMERAL_QVE_MULTI_THREAD = 2,
    SGX_QL_PERSISTENT_QVE_MULTI_THREAD = 3,
    SGX_QL_DEFAULT = SGX_QL_PERSISTENT
} sgx_ql_request_policy_t;

#pragma pack(push, 1)

/* ISVSVN and id of the PCE, 4 bytes. */
typedef struct _sgx_pce_info_t {
    sgx_isv_svn_t pce_isv_svn;
    uint16_t pce_id;
} sgx_pce_info_t;

#pragma pack(pop)
#endif

#endif
