/*
 * Stands in for libsgx_qe3_logic.so.1 and libsgx_pce_logic.so.1: prints what is set, and fails as they
 * do. Quotes cannot be made with it.
 */
#include <stdio.h>
#include <string.h>

#include "sgx_quote_types.h"

static unsigned set(const char *what, const char *path, unsigned success, unsigned failure)
{
    printf("%s %s\n", what, path);
    return strstr(path, "refused") ? failure : success;
}

unsigned sgx_ql_set_enclave_load_policy(unsigned policy)
{
    printf("policy %u\n", policy);
    return 0;
}

unsigned sgx_set_qe3_path(const char *path)
{
    return set("qe3", path, 0, SGX_QL_ERROR_OUT_OF_MEMORY);
}

unsigned sgx_set_pce_path(const char *path)
{
    return set("pce", path, 0xf000, 0xf002);
}

unsigned sgx_set_qpl_path(const char *path)
{
    return set("qpl", path, 0, SGX_QL_ERROR_OUT_OF_MEMORY);
}

unsigned sgx_ql_init_quote(void)
{
    return SGX_QL_ENCLAVE_LOAD_ERROR;
}

unsigned sgx_ql_get_quote_size(void)
{
    return SGX_QL_OUT_OF_EPC;
}

unsigned sgx_ql_get_quote(void)
{
    return SGX_QL_ENCLAVE_LOST;
}
