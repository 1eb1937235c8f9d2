/* The errors, structures and callbacks that the DCAP libraries have in common. */
#ifndef SGX_QUOTE_HELPER_QL_LIB_COMMON_H
#define SGX_QUOTE_HELPER_QL_LIB_COMMON_H

#include <stdint.h>

#include "sgx_key.h"

#ifndef _SGX_QL_LIB_COMMON_H_
#define TEE_MK_ERROR(number) (0x0000E000 | (number))
#define MAX_PARAM_STRING_SIZE (256)

/* What a function of libsgx_dcap_ql, libdcap_quoteprov or libsgx_dcap_quoteverify returns. */
typedef enum _quote3_error_t {
    SGX_QL_SUCCESS = 0x0000,
    /* An error without a number of its own. */
    SGX_QL_ERROR_UNEXPECTED = 0xe001,
    SGX_QL_ERROR_INVALID_PARAMETER = 0xe002,
    SGX_QL_ERROR_OUT_OF_MEMORY = 0xe003,
    SGX_QL_ERROR_ECDSA_ID_MISMATCH = 0xe004,
    SGX_QL_PATHNAME_BUFFER_OVERFLOW_ERROR = 0xe005,
    SGX_QL_FILE_ACCESS_ERROR = 0xe006,
    SGX_QL_ERROR_STORED_KEY = 0xe007,
    SGX_QL_ERROR_PUB_KEY_ID_MISMATCH = 0xe008,
    SGX_QL_ERROR_INVALID_PCE_SIG_SCHEME = 0xe009,
    SGX_QL_ATT_KEY_BLOB_ERROR = 0xe00a,
    SGX_QL_UNSUPPORTED_ATT_KEY_ID = 0xe00b,
    SGX_QL_UNSUPPORTED_LOADING_POLICY = 0xe00c,
    /* A library that quotes are made with is not there. */
    SGX_QL_INTERFACE_UNAVAILABLE = 0xe00d,
    SGX_QL_PLATFORM_LIB_UNAVAILABLE = 0xe00e,
    /* There is no attestation key yet; make it ready first. */
    SGX_QL_ATT_KEY_NOT_INITIALIZED = 0xe00f,
    SGX_QL_ATT_KEY_CERT_DATA_INVALID = 0xe010,
    SGX_QL_NO_PLATFORM_CERT_DATA = 0xe011,
    /* Not enough enclave memory for the Quoting Enclave. */
    SGX_QL_OUT_OF_EPC = 0xe012,
    SGX_QL_ERROR_REPORT = 0xe013,
    /* The enclaves are lost, for instance by suspend to memory. */
    SGX_QL_ENCLAVE_LOST = 0xe014,
    /* The REPORT was not made for the Quoting Enclave of this machine. */
    SGX_QL_INVALID_REPORT = 0xe015,
    SGX_QL_ENCLAVE_LOAD_ERROR = 0xe016,
    SGX_QL_UNABLE_TO_GENERATE_QE_REPORT = 0xe017,
    SGX_QL_KEY_CERTIFCATION_ERROR = 0xe018,
    /* No service could be reached. */
    SGX_QL_NETWORK_ERROR = 0xe019,
    SGX_QL_MESSAGE_ERROR = 0xe01a,
    /* There is no such collateral. */
    SGX_QL_NO_QUOTE_COLLATERAL_DATA = 0xe01b,
    SGX_QL_QUOTE_CERTIFICATION_DATA_UNSUPPORTED = 0xe01c,
    SGX_QL_QUOTE_FORMAT_UNSUPPORTED = 0xe01d,
    SGX_QL_UNABLE_TO_GENERATE_REPORT = 0xe01e,
    SGX_QL_QE_REPORT_INVALID_SIGNATURE = 0xe01f,
    SGX_QL_QE_REPORT_UNSUPPORTED_FORMAT = 0xe020,
    SGX_QL_PCK_CERT_UNSUPPORTED_FORMAT = 0xe021,
    SGX_QL_PCK_CERT_CHAIN_ERROR = 0xe022,
    SGX_QL_TCBINFO_UNSUPPORTED_FORMAT = 0xe023,
    SGX_QL_TCBINFO_MISMATCH = 0xe024,
    SGX_QL_QEIDENTITY_UNSUPPORTED_FORMAT = 0xe025,
    SGX_QL_QEIDENTITY_MISMATCH = 0xe026,
    SGX_QL_TCB_OUT_OF_DATE = 0xe027,
    SGX_QL_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED = 0xe028,
    SGX_QL_SGX_ENCLAVE_IDENTITY_OUT_OF_DATE = 0xe029,
    SGX_QL_SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE = 0xe02a,
    SGX_QL_QE_IDENTITY_OUT_OF_DATE = 0xe02b,
    SGX_QL_SGX_TCB_INFO_EXPIRED = 0xe02c,
    SGX_QL_SGX_PCK_CERT_CHAIN_EXPIRED = 0xe02d,
    SGX_QL_SGX_CRL_EXPIRED = 0xe02e,
    SGX_QL_SGX_SIGNING_CERT_CHAIN_EXPIRED = 0xe02f,
    SGX_QL_SGX_ENCLAVE_IDENTITY_EXPIRED = 0xe030,
    SGX_QL_PCK_REVOKED = 0xe031,
    SGX_QL_TCB_REVOKED = 0xe032,
    SGX_QL_TCB_CONFIGURATION_NEEDED = 0xe033,
    SGX_QL_UNABLE_TO_GET_COLLATERAL = 0xe034,
    SGX_QL_ERROR_INVALID_PRIVILEGE = 0xe035,
    SGX_QL_NO_QVE_IDENTITY_DATA = 0xe037,
    SGX_QL_CRL_UNSUPPORTED_FORMAT = 0xe038,
    SGX_QL_QEIDENTITY_CHAIN_ERROR = 0xe039,
    SGX_QL_TCBINFO_CHAIN_ERROR = 0xe03a,
    SGX_QL_ERROR_QVL_QVE_MISMATCH = 0xe03b,
    SGX_QL_TCB_SW_HARDENING_NEEDED = 0xe03c,
    SGX_QL_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED = 0xe03d,
    /* The call is for quoting in this process, and the service is asked; or the other way round. */
    SGX_QL_UNSUPPORTED_MODE = 0xe03e,
    SGX_QL_NO_DEVICE = 0xe03f,
    /* The service is not there, or has nobody who makes quotes. */
    SGX_QL_SERVICE_UNAVAILABLE = 0xe040,
    SGX_QL_NETWORK_FAILURE = 0xe041,
    /* The service did not answer in time. */
    SGX_QL_SERVICE_TIMEOUT = 0xe042,
    /* The service has more to do than it can; try again. */
    SGX_QL_ERROR_BUSY = 0xe043,
    SGX_QL_UNKNOWN_MESSAGE_RESPONSE = 0xe044,
    SGX_QL_PERSISTENT_STORAGE_ERROR = 0xe045,
    SGX_QL_ERROR_MESSAGE_PARSING_ERROR = 0xe046,
    /* The service knows no such platform. */
    SGX_QL_PLATFORM_UNKNOWN = 0xe047,
    SGX_QL_UNKNOWN_API_VERSION = 0xe048,
    /* The service has no certificate for the platform at this TCB. */
    SGX_QL_CERTS_UNAVAILABLE = 0xe049,
    SGX_QL_QVEIDENTITY_MISMATCH = 0xe050,
    SGX_QL_QVE_OUT_OF_DATE = 0xe051,
    SGX_QL_PSW_NOT_AVAILABLE = 0xe052,
    SGX_QL_COLLATERAL_VERSION_NOT_SUPPORTED = 0xe053,
    SGX_QL_TDX_MODULE_MISMATCH = 0xe060,
    SGX_QL_QEIDENTITY_NOT_FOUND = 0xe061,
    SGX_QL_TCBINFO_NOT_FOUND = 0xe062,
    SGX_QL_INTERNAL_SERVER_ERROR = 0xe063,
    SGX_QL_SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED = 0xe064,
    /* The TLS certificate of the PCCS is not trusted. */
    SGX_QL_ROOT_CA_UNTRUSTED = 0xe065,
    SGX_QL_TCB_NOT_SUPPORTED = 0xe066,
    /* The settings cannot be read or understood. */
    SGX_QL_CONFIG_INVALID_JSON = 0xe067,
    SGX_QL_RESULT_INVALID_SIGNATURE = 0xe068,
    SGX_QL_QAEIDENTITY_MISMATCH = 0xe070,
    SGX_QL_QAE_OUT_OF_DATE = 0xe071,
    SGX_QL_QUOTE_HASH_MISMATCH = 0xe072,
    SGX_QL_REPORT_DATA_MISMATCH = 0xe073,
    SGX_QL_ERROR_MAX = 0xe0ff,
    /* The same by their other names. */
    TEE_SUCCESS = SGX_QL_SUCCESS,
    TEE_ERROR_UNEXPECTED = SGX_QL_ERROR_UNEXPECTED,
    TEE_ERROR_INVALID_PARAMETER = SGX_QL_ERROR_INVALID_PARAMETER,
    TEE_ERROR_OUT_OF_MEMORY = SGX_QL_ERROR_OUT_OF_MEMORY,
    TEE_ERROR_ECDSA_ID_MISMATCH = SGX_QL_ERROR_ECDSA_ID_MISMATCH,
    TEE_PATHNAME_BUFFER_OVERFLOW_ERROR = SGX_QL_PATHNAME_BUFFER_OVERFLOW_ERROR,
    TEE_FILE_ACCESS_ERROR = SGX_QL_FILE_ACCESS_ERROR,
    TEE_ERROR_STORED_KEY = SGX_QL_ERROR_STORED_KEY,
    TEE_ERROR_PUB_KEY_ID_MISMATCH = SGX_QL_ERROR_PUB_KEY_ID_MISMATCH,
    TEE_ERROR_INVALID_PCE_SIG_SCHEME = SGX_QL_ERROR_INVALID_PCE_SIG_SCHEME,
    TEE_ATT_KEY_BLOB_ERROR = SGX_QL_ATT_KEY_BLOB_ERROR,
    TEE_UNSUPPORTED_ATT_KEY_ID = SGX_QL_UNSUPPORTED_ATT_KEY_ID,
    TEE_UNSUPPORTED_LOADING_POLICY = SGX_QL_UNSUPPORTED_LOADING_POLICY,
    TEE_INTERFACE_UNAVAILABLE = SGX_QL_INTERFACE_UNAVAILABLE,
    TEE_PLATFORM_LIB_UNAVAILABLE = SGX_QL_PLATFORM_LIB_UNAVAILABLE,
    TEE_ATT_KEY_NOT_INITIALIZED = SGX_QL_ATT_KEY_NOT_INITIALIZED,
    TEE_ATT_KEY_CERT_DATA_INVALID = SGX_QL_ATT_KEY_CERT_DATA_INVALID,
    TEE_NO_PLATFORM_CERT_DATA = SGX_QL_NO_PLATFORM_CERT_DATA,
    TEE_OUT_OF_EPC = SGX_QL_OUT_OF_EPC,
    TEE_ERROR_REPORT = SGX_QL_ERROR_REPORT,
    TEE_ENCLAVE_LOST = SGX_QL_ENCLAVE_LOST,
    TEE_INVALID_REPORT = SGX_QL_INVALID_REPORT,
    TEE_ENCLAVE_LOAD_ERROR = SGX_QL_ENCLAVE_LOAD_ERROR,
    TEE_UNABLE_TO_GENERATE_QE_REPORT = SGX_QL_UNABLE_TO_GENERATE_QE_REPORT,
    TEE_KEY_CERTIFCATION_ERROR = SGX_QL_KEY_CERTIFCATION_ERROR,
    TEE_NETWORK_ERROR = SGX_QL_NETWORK_ERROR,
    TEE_MESSAGE_ERROR = SGX_QL_MESSAGE_ERROR,
    TEE_NO_QUOTE_COLLATERAL_DATA = SGX_QL_NO_QUOTE_COLLATERAL_DATA,
    TEE_QUOTE_CERTIFICATION_DATA_UNSUPPORTED = SGX_QL_QUOTE_CERTIFICATION_DATA_UNSUPPORTED,
    TEE_QUOTE_FORMAT_UNSUPPORTED = SGX_QL_QUOTE_FORMAT_UNSUPPORTED,
    TEE_UNABLE_TO_GENERATE_REPORT = SGX_QL_UNABLE_TO_GENERATE_REPORT,
    TEE_QE_REPORT_INVALID_SIGNATURE = SGX_QL_QE_REPORT_INVALID_SIGNATURE,
    TEE_QE_REPORT_UNSUPPORTED_FORMAT = SGX_QL_QE_REPORT_UNSUPPORTED_FORMAT,
    TEE_PCK_CERT_UNSUPPORTED_FORMAT = SGX_QL_PCK_CERT_UNSUPPORTED_FORMAT,
    TEE_PCK_CERT_CHAIN_ERROR = SGX_QL_PCK_CERT_CHAIN_ERROR,
    TEE_TCBINFO_UNSUPPORTED_FORMAT = SGX_QL_TCBINFO_UNSUPPORTED_FORMAT,
    TEE_TCBINFO_MISMATCH = SGX_QL_TCBINFO_MISMATCH,
    TEE_QEIDENTITY_UNSUPPORTED_FORMAT = SGX_QL_QEIDENTITY_UNSUPPORTED_FORMAT,
    TEE_QEIDENTITY_MISMATCH = SGX_QL_QEIDENTITY_MISMATCH,
    TEE_TCB_OUT_OF_DATE = SGX_QL_TCB_OUT_OF_DATE,
    TEE_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED = SGX_QL_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    TEE_SGX_ENCLAVE_IDENTITY_OUT_OF_DATE = SGX_QL_SGX_ENCLAVE_IDENTITY_OUT_OF_DATE,
    TEE_SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE = SGX_QL_SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE,
    TEE_QE_IDENTITY_OUT_OF_DATE = SGX_QL_QE_IDENTITY_OUT_OF_DATE,
    TEE_SGX_TCB_INFO_EXPIRED = SGX_QL_SGX_TCB_INFO_EXPIRED,
    TEE_SGX_PCK_CERT_CHAIN_EXPIRED = SGX_QL_SGX_PCK_CERT_CHAIN_EXPIRED,
    TEE_SGX_CRL_EXPIRED = SGX_QL_SGX_CRL_EXPIRED,
    TEE_SGX_SIGNING_CERT_CHAIN_EXPIRED = SGX_QL_SGX_SIGNING_CERT_CHAIN_EXPIRED,
    TEE_SGX_ENCLAVE_IDENTITY_EXPIRED = SGX_QL_SGX_ENCLAVE_IDENTITY_EXPIRED,
    TEE_PCK_REVOKED = SGX_QL_PCK_REVOKED,
    TEE_TCB_REVOKED = SGX_QL_TCB_REVOKED,
    TEE_TCB_CONFIGURATION_NEEDED = SGX_QL_TCB_CONFIGURATION_NEEDED,
    TEE_UNABLE_TO_GET_COLLATERAL = SGX_QL_UNABLE_TO_GET_COLLATERAL,
    TEE_ERROR_INVALID_PRIVILEGE = SGX_QL_ERROR_INVALID_PRIVILEGE,
    TEE_NO_QVE_IDENTITY_DATA = SGX_QL_NO_QVE_IDENTITY_DATA,
    TEE_CRL_UNSUPPORTED_FORMAT = SGX_QL_CRL_UNSUPPORTED_FORMAT,
    TEE_QEIDENTITY_CHAIN_ERROR = SGX_QL_QEIDENTITY_CHAIN_ERROR,
    TEE_TCBINFO_CHAIN_ERROR = SGX_QL_TCBINFO_CHAIN_ERROR,
    TEE_ERROR_QVL_QVE_MISMATCH = SGX_QL_ERROR_QVL_QVE_MISMATCH,
    TEE_TCB_SW_HARDENING_NEEDED = SGX_QL_TCB_SW_HARDENING_NEEDED,
    TEE_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED =
        SGX_QL_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    TEE_UNSUPPORTED_MODE = SGX_QL_UNSUPPORTED_MODE,
    TEE_NO_DEVICE = SGX_QL_NO_DEVICE,
    TEE_SERVICE_UNAVAILABLE = SGX_QL_SERVICE_UNAVAILABLE,
    TEE_NETWORK_FAILURE = SGX_QL_NETWORK_FAILURE,
    TEE_SERVICE_TIMEOUT = SGX_QL_SERVICE_TIMEOUT,
    TEE_ERROR_BUSY = SGX_QL_ERROR_BUSY,
    TEE_UNKNOWN_MESSAGE_RESPONSE = SGX_QL_UNKNOWN_MESSAGE_RESPONSE,
    TEE_PERSISTENT_STORAGE_ERROR = SGX_QL_PERSISTENT_STORAGE_ERROR,
    TEE_ERROR_MESSAGE_PARSING_ERROR = SGX_QL_ERROR_MESSAGE_PARSING_ERROR,
    TEE_PLATFORM_UNKNOWN = SGX_QL_PLATFORM_UNKNOWN,
    TEE_UNKNOWN_API_VERSION = SGX_QL_UNKNOWN_API_VERSION,
    TEE_CERTS_UNAVAILABLE = SGX_QL_CERTS_UNAVAILABLE,
    TEE_QVEIDENTITY_MISMATCH = SGX_QL_QVEIDENTITY_MISMATCH,
    TEE_QVE_OUT_OF_DATE = SGX_QL_QVE_OUT_OF_DATE,
    TEE_PSW_NOT_AVAILABLE = SGX_QL_PSW_NOT_AVAILABLE,
    TEE_COLLATERAL_VERSION_NOT_SUPPORTED = SGX_QL_COLLATERAL_VERSION_NOT_SUPPORTED,
    TEE_TDX_MODULE_MISMATCH = SGX_QL_TDX_MODULE_MISMATCH,
    TEE_QEIDENTITY_NOT_FOUND = SGX_QL_QEIDENTITY_NOT_FOUND,
    TEE_TCBINFO_NOT_FOUND = SGX_QL_TCBINFO_NOT_FOUND,
    TEE_INTERNAL_SERVER_ERROR = SGX_QL_INTERNAL_SERVER_ERROR,
    TEE_SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED = SGX_QL_SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED,
    TEE_ROOT_CA_UNTRUSTED = SGX_QL_ROOT_CA_UNTRUSTED,
    TEE_TCB_NOT_SUPPORTED = SGX_QL_TCB_NOT_SUPPORTED,
    TEE_CONFIG_INVALID_JSON = SGX_QL_CONFIG_INVALID_JSON,
    TEE_RESULT_INVALID_SIGNATURE = SGX_QL_RESULT_INVALID_SIGNATURE,
    TEE_QAEIDENTITY_MISMATCH = SGX_QL_QAEIDENTITY_MISMATCH,
    TEE_QAE_OUT_OF_DATE = SGX_QL_QAE_OUT_OF_DATE,
    TEE_RESULT_QUOTE_HASH_MISMATCH = SGX_QL_QUOTE_HASH_MISMATCH,
    TEE_RESULT_REPORT_DATA_MISMATCH = SGX_QL_REPORT_DATA_MISMATCH,
    TEE_ERROR_MAX = SGX_QL_ERROR_MAX
} quote3_error_t;

/* How severe a message is. */
typedef enum _sgx_ql_log_level_t {
    SGX_QL_LOG_ERROR,
    SGX_QL_LOG_INFO,
    SGX_QL_LOG_DEBUG,
    SGX_QL_LOG_TRACE
} sgx_ql_log_level_t;

/* Gets a message, which is there during the call only. */
typedef void (*sgx_ql_logging_callback_t)(sgx_ql_log_level_t level, const char *message);

#pragma pack(push, 1)

/* QE_ID: by it the QE of a machine is known. */
typedef struct _sgx_ql_qe3_id_t {
    uint8_t id[16];
} sgx_ql_qe3_id_t;

/* The platform, and the TCB, that a PCK certificate is wanted for, 43 bytes. */
typedef struct _sgx_ql_pck_cert_id_t {
    /* QE_ID. */
    uint8_t *p_qe3_id;
    /* 16. */
    uint32_t qe3_id_size;
    sgx_cpu_svn_t *p_platform_cpu_svn;
    /* ISVSVN of the PCE. */
    sgx_isv_svn_t *p_platform_pce_isv_svn;
    /* PPID, encrypted; NULL if it is not known. */
    uint8_t *p_encrypted_ppid;
    /* 384, if there is one. */
    uint32_t encrypted_ppid_size;
    /* How the PPID is encrypted: 1, which is RSA-3072-OAEP. */
    uint8_t crypto_suite;
    uint16_t pce_id;
} sgx_ql_pck_cert_id_t;

typedef enum { SGX_QL_CONFIG_VERSION_1 = 1 } sgx_ql_config_version_t;

/* A PCK certificate, and the TCB that it is for, 34 bytes. */
typedef struct _sgx_ql_config_t {
    sgx_ql_config_version_t version;
    sgx_cpu_svn_t cert_cpu_svn;
    sgx_isv_svn_t cert_pce_isv_svn;
    /* The size of what follows in bytes, with the zero byte at its end. */
    uint32_t cert_data_size;
    /* PEM: the PCK certificate, that of its CA, the root's. */
    uint8_t *p_cert_data;
} sgx_ql_config_t;

#pragma pack(pop)

/* A parameter of a question for collateral, for the service that is asked. */
typedef struct _sgx_ql_qve_collateral_param_t {
    uint8_t key[MAX_PARAM_STRING_SIZE + 1];
    uint8_t value[MAX_PARAM_STRING_SIZE + 1];
} sgx_ql_qve_collateral_param_t;

/* What a verifier needs besides a quote, 120 bytes. Sizes are in bytes, each with a zero byte at
 * the end. */
#ifndef __sgx_ql_qve_collateral_t
#define __sgx_ql_qve_collateral_t
typedef struct _sgx_ql_qve_collateral_t {
    /* 1.0: CRLs are PEM. 3.0: they are DER in hexadecimal digits. 3.1: they are DER. Verification
     * also takes 4.0, and each encoding with each version. */
    __extension__ union {
        uint32_t version;
        __extension__ struct {
            uint16_t major_version;
            uint16_t minor_version;
        };
    };
    /* 0: SGX. 0x81: TDX. */
    uint32_t tee_type;
    /* Chains are PEM, the root's certificate last. */
    char *pck_crl_issuer_chain;
    uint32_t pck_crl_issuer_chain_size;
    char *root_ca_crl;
    uint32_t root_ca_crl_size;
    char *pck_crl;
    uint32_t pck_crl_size;
    char *tcb_info_issuer_chain;
    uint32_t tcb_info_issuer_chain_size;
    /* JSON, with its signature. */
    char *tcb_info;
    uint32_t tcb_info_size;
    char *qe_identity_issuer_chain;
    uint32_t qe_identity_issuer_chain_size;
    /* JSON, with its signature. */
    char *qe_identity;
    uint32_t qe_identity_size;
} sgx_ql_qve_collateral_t;
#endif

typedef sgx_ql_qve_collateral_t tdx_ql_qve_collateral_t;
typedef tdx_ql_qve_collateral_t tdx_ql_qv_collateral_t;

typedef enum _sgx_prod_type_t { SGX_PROD_TYPE_SGX = 0, SGX_PROD_TYPE_TDX = 1 } sgx_prod_type_t;

/* What a cache holds; a set of these. */
typedef enum _sgx_qpl_cache_type_t {
    SGX_QPL_CACHE_CERTIFICATE = 1,
    SGX_QPL_CACHE_QV_COLLATERAL = 2,
    SGX_QPL_CACHE_MULTICERTS = 4
} sgx_qpl_cache_type_t;
#endif

#endif
