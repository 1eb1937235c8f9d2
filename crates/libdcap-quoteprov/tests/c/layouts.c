/* The structures of the header have the sizes and offsets of the DCAP API's. Also a C++ program. */
#include <stddef.h>

#include "sgx_default_quote_provider.h"

/* The size of an array must not be negative. */
#define IS(actual, expected) extern const char is_as_expected[(actual) == (expected) ? 1 : -1]

IS(sizeof(sgx_ql_pck_cert_id_t), 43);
IS(offsetof(sgx_ql_pck_cert_id_t, qe3_id_size), 8);
IS(offsetof(sgx_ql_pck_cert_id_t, p_platform_cpu_svn), 12);
IS(offsetof(sgx_ql_pck_cert_id_t, p_platform_pce_isv_svn), 20);
IS(offsetof(sgx_ql_pck_cert_id_t, p_encrypted_ppid), 28);
IS(offsetof(sgx_ql_pck_cert_id_t, encrypted_ppid_size), 36);
IS(offsetof(sgx_ql_pck_cert_id_t, crypto_suite), 40);
IS(offsetof(sgx_ql_pck_cert_id_t, pce_id), 41);

IS(sizeof(sgx_ql_config_t), 34);
IS(offsetof(sgx_ql_config_t, cert_cpu_svn), 4);
IS(offsetof(sgx_ql_config_t, cert_pce_isv_svn), 20);
IS(offsetof(sgx_ql_config_t, cert_data_size), 22);
IS(offsetof(sgx_ql_config_t, p_cert_data), 26);

IS(sizeof(sgx_ql_qve_collateral_t), 120);
IS(offsetof(sgx_ql_qve_collateral_t, major_version), 0);
IS(offsetof(sgx_ql_qve_collateral_t, minor_version), 2);
IS(offsetof(sgx_ql_qve_collateral_t, tee_type), 4);
IS(offsetof(sgx_ql_qve_collateral_t, pck_crl_issuer_chain), 8);
IS(offsetof(sgx_ql_qve_collateral_t, pck_crl_issuer_chain_size), 16);
IS(offsetof(sgx_ql_qve_collateral_t, root_ca_crl), 24);
IS(offsetof(sgx_ql_qve_collateral_t, pck_crl), 40);
IS(offsetof(sgx_ql_qve_collateral_t, tcb_info_issuer_chain), 56);
IS(offsetof(sgx_ql_qve_collateral_t, tcb_info), 72);
IS(offsetof(sgx_ql_qve_collateral_t, qe_identity_issuer_chain), 88);
IS(offsetof(sgx_ql_qve_collateral_t, qe_identity), 104);
IS(offsetof(sgx_ql_qve_collateral_t, qe_identity_size), 112);

int main(void)
{
    return 0;
}
