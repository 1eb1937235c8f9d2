/*
 * lookup DIRECTORY: measures sgx_ql_get_quote_config and sgx_ql_get_quote_verification_collateral
 * for cached items. For each number on standard input, makes that many calls of each, and prints
 * the average nanoseconds, the call that frees the result included. The directory has platform.bin.
 */
#include <time.h>

#include "platform.h"

static long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long quote_config(const sgx_ql_pck_cert_id_t *id, unsigned calls)
{
    long long begin = nanoseconds();
    for (unsigned call = 0; call < calls; call++) {
        sgx_ql_config_t *config;
        RETURNS(SGX_QL_SUCCESS, sgx_ql_get_quote_config(id, &config));
        RETURNS(SGX_QL_SUCCESS, sgx_ql_free_quote_config(config));
    }
    return (nanoseconds() - begin) / calls;
}

static long long verification_collateral(unsigned calls)
{
    long long begin = nanoseconds();
    for (unsigned call = 0; call < calls; call++) {
        sgx_ql_qve_collateral_t *collateral;
        RETURNS(SGX_QL_SUCCESS,
                sgx_ql_get_quote_verification_collateral(platform.fmspc, 6, "platform", &collateral));
        RETURNS(SGX_QL_SUCCESS, sgx_ql_free_quote_verification_collateral(collateral));
    }
    return (nanoseconds() - begin) / calls;
}

int main(int argc, char **argv)
{
    sgx_ql_pck_cert_id_t id;
    unsigned calls;
    CHECK(argc == 2);
    id = read_platform(argv[1]);
    while (scanf("%u", &calls) == 1 && calls > 0) {
        printf("%lld %lld\n", quote_config(&id, calls), verification_collateral(calls));
        fflush(stdout);
    }
    return 0;
}
