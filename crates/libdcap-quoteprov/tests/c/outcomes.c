/*
 * outcomes DIRECTORY [TIMES]: calls each function that fetches, with valid arguments, and prints
 * its name, its result and its duration in milliseconds. Messages to the callback are lines that
 * begin with "told". The directory has platform.bin.
 */
#include <time.h>

#include "platform.h"

static void told(sgx_ql_log_level_t level, const char *message)
{
    printf("told %d %s\n", level, message);
}

static long long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

#define CALL(function, arguments)                                              \
    do {                                                                       \
        long long begin = milliseconds();                                      \
        unsigned returned = (unsigned)function arguments;                      \
        printf("%s %u %lld\n", #function, returned, milliseconds() - begin);   \
        fflush(stdout);                                                        \
    } while (0)

int main(int argc, char **argv)
{
    sgx_ql_pck_cert_id_t id;
    int times;
    CHECK(argc >= 2);
    id = read_platform(argv[1]);
    sgx_ql_set_logging_callback(told, SGX_QL_LOG_INFO);
    for (times = argc > 2 ? atoi(argv[2]) : 1; times > 0; times--) {
        sgx_ql_config_t *config = NULL;
        sgx_ql_qve_collateral_t *collateral = NULL;
        char *identity = NULL, *chain = NULL;
        uint32_t identity_size, chain_size;
        uint8_t *crl = NULL;
        uint16_t crl_size;
        CALL(sgx_ql_get_quote_config, (&id, &config));
        CALL(sgx_ql_get_quote_verification_collateral, (platform.fmspc, 6, "platform", &collateral));
        CALL(sgx_ql_get_qve_identity, (&identity, &identity_size, &chain, &chain_size));
        CALL(sgx_ql_get_root_ca_crl, (&crl, &crl_size));
        sgx_ql_free_quote_config(config);
        sgx_ql_free_quote_verification_collateral(collateral);
        sgx_ql_free_qve_identity(identity, chain);
        sgx_ql_free_root_ca_crl(crl);
    }
    return 0;
}
