/* privileged: prints the settings in effect, with privileges that the caller lacks. */
#include <stdio.h>
#include <sys/auxv.h>

#include "sgx_dcap_quoteverify.h"

static void hear(int level, const char *message)
{
    (void)level;
    printf("%s\n", message);
}

int main(int argc, char **argv)
{
    uint8_t *identity, *chain, *crl;
    uint32_t size;
    uint16_t crl_size;
    (void)argv;
    if (argc > 1) {
        printf("%lu\n", getauxval(AT_SECURE));
        return 0;
    }
    sgx_trace_logger_callback = hear;
    sgx_trace_loglevel = SE_TRACE_NOTICE;
    printf("%#x\n", (unsigned)sgx_qv_get_qve_identity(&identity, &size, &chain, &size, &crl, &crl_size));
    return 0;
}
