/* Lists of attestation key ids, and QE report info by its other name. */
#ifndef SGX_QUOTE_HELPER_QL_QUOTE_H
#define SGX_QUOTE_HELPER_QL_QUOTE_H

#include <stddef.h>

#include "sgx_ql_lib_common.h"
#include "sgx_quote.h"
#include "sgx_quote_3.h"

#ifndef _SGX_QL_QUOTE_H_
#pragma pack(push, 1)
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc99-extensions"
#endif

typedef struct _sgx_ql_att_key_id_param_t {
    uint32_t algorithm_param_size;
    __extension__ uint8_t algorithm_param[];
} sgx_ql_att_key_id_param_t;

/* The attestation keys that a verifier takes. */
typedef struct _sgx_ql_att_id_list_t {
    sgx_ql_att_key_id_list_header_t header;
    __extension__ sgx_att_key_id_ext_t ext_id_list[];
} sgx_ql_att_key_id_list_t;

typedef struct _sgx_ql_qe_report_info_t {
    sgx_quote_nonce_t nonce;
    sgx_target_info_t app_enclave_target_info;
    sgx_report_t qe_report;
} sgx_ql_qe_report_info_t;

#ifdef __clang__
#pragma clang diagnostic pop
#endif
#pragma pack(pop)
#endif

#endif
