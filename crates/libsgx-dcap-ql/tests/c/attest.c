/*
 * attest DIRECTORY: goes through all functions of both libraries that lead to a quote.
 *
 * The directory has report.bin, a REPORT for the Quoting Enclave, and app_target_info.bin, the target
 * info of the application's enclave. The program adds what it gets.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/time.h>

#include "check.h"

#define MORE 1000

static void on_signal(int number)
{
    (void)number;
}

/* An application has signals of its own, which interrupt system calls. */
static void begin_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct itimerval often = {{0, 200}, {0, 200}};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
}

static void through_quote_ex(const char *directory, const sgx_report_t *report)
{
    uint32_t number, size;
    sgx_att_key_id_ext_t *key_ids;
    sgx_att_key_id_t key_id;
    sgx_target_info_t target_info;
    uint8_t pub_key_id[32], *quote;
    size_t pub_key_id_size = sizeof pub_key_id;
    sgx_qe_report_info_t info;
    struct {
        uint16_t id, version;
        uint32_t number;
        sgx_att_key_id_ext_t key_ids[2];
    } list;

    RETURNS(SGX_SUCCESS, sgx_get_supported_att_key_id_num(&number));
    CHECK(number == 1);
    key_ids = calloc(number, sizeof *key_ids);
    CHECK(key_ids != NULL);
    RETURNS(SGX_SUCCESS, sgx_get_supported_att_key_ids(key_ids, number));
    CHECK(key_ids[0].base.algorithm_id == 2 && key_ids[0].base.mrsigner_length == 32);

    /* The second id is the one there is; the caller's own bytes come back with it. */
    memset(&list, 0, sizeof list);
    list.number = 2;
    list.key_ids[1] = key_ids[0];
    list.key_ids[1].spid[0] = 7;
    RETURNS(SGX_SUCCESS, sgx_select_att_key_id((uint8_t *)&list, sizeof list, &key_id));
    CHECK(memcmp(&key_id, &list.key_ids[1], sizeof key_id) == 0);
    key_id = preferred_key();
    CHECK(memcmp(&key_id, key_ids, sizeof key_id) == 0);
    free(key_ids);

    RETURNS(SGX_SUCCESS, sgx_init_quote_ex(&key_id, &target_info, &pub_key_id_size, pub_key_id));
    CHECK(!is_zero(pub_key_id, sizeof pub_key_id));
    write_file(directory, "target_info.bin", &target_info, sizeof target_info);

    RETURNS(SGX_SUCCESS, sgx_get_quote_size_ex(&key_id, &size));
    quote = malloc(size + MORE);
    CHECK(quote != NULL);
    memset(quote, 0xff, size + MORE);
    memset(&info, 0, sizeof info);
    memset(info.nonce.rand, 3, sizeof info.nonce.rand);
    read_file(directory, "app_target_info.bin", &info.app_enclave_target_info, 512);
    RETURNS(SGX_SUCCESS, sgx_get_quote_ex(report, &key_id, &info, quote, size + MORE));
    CHECK(is_zero(quote + size, MORE));
    write_file(directory, "quote_ex.bin", quote, size);
    write_file(directory, "qe_report_info.bin", &info, sizeof info);
    RETURNS(SGX_SUCCESS, sgx_get_quote_ex(report, &key_id, NULL, quote, size));
    free(quote);
}

static void through_dcap_ql(const char *directory, const sgx_report_t *report)
{
    uint32_t size;
    sgx_target_info_t target_info, expected;
    uint8_t *quote;

    RETURNS(SGX_QL_SUCCESS, sgx_qe_get_target_info(&target_info));
    read_file(directory, "target_info.bin", &expected, sizeof expected);
    CHECK(memcmp(&target_info, &expected, sizeof expected) == 0);
    RETURNS(SGX_QL_SUCCESS, sgx_qe_get_quote_size(&size));
    quote = malloc(size);
    CHECK(quote != NULL);
    RETURNS(SGX_QL_SUCCESS, sgx_qe_get_quote(report, size, quote));
    write_file(directory, "dcap_ql.bin", quote, size);
    free(quote);
}

int main(int argc, char **argv)
{
    sgx_report_t report;
    CHECK(argc == 2);
    read_file(argv[1], "report.bin", &report, sizeof report);
    begin_signals();
    through_quote_ex(argv[1], &report);
    through_dcap_ql(argv[1], &report);
    return 0;
}
