/*
 * small_stack DIRECTORY KIB: attests in a thread with so little stack. The directory has report.bin, a REPORT for the
 * Quoting Enclave.
 */
#include <pthread.h>

#include "check.h"

static sgx_report_t report;
static uint8_t quote[8192];

static void *attest(void *nothing)
{
    sgx_att_key_id_t key_id = preferred_key();
    sgx_target_info_t target_info;
    uint8_t pub_key_id[32];
    size_t pub_key_id_size = sizeof pub_key_id;
    uint32_t size;
    RETURNS(SGX_SUCCESS, sgx_init_quote_ex(&key_id, &target_info, &pub_key_id_size, pub_key_id));
    RETURNS(SGX_SUCCESS, sgx_get_quote_size_ex(&key_id, &size));
    RETURNS(SGX_SUCCESS, sgx_get_quote_ex(&report, &key_id, NULL, quote, size));
    RETURNS(SGX_QL_SUCCESS, sgx_qe_get_target_info(&target_info));
    RETURNS(SGX_QL_SUCCESS, sgx_qe_get_quote_size(&size));
    RETURNS(SGX_QL_SUCCESS, sgx_qe_get_quote(&report, size, quote));
    return nothing;
}

int main(int argc, char **argv)
{
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(argc == 3);
    read_file(argv[1], "report.bin", &report, sizeof report);
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, (size_t)atoi(argv[2]) * 1024) == 0);
    CHECK(pthread_create(&thread, &attributes, attest, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    return 0;
}
