/* A quote of ECDSA P-256: version 3 of the format. */
#ifndef SGX_QUOTE_HELPER_QUOTE_3_H
#define SGX_QUOTE_HELPER_QUOTE_3_H

#include "sgx_pce.h"
#include "sgx_quote.h"

#ifndef _SGX_QUOTE_3_H_
#define REF_QUOTE_MAX_AUTHENTICATON_DATA_SIZE 64

/* Algorithms of attestation keys. */
typedef enum {
    SGX_QL_ALG_EPID = 0,
    SGX_QL_ALG_RESERVED_1 = 1,
    SGX_QL_ALG_ECDSA_P256 = 2,
    SGX_QL_ALG_ECDSA_P384 = 3,
    SGX_QL_ALG_MAX = 4
} sgx_ql_attestation_algorithm_id_t;

/* Kinds of certification data: how a quote leads to the PCK certificate. */
typedef enum {
    PPID_CLEARTEXT = 1,
    PPID_RSA2048_ENCRYPTED = 2,
    PPID_RSA3072_ENCRYPTED = 3,
    PCK_CLEARTEXT = 4,
    /* PEM: the PCK certificate, that of its CA, the root's. */
    PCK_CERT_CHAIN = 5,
    ECDSA_SIG_AUX_DATA = 6,
    QL_CERT_KEY_TYPE_MAX = 16
} sgx_ql_cert_key_type_t;

#pragma pack(push, 1)
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc99-extensions"
#endif

/* The begin of a list of attestation key ids, 8 bytes; the ids follow. */
typedef struct _sgx_ql_att_key_id_list_header_t {
    uint16_t id;
    uint16_t version;
    uint32_t num_att_ids;
} sgx_ql_att_key_id_list_header_t;

/* Certification data of the kinds 1, 2 and 3: 36, 276 and 404 bytes. */
typedef struct _sgx_ql_ppid_cleartext_cert_info_t {
    uint8_t ppid[16];
    sgx_cpu_svn_t cpu_svn;
    sgx_pce_info_t pce_info;
} sgx_ql_ppid_cleartext_cert_info_t;

typedef struct _sgx_ql_ppid_rsa2048_encrypted_cert_info_t {
    uint8_t enc_ppid[256];
    sgx_cpu_svn_t cpu_svn;
    sgx_pce_info_t pce_info;
} sgx_ql_ppid_rsa2048_encrypted_cert_info_t;

typedef struct _sgx_ql_ppid_rsa3072_encrypted_cert_info_t {
    uint8_t enc_ppid[384];
    sgx_cpu_svn_t cpu_svn;
    sgx_pce_info_t pce_info;
} sgx_ql_ppid_rsa3072_encrypted_cert_info_t;

/* What the QE binds to the attestation key. */
typedef struct _sgx_ql_auth_data_t {
    uint16_t size;
    __extension__ uint8_t auth_data[];
} sgx_ql_auth_data_t;

typedef struct _sgx_ql_certification_data_t {
    /* A number of sgx_ql_cert_key_type_t. */
    uint16_t cert_key_type;
    uint32_t size;
    __extension__ uint8_t certification_data[];
} sgx_ql_certification_data_t;

/* The signature data of a quote, 576 bytes; authentication data and certification data follow. */
typedef struct _sgx_ql_ecdsa_sig_data_t {
    /* r and s, 32 bytes each, big-endian. */
    uint8_t sig[64];
    /* x and y, 32 bytes each, big-endian. */
    uint8_t attest_pub_key[64];
    sgx_report_body_t qe_report;
    /* By the PCK key. */
    uint8_t qe_report_sig[64];
    __extension__ uint8_t auth_certification_data[];
} sgx_ql_ecdsa_sig_data_t;

/* The begin of a quote, 48 bytes. */
typedef struct _sgx_quote_header_t {
    uint16_t version;
    /* A number of sgx_ql_attestation_algorithm_id_t. */
    uint16_t att_key_type;
    uint32_t att_key_data_0;
    sgx_isv_svn_t qe_svn;
    sgx_isv_svn_t pce_svn;
    uint8_t vendor_id[16];
    /* QE_ID, and 4 bytes that are zero. */
    uint8_t user_data[20];
} sgx_quote_header_t;

/* A quote, 436 bytes; the signature data follow. */
typedef struct _sgx_quote3_t {
    sgx_quote_header_t header;
    sgx_report_body_t report_body;
    uint32_t signature_data_len;
    __extension__ uint8_t signature_data[];
} sgx_quote3_t;

#ifdef __clang__
#pragma clang diagnostic pop
#endif
#pragma pack(pop)
#endif

#endif
