/*
 * A source as others have it that was written for Intel's SDK and DCAP: it includes their names, and
 * uses what they have. Also a C++ program.
 */
#include <stdio.h>

#include "sgx_error.h"
#include "sgx_key.h"
#include "sgx_pce.h"
#include "sgx_ql_lib_common.h"
#include "sgx_ql_quote.h"
#include "sgx_quote.h"
#include "sgx_quote_3.h"
#include "sgx_report.h"
/* Last, as it may be. */
#include "sgx_dcap_ql_wrapper.h"

/* The size of an array must not be negative. */
#define IS(actual, expected) extern const char is_as_expected[(actual) == (expected) ? 1 : -1]

IS(sizeof(sgx_key_request_t), 512);
IS(offsetof(sgx_key_request_t, key_id), 40);
IS(sizeof(sgx_quote_header_t), 48);
IS(sizeof(sgx_quote3_t), 436);
IS(offsetof(sgx_quote3_t, report_body), offsetof(sgx_quote_t, report_body));
IS(offsetof(sgx_quote3_t, signature_data_len), 432);
IS(sizeof(sgx_ql_ecdsa_sig_data_t), 576);
IS(offsetof(sgx_ql_ecdsa_sig_data_t, qe_report), 128);
IS(sizeof(sgx_ql_auth_data_t), 2);
IS(sizeof(sgx_ql_certification_data_t), 6);
IS(sizeof(sgx_ql_ppid_cleartext_cert_info_t), 36);
IS(sizeof(sgx_ql_ppid_rsa2048_encrypted_cert_info_t), 276);
IS(sizeof(sgx_ql_ppid_rsa3072_encrypted_cert_info_t), 404);
IS(sizeof(sgx_ql_att_key_id_list_t), 8);
IS(sizeof(sgx_ql_qe_report_info_t), sizeof(sgx_qe_report_info_t));
IS(SGX_PCE_INVALID_TCB, 0xf008);
IS(SGX_QL_TCB_SW_HARDENING_NEEDED, 0xe03c);
IS(SGX_ERROR_ENCLAVE_LOST, 4);
IS(SGX_FLAGS_INITTED | SGX_FLAGS_DEBUG | SGX_FLAGS_MODE64BIT, 7);

int main(void)
{
    sgx_target_info_t target_info;
    uint32_t size = 0;
    const quote3_error_t prepared = sgx_qe_get_target_info(&target_info);
    const quote3_error_t sized = sgx_qe_get_quote_size(&size);
    printf("%#x %#x\n", (unsigned)prepared, (unsigned)sized);
    return 0;
}
