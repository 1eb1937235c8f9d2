/*
 * tdx DIRECTORY: gets cached collateral for TDX, and writes parts of it into files of the
 * directory.
 */
#include "platform.h"

int main(int argc, char **argv)
{
    static const uint8_t fmspc[6] = {0xb0, 0xc0, 0x6f, 0, 0, 0};
    tdx_ql_qv_collateral_t *it = NULL;
    CHECK(argc == 2);
    RETURNS(SGX_QL_SUCCESS, tdx_ql_get_quote_verification_collateral(fmspc, 6, "platform", &it));
    CHECK(it->tee_type == 0x81 && it->major_version == 3 && it->minor_version == 0);
    write_file(argv[1], "tcb_info", it->tcb_info, it->tcb_info_size - 1);
    write_file(argv[1], "qe_identity", it->qe_identity, it->qe_identity_size - 1);
    write_file(argv[1], "root_ca_crl", it->root_ca_crl, it->root_ca_crl_size - 1);
    RETURNS(SGX_QL_SUCCESS, tdx_ql_free_quote_verification_collateral(it));
    return 0;
}
