/*
 * settings FILE REFUSED: what an application sets before it quotes, where Intel's libraries make the
 * quotes. Both are paths of files; Intel's libraries refuse the second one.
 */
#include "check.h"

int main(int argc, char **argv)
{
    sgx_target_info_t target_info;
    uint32_t size;
    CHECK(argc == 3);
    RETURNS(SGX_QL_SUCCESS, sgx_ql_set_path(SGX_QL_QE3_PATH, argv[1]));
    RETURNS(SGX_QL_SUCCESS, sgx_ql_set_path(SGX_QL_PCE_PATH, argv[1]));
    RETURNS(SGX_QL_SUCCESS, sgx_ql_set_path(SGX_QL_QPL_PATH, argv[1]));
    RETURNS(SGX_QL_INTERFACE_UNAVAILABLE, sgx_ql_set_path(SGX_QL_IDE_PATH, argv[1]));
    RETURNS(SGX_QL_ERROR_OUT_OF_MEMORY, sgx_ql_set_path(SGX_QL_QE3_PATH, argv[2]));
    RETURNS(SGX_QL_ERROR_INVALID_PARAMETER, sgx_ql_set_path(SGX_QL_PCE_PATH, argv[2]));
    RETURNS(SGX_QL_SUCCESS, sgx_qe_set_enclave_load_policy(SGX_QL_EPHEMERAL));
    RETURNS(SGX_QL_UNSUPPORTED_LOADING_POLICY, sgx_qe_set_enclave_load_policy((sgx_ql_request_policy_t)2));
    memset(&target_info, 0xff, sizeof target_info);
    RETURNS(SGX_QL_ENCLAVE_LOAD_ERROR, sgx_qe_get_target_info(&target_info));
    CHECK(is_zero((uint8_t *)&target_info, sizeof target_info));
    RETURNS(SGX_QL_OUT_OF_EPC, sgx_qe_get_quote_size(&size));
    return 0;
}
