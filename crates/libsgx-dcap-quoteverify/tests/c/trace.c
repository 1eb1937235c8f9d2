/* trace DIRECTORY DATE: prints the messages of a failed and of a valid verification. */
#include "evidence.h"

static void hear(int level, const char *message)
{
    printf("%d %s\n", level, message);
}

int main(int argc, char **argv)
{
    evidence_t it;
    time_t date;
    CHECK(argc == 3);
    CHECK(sgx_trace_logger_callback == NULL && sgx_trace_loglevel == SE_TRACE_NONE);
    it = read_evidence(argv[1]);
    date = (time_t)atoll(argv[2]);
    sgx_trace_logger_callback = hear;
    verify(it.quote, it.quote_size, &it.collateral, 0);
    verify(it.quote, it.quote_size, &it.collateral, date);
    sgx_trace_loglevel = SE_TRACE_ERROR;
    verify(it.quote, it.quote_size, &it.collateral, 0);
    free_evidence(&it);
    return 0;
}
