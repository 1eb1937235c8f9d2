/* The structures of the header have the sizes and offsets of the processor's and the DCAP API's. Also
 * a C++ program. */
#include <stddef.h>

#include "sgx_dcap_ql_wrapper.h"
#include "sgx_uae_quote_ex.h"

/* The size of an array must not be negative. */
#define IS(actual, expected) extern const char is_as_expected[(actual) == (expected) ? 1 : -1]

IS(sizeof(sgx_attributes_t), 16);
IS(sizeof(sgx_target_info_t), 512);
IS(offsetof(sgx_target_info_t, attributes), 32);
IS(offsetof(sgx_target_info_t, config_svn), 50);
IS(offsetof(sgx_target_info_t, misc_select), 52);
IS(offsetof(sgx_target_info_t, config_id), 64);
IS(sizeof(sgx_report_body_t), 384);
IS(offsetof(sgx_report_body_t, isv_ext_prod_id), 32);
IS(offsetof(sgx_report_body_t, attributes), 48);
IS(offsetof(sgx_report_body_t, mr_enclave), 64);
IS(offsetof(sgx_report_body_t, mr_signer), 128);
IS(offsetof(sgx_report_body_t, config_id), 192);
IS(offsetof(sgx_report_body_t, isv_prod_id), 256);
IS(offsetof(sgx_report_body_t, isv_svn), 258);
IS(offsetof(sgx_report_body_t, config_svn), 260);
IS(offsetof(sgx_report_body_t, isv_family_id), 304);
IS(offsetof(sgx_report_body_t, report_data), 320);
IS(sizeof(sgx_report_t), 432);
IS(offsetof(sgx_report_t, key_id), 384);
IS(offsetof(sgx_report_t, mac), 416);
IS(sizeof(sgx_att_key_id_t), 256);
IS(sizeof(sgx_ql_att_key_id_t), 158);
IS(offsetof(sgx_ql_att_key_id_t, prod_id), 54);
IS(offsetof(sgx_ql_att_key_id_t, algorithm_id), 154);
IS(sizeof(sgx_att_key_id_ext_t), 256);
IS(offsetof(sgx_att_key_id_ext_t, att_key_type), 174);
IS(sizeof(sgx_qe_report_info_t), 960);
IS(offsetof(sgx_qe_report_info_t, qe_report), 528);
IS(sizeof(sgx_status_t), 4);
IS(sizeof(quote3_error_t), 4);

int main(void)
{
    return 0;
}
