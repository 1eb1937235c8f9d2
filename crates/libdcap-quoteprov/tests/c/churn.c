/* churn DIRECTORY: clears and fills the cache until it is killed. Needs platform.bin. */
#include "platform.h"

int main(int argc, char **argv)
{
    sgx_ql_pck_cert_id_t id;
    CHECK(argc == 2);
    id = read_platform(argv[1]);
    for (;;) {
        sgx_ql_config_t *config;
        RETURNS(SGX_QL_SUCCESS, sgx_qpl_clear_cache(SGX_QPL_CACHE_CERTIFICATE));
        RETURNS(SGX_QL_SUCCESS, sgx_ql_get_quote_config(&id, &config));
        RETURNS(SGX_QL_SUCCESS, sgx_ql_free_quote_config(config));
        puts("filled");
        fflush(stdout);
    }
}
