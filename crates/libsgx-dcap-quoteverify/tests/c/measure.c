/*
 * measure DIRECTORY DATE: for each pair of numbers on standard input, threads and calls, verifies
 * the evidence in the directory that many times in each thread, and prints the nanoseconds from
 * begin to end.
 */
#include <pthread.h>
#include <time.h>

#include "evidence.h"

static evidence_t evidence;
static time_t date;
static unsigned calls;

static long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void *verify_all(void *unused)
{
    unsigned call;
    for (call = 0; call < calls; call++) {
        uint32_t expired;
        sgx_ql_qv_result_t result;
        CHECK(tee_verify_quote(evidence.quote, evidence.quote_size,
                               (const uint8_t *)&evidence.collateral, date, &expired, &result, NULL,
                               NULL) == SGX_QL_SUCCESS);
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[64];
    unsigned count, number;
    CHECK(argc == 3);
    evidence = read_evidence(argv[1]);
    date = (time_t)atoll(argv[2]);
    while (scanf("%u %u", &count, &calls) == 2 && count <= 64) {
        long long begin = nanoseconds();
        for (number = 0; number < count; number++)
            CHECK(pthread_create(&threads[number], NULL, verify_all, NULL) == 0);
        for (number = 0; number < count; number++) CHECK(pthread_join(threads[number], NULL) == 0);
        printf("%lld\n", nanoseconds() - begin);
        fflush(stdout);
    }
    free_evidence(&evidence);
    return 0;
}
