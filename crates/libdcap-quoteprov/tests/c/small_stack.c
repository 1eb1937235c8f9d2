/* small_stack DIRECTORY KIB: fetches in a thread with this stack. Needs platform.bin. */
#include <pthread.h>
#include <stdlib.h>

#include "platform.h"

static sgx_ql_pck_cert_id_t id;

static void *ask(void *nothing)
{
    sgx_ql_config_t *config;
    sgx_ql_qve_collateral_t *collateral;
    RETURNS(SGX_QL_SUCCESS, sgx_ql_get_quote_config(&id, &config));
    RETURNS(SGX_QL_SUCCESS, sgx_ql_free_quote_config(config));
    RETURNS(SGX_QL_SUCCESS, sgx_ql_get_quote_verification_collateral(
        platform.fmspc, sizeof platform.fmspc, "platform", &collateral));
    RETURNS(SGX_QL_SUCCESS, sgx_ql_free_quote_verification_collateral(collateral));
    return nothing;
}

int main(int argc, char **argv)
{
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(argc == 3);
    id = read_platform(argv[1]);
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, (size_t)atoi(argv[2]) * 1024) == 0);
    CHECK(pthread_create(&thread, &attributes, ask, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    return 0;
}
