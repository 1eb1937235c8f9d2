/* The structures of the header have the sizes and offsets of the DCAP API's. Also a C++ program. */
#include <stddef.h>

#include "sgx_dcap_quoteverify.h"

/* The size of an array must not be negative. */
#define IS(actual, expected) extern const char is_as_expected[(actual) == (expected) ? 1 : -1]

IS(sizeof(sgx_ql_qv_supplemental_t), 1136);
IS(offsetof(sgx_ql_qv_supplemental_t, major_version), 0);
IS(offsetof(sgx_ql_qv_supplemental_t, minor_version), 2);
IS(offsetof(sgx_ql_qv_supplemental_t, earliest_issue_date), 8);
IS(offsetof(sgx_ql_qv_supplemental_t, latest_issue_date), 16);
IS(offsetof(sgx_ql_qv_supplemental_t, earliest_expiration_date), 24);
IS(offsetof(sgx_ql_qv_supplemental_t, tcb_level_date_tag), 32);
IS(offsetof(sgx_ql_qv_supplemental_t, pck_crl_num), 40);
IS(offsetof(sgx_ql_qv_supplemental_t, root_ca_crl_num), 44);
IS(offsetof(sgx_ql_qv_supplemental_t, tcb_eval_ref_num), 48);
IS(offsetof(sgx_ql_qv_supplemental_t, root_key_id), 52);
IS(offsetof(sgx_ql_qv_supplemental_t, pck_ppid), 100);
IS(offsetof(sgx_ql_qv_supplemental_t, tcb_cpusvn), 116);
IS(offsetof(sgx_ql_qv_supplemental_t, tcb_pce_isvsvn), 132);
IS(offsetof(sgx_ql_qv_supplemental_t, pce_id), 134);
IS(offsetof(sgx_ql_qv_supplemental_t, tee_type), 136);
IS(offsetof(sgx_ql_qv_supplemental_t, sgx_type), 140);
IS(offsetof(sgx_ql_qv_supplemental_t, platform_instance_id), 141);
IS(offsetof(sgx_ql_qv_supplemental_t, dynamic_platform), 160);
IS(offsetof(sgx_ql_qv_supplemental_t, cached_keys), 164);
IS(offsetof(sgx_ql_qv_supplemental_t, smt_enabled), 168);
IS(offsetof(sgx_ql_qv_supplemental_t, sa_list), 172);
IS(offsetof(sgx_ql_qv_supplemental_t, qe_iden_earliest_issue_date), 624);
IS(offsetof(sgx_ql_qv_supplemental_t, qe_iden_latest_issue_date), 632);
IS(offsetof(sgx_ql_qv_supplemental_t, qe_iden_earliest_expiration_date), 640);
IS(offsetof(sgx_ql_qv_supplemental_t, qe_iden_tcb_level_date_tag), 648);
IS(offsetof(sgx_ql_qv_supplemental_t, qe_iden_tcb_eval_ref_num), 656);
IS(offsetof(sgx_ql_qv_supplemental_t, qe_iden_status), 660);
IS(offsetof(sgx_ql_qv_supplemental_t, platform_tcb_level_date_tag), 664);
IS(offsetof(sgx_ql_qv_supplemental_t, tcb_date_current), 672);
IS(offsetof(sgx_ql_qv_supplemental_t, tcb_status_current), 680);
IS(offsetof(sgx_ql_qv_supplemental_t, sa_list_current), 684);

IS(sizeof(tee_supp_data_descriptor_t), 16);
IS(offsetof(tee_supp_data_descriptor_t, data_size), 4);
IS(offsetof(tee_supp_data_descriptor_t, p_data), 8);

IS(sizeof(sgx_ql_qe_report_info_t), 960);
IS(offsetof(sgx_ql_qe_report_info_t, app_enclave_target_info), 16);
IS(offsetof(sgx_ql_qe_report_info_t, qe_report), 528);

IS(sizeof(tee_policy_bundle_t), 72);
IS(offsetof(tee_policy_bundle_t, platform_policy), 8);
IS(offsetof(tee_policy_bundle_t, tdqe_policy), 24);
IS(offsetof(tee_policy_bundle_t, reserved), 40);

IS(sizeof(sgx_ql_qv_result_t), 4);
IS(sizeof(se_trace_t), 4);
IS(TEE_QV_RESULT_TD_RELAUNCH_ADVISED_CONFIG_NEEDED, 0xa00a);
IS(TEE_ERROR_UNEXPECTED, 0xe001);
IS(SGX_QV_QPL_PATH, 1);

int main(void)
{
    return 0;
}
