/*
 * The structures and numbers of quoting with SGX, as far as libsgx_quote_ex, libsgx_dcap_ql and
 * libdcap_quoteprov have them. Names, sizes and values are those of Intel's SDK and DCAP headers, so that sources which were
 * written for these compile. All integers are little-endian; no structure has padding.
 *
 * Where the headers of Intel's SDK are used too, include them first: what they have defined already is
 * left out here.
 */
#ifndef SGX_QUOTE_HELPER_QUOTE_TYPES_H
#define SGX_QUOTE_HELPER_QUOTE_TYPES_H

#include <stddef.h>
#include <stdint.h>

/* What a function of libsgx_quote_ex returns. */
#ifndef _SGX_ERROR_H_
typedef enum {
    SGX_SUCCESS = 0x0000,
    /* An error without a number of its own. */
    SGX_ERROR_UNEXPECTED = 0x0001,
    SGX_ERROR_INVALID_PARAMETER = 0x0002,
    SGX_ERROR_OUT_OF_MEMORY = 0x0003,
    /* Not enough enclave memory for the Quoting Enclave. */
    SGX_ERROR_OUT_OF_EPC = 0x2005,
    SGX_ERROR_NO_DEVICE = 0x2006,
    /* The REPORT was not made for the Quoting Enclave of this machine. */
    SGX_ERROR_MAC_MISMATCH = 0x3001,
    /* The service is not there, or has nobody who makes quotes. */
    SGX_ERROR_SERVICE_UNAVAILABLE = 0x4001,
    /* The service did not answer in time. */
    SGX_ERROR_SERVICE_TIMEOUT = 0x4002,
    SGX_ERROR_AE_INVALID_EPIDBLOB = 0x4003,
    SGX_ERROR_EPID_MEMBER_REVOKED = 0x4005,
    SGX_ERROR_UPDATE_NEEDED = 0x4006,
    SGX_ERROR_NETWORK_FAILURE = 0x4007,
    /* The service has more to do than it can; try again. */
    SGX_ERROR_BUSY = 0x400a,
    SGX_ERROR_UNRECOGNIZED_PLATFORM = 0x4012,
    SGX_ERROR_UNSUPPORTED_ATT_KEY_ID = 0x8001,
    SGX_ERROR_ATT_KEY_CERTIFICATION_FAILURE = 0x8002,
    /* There is no attestation key yet; make it ready first. */
    SGX_ERROR_ATT_KEY_UNINITIALIZED = 0x8003,
    SGX_ERROR_PLATFORM_CERT_UNAVAILABLE = 0x8005
} sgx_status_t;
#endif

/* What a function of libsgx_dcap_ql or libdcap_quoteprov returns. */
#ifndef _SGX_QL_LIB_COMMON_H_
typedef enum {
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
    SGX_QL_ERROR_INVALID_PRIVILEGE = 0xe035,
    SGX_QL_NO_QVE_IDENTITY_DATA = 0xe037,
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
    SGX_QL_QEIDENTITY_NOT_FOUND = 0xe061,
    SGX_QL_TCBINFO_NOT_FOUND = 0xe062,
    /* The TLS certificate of the PCCS is not trusted. */
    SGX_QL_ROOT_CA_UNTRUSTED = 0xe065,
    /* The settings cannot be read or understood. */
    SGX_QL_CONFIG_INVALID_JSON = 0xe067
} quote3_error_t;

/* How severe a message is. */
typedef enum { SGX_QL_LOG_ERROR, SGX_QL_LOG_INFO, SGX_QL_LOG_DEBUG, SGX_QL_LOG_TRACE } sgx_ql_log_level_t;

/* Gets a message, which is there during the call only. */
typedef void (*sgx_ql_logging_callback_t)(sgx_ql_log_level_t level, const char *message);
#endif

/* For how long enclaves stay loaded: until the process ends, or for one call. */
#ifndef _SGX_PCE_H_
typedef enum {
    SGX_QL_PERSISTENT = 0,
    SGX_QL_EPHEMERAL = 1,
    SGX_QL_DEFAULT = SGX_QL_PERSISTENT
} sgx_ql_request_policy_t;
#endif

/* What an application can say the path of: the Quoting Enclave, the Provisioning Certification
 * Enclave, the quote provider library, the ID enclave. */
typedef enum { SGX_QL_QE3_PATH, SGX_QL_PCE_PATH, SGX_QL_QPL_PATH, SGX_QL_IDE_PATH } sgx_ql_path_type_t;

/* ATTRIBUTES of an enclave. */
#ifndef _SGX_ATTRIBUTES_H_
typedef struct _attributes_t {
    uint64_t flags;
    uint64_t xfrm;
} sgx_attributes_t;

typedef uint32_t sgx_misc_select_t;
#endif

/* Parts of a REPORT that key derivation has too. */
#ifndef _SGX_KEY_H_
typedef uint16_t sgx_isv_svn_t;
typedef uint16_t sgx_config_svn_t;
typedef uint8_t sgx_config_id_t[64];

typedef struct _sgx_cpu_svn_t {
    uint8_t svn[16];
} sgx_cpu_svn_t;

typedef struct _sgx_key_id_t {
    uint8_t id[32];
} sgx_key_id_t;
#endif

#ifndef _SGX_REPORT_H_
typedef uint16_t sgx_prod_id_t;
typedef uint8_t sgx_isvext_prod_id_t[16];
typedef uint8_t sgx_isvfamily_id_t[16];
typedef uint8_t sgx_mac_t[16];

typedef struct _sgx_measurement_t {
    uint8_t m[32];
} sgx_measurement_t;

typedef struct _sgx_report_data_t {
    uint8_t d[64];
} sgx_report_data_t;

/* TARGETINFO, 512 bytes: the enclave that a REPORT is made for. */
typedef struct _target_info_t {
    sgx_measurement_t mr_enclave;
    sgx_attributes_t attributes;
    uint8_t reserved1[2];
    sgx_config_svn_t config_svn;
    sgx_misc_select_t misc_select;
    uint8_t reserved2[8];
    sgx_config_id_t config_id;
    uint8_t reserved3[384];
} sgx_target_info_t;

/* The body of a REPORT, 384 bytes: the enclave that it is about. */
typedef struct _report_body_t {
    sgx_cpu_svn_t cpu_svn;
    sgx_misc_select_t misc_select;
    uint8_t reserved1[12];
    sgx_isvext_prod_id_t isv_ext_prod_id;
    sgx_attributes_t attributes;
    sgx_measurement_t mr_enclave;
    uint8_t reserved2[32];
    sgx_measurement_t mr_signer;
    uint8_t reserved3[32];
    sgx_config_id_t config_id;
    sgx_prod_id_t isv_prod_id;
    sgx_isv_svn_t isv_svn;
    sgx_config_svn_t config_svn;
    uint8_t reserved4[42];
    sgx_isvfamily_id_t isv_family_id;
    sgx_report_data_t report_data;
} sgx_report_body_t;

/* REPORT, 432 bytes. */
typedef struct _report_t {
    sgx_report_body_t body;
    sgx_key_id_t key_id;
    sgx_mac_t mac;
} sgx_report_t;
#endif

#ifndef _SGX_QUOTE_H_
#pragma pack(push, 1)

typedef struct _quote_nonce {
    uint8_t rand[16];
} sgx_quote_nonce_t;

/* An attestation key id that is passed on as it is, 256 bytes. */
typedef struct _att_key_id_t {
    uint8_t att_key_id[256];
} sgx_att_key_id_t;

/* The part of an attestation key id that is compared, 158 bytes: the Quoting Enclave's identity, and
 * the algorithm (2: ECDSA P-256). */
typedef struct _sgx_ql_att_key_id_t {
    uint16_t id;
    uint16_t version;
    uint16_t mrsigner_length;
    uint8_t mrsigner[48];
    uint32_t prod_id;
    uint8_t extended_prod_id[16];
    uint8_t config_id[64];
    uint8_t family_id[16];
    uint32_t algorithm_id;
} sgx_ql_att_key_id_t;

/* An attestation key id, 256 bytes. Service provider id and type are for EPID. */
typedef struct _sgx_att_key_id_ext_t {
    sgx_ql_att_key_id_t base;
    uint8_t spid[16];
    uint16_t att_key_type;
    uint8_t reserved[80];
} sgx_att_key_id_ext_t;

/* QE report info, 960 bytes: a caller's nonce and target info, and the Quoting Enclave's REPORT. */
typedef struct _qe_report_info_t {
    sgx_quote_nonce_t nonce;
    sgx_target_info_t app_enclave_target_info;
    sgx_report_t qe_report;
} sgx_qe_report_info_t;

#pragma pack(pop)
#endif

#ifndef _SGX_QL_LIB_COMMON_H_
#pragma pack(push, 1)

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

/* What a verifier needs besides a quote, 120 bytes. Sizes are in bytes, each with a zero byte at the end. */
#ifndef __sgx_ql_qve_collateral_t
#define __sgx_ql_qve_collateral_t
typedef struct _sgx_ql_qve_collateral_t {
    /* 3.0: CRLs are DER in hexadecimal digits. 3.1: they are DER. */
    union {
        uint32_t version;
        struct {
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

/* What a cache holds; a set of these. */
typedef enum {
    SGX_QPL_CACHE_CERTIFICATE = 1,
    SGX_QPL_CACHE_QV_COLLATERAL = 2,
    SGX_QPL_CACHE_MULTICERTS = 4
} sgx_qpl_cache_type_t;
#endif

#endif
