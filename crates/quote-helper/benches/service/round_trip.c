/*
 * round_trip REPORT: how long sgx_get_quote_ex takes.
 *
 * REPORT is a file with a REPORT for the Quoting Enclave. For each number on standard input the
 * program gets so many quotes, one after the other, and writes the nanoseconds of one on average.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sgx_uae_quote_ex.h"

enum { BUFFER_SIZE = 8 * 1024 };

static void must_succeed(const char *function, sgx_status_t status)
{
    if (status == SGX_SUCCESS)
        return;
    fprintf(stderr, "%s returns %#x\n", function, (unsigned)status);
    exit(1);
}

static long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long round_trip(const sgx_report_t *report, const sgx_att_key_id_t *key_id, unsigned calls)
{
    static uint8_t quote[BUFFER_SIZE];
    long long begin = nanoseconds();

    for (unsigned call = 0; call < calls; call++)
        must_succeed("sgx_get_quote_ex", sgx_get_quote_ex(report, key_id, NULL, quote, BUFFER_SIZE));
    return (nanoseconds() - begin) / calls;
}

int main(int argc, char **argv)
{
    sgx_report_t report;
    sgx_att_key_id_t key_id;
    unsigned calls;
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;

    if (!file || fread(&report, sizeof report, 1, file) != 1) {
        fputs("round_trip needs a file with a REPORT\n", stderr);
        return 2;
    }
    fclose(file);
    must_succeed("sgx_select_att_key_id", sgx_select_att_key_id(NULL, 0, &key_id));
    while (scanf("%u", &calls) == 1 && calls > 0) {
        printf("%lld\n", round_trip(&report, &key_id, calls));
        fflush(stdout);
    }
    return 0;
}
