/* Prints the settings in effect, with privileges that the caller lacks. */
#include <stdio.h>
#include <sys/auxv.h>

#include "sgx_default_quote_provider.h"

static void hear(sgx_ql_log_level_t level, const char *message)
{
    (void)level;
    printf("%s\n", message);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        printf("%lu\n", getauxval(AT_SECURE));
        return 0;
    }
    sgx_ql_set_logging_callback(hear, 1);
    printf("%#x\n", (unsigned)sgx_qpl_global_init());
    return 0;
}
