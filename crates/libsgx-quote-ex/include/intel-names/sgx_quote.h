/* Attestation key ids, QE report info, and quotes of EPID. */
#ifndef SGX_QUOTE_HELPER_QUOTE_H
#define SGX_QUOTE_HELPER_QUOTE_H

#include "sgx_report.h"

#ifndef _SGX_QUOTE_H_
#define SGX_PLATFORM_INFO_SIZE 101

#pragma pack(push, 1)
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc99-extensions"
#endif

typedef struct _quote_nonce {
    uint8_t rand[16];
} sgx_quote_nonce_t;

/* An attestation key id that is passed on as it is, 256 bytes. */
typedef struct _att_key_id_t {
    uint8_t att_key_id[256];
} sgx_att_key_id_t;

/* The part of an attestation key id that is compared, 158 bytes: the Quoting Enclave's identity,
 * and the algorithm (2: ECDSA P-256). */
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

/* What follows is for EPID, which Intel has ended, and for sources that mention it. */
typedef uint8_t sgx_epid_group_id_t[4];

typedef struct _spid_t {
    uint8_t id[16];
} sgx_spid_t;

typedef struct _basename_t {
    uint8_t name[32];
} sgx_basename_t;

typedef enum { SGX_UNLINKABLE_SIGNATURE, SGX_LINKABLE_SIGNATURE } sgx_quote_sign_type_t;

/* A quote of EPID. Its body is where that of an ECDSA quote is. */
typedef struct _quote_t {
    uint16_t version;
    uint16_t sign_type;
    sgx_epid_group_id_t epid_group_id;
    sgx_isv_svn_t qe_svn;
    sgx_isv_svn_t pce_svn;
    uint32_t xeid;
    sgx_basename_t basename;
    sgx_report_body_t report_body;
    uint32_t signature_len;
    __extension__ uint8_t signature[];
} sgx_quote_t;

typedef struct _platform_info {
    uint8_t platform_info[SGX_PLATFORM_INFO_SIZE];
} sgx_platform_info_t;

typedef struct _update_info_bit {
    int ucodeUpdate;
    int csmeFwUpdate;
    int pswUpdate;
} sgx_update_info_bit_t;

#ifdef __clang__
#pragma clang diagnostic pop
#endif
#pragma pack(pop)
#endif

#endif
