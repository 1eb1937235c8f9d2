/*
 * two_calls DIRECTORY: each size is asked for before there is a buffer, as it was done with the first
 * versions of the interface. The directory has report.bin, a REPORT for the Quoting Enclave.
 */
#include "check.h"

int main(int argc, char **argv)
{
    sgx_report_t report;
    sgx_att_key_id_t key_id;
    sgx_target_info_t target_info;
    size_t pub_key_id_size = 12345;
    uint32_t quote_size;
    uint8_t *pub_key_id, *quote;

    CHECK(argc == 2);
    read_file(argv[1], "report.bin", &report, sizeof report);
    key_id = preferred_key();

    memset(&target_info, 0xff, sizeof target_info);
    RETURNS(SGX_SUCCESS, sgx_init_quote_ex(&key_id, &target_info, &pub_key_id_size, NULL));
    CHECK(pub_key_id_size == 32);
    CHECK(is_zero((uint8_t *)&target_info, sizeof target_info));
    pub_key_id = calloc(1, pub_key_id_size);
    CHECK(pub_key_id != NULL);
    RETURNS(SGX_SUCCESS, sgx_init_quote_ex(&key_id, &target_info, &pub_key_id_size, pub_key_id));
    CHECK(!is_zero((uint8_t *)&target_info, sizeof target_info));
    CHECK(!is_zero(pub_key_id, 32));

    RETURNS(SGX_SUCCESS, sgx_get_quote_size_ex(&key_id, &quote_size));
    quote = calloc(1, quote_size);
    CHECK(quote != NULL);
    RETURNS(SGX_SUCCESS, sgx_get_quote_ex(&report, &key_id, NULL, quote, quote_size));
    write_file(argv[1], "two_calls.bin", quote, quote_size);
    free(pub_key_id);
    free(quote);
    return 0;
}
