/*
 * arguments DIRECTORY: everything that a caller can get wrong. The directory has report.bin, a REPORT
 * for the Quoting Enclave. The program is run with the service and without it.
 */
#include "check.h"

static sgx_report_t report;
static sgx_att_key_id_t key_id, unknown;

static void key_ids(void)
{
    const sgx_status_t wrong = SGX_ERROR_INVALID_PARAMETER;
    sgx_att_key_id_ext_t ids[2];
    RETURNS(wrong, sgx_get_supported_att_key_id_num(NULL));
    RETURNS(wrong, sgx_get_supported_att_key_ids(NULL, 1));
    RETURNS(wrong, sgx_get_supported_att_key_ids(ids, 0));
    RETURNS(wrong, sgx_get_supported_att_key_ids(ids, 2));
    RETURNS(wrong, sgx_get_supported_att_key_ids(ids, 0x1000000));
    RETURNS(wrong, sgx_get_supported_att_key_ids(ids, UINT32_MAX));
}

static void selection(void)
{
    const sgx_status_t wrong = SGX_ERROR_INVALID_PARAMETER;
    sgx_att_key_id_t selected;
    uint8_t list[8 + 11 * 256];
    memset(list, 0, sizeof list);
    list[4] = 1;
    memcpy(list + 8, &unknown, 256);
    RETURNS(wrong, sgx_select_att_key_id(NULL, 0, NULL));
    RETURNS(wrong, sgx_select_att_key_id(NULL, 264, &selected));
    RETURNS(wrong, sgx_select_att_key_id(list, 264, NULL));
    RETURNS(wrong, sgx_select_att_key_id(list, 0, &selected));
    RETURNS(wrong, sgx_select_att_key_id(list, 7, &selected));
    RETURNS(wrong, sgx_select_att_key_id(list, 263, &selected));
    RETURNS(wrong, sgx_select_att_key_id(list, 265, &selected));
    RETURNS(wrong, sgx_select_att_key_id(list, UINT32_MAX, &selected));
    RETURNS(SGX_ERROR_UNSUPPORTED_ATT_KEY_ID, sgx_select_att_key_id(list, 264, &selected));
    list[0] = 1;
    RETURNS(wrong, sgx_select_att_key_id(list, 264, &selected));
    list[0] = 0;
    list[4] = 11;
    RETURNS(wrong, sgx_select_att_key_id(list, sizeof list, &selected));
}

static void initialization(void)
{
    const sgx_status_t wrong = SGX_ERROR_INVALID_PARAMETER;
    sgx_target_info_t target_info;
    uint8_t id[33];
    size_t size, i;
    const size_t sizes[] = {0, 1, 31, 33, UINT32_MAX, SIZE_MAX};
    size = 32;
    RETURNS(wrong, sgx_init_quote_ex(NULL, &target_info, &size, id));
    RETURNS(wrong, sgx_init_quote_ex(&key_id, NULL, &size, id));
    RETURNS(wrong, sgx_init_quote_ex(&key_id, &target_info, NULL, id));
    RETURNS(wrong, sgx_init_quote_ex(NULL, &target_info, &size, NULL));
    RETURNS(wrong, sgx_init_quote_ex(&key_id, NULL, &size, NULL));
    RETURNS(wrong, sgx_init_quote_ex(&key_id, &target_info, NULL, NULL));
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size = sizes[i];
        RETURNS(wrong, sgx_init_quote_ex(&key_id, &target_info, &size, id));
    }
    size = 32;
    RETURNS(SGX_ERROR_UNSUPPORTED_ATT_KEY_ID, sgx_init_quote_ex(&unknown, &target_info, &size, id));
    RETURNS(SGX_ERROR_UNSUPPORTED_ATT_KEY_ID, sgx_init_quote_ex(&unknown, &target_info, &size, NULL));
}

static void quoting(uint32_t size, uint8_t *quote)
{
    const sgx_status_t wrong = SGX_ERROR_INVALID_PARAMETER;
    sgx_report_t other = report;
    RETURNS(wrong, sgx_get_quote_size_ex(NULL, &size));
    RETURNS(wrong, sgx_get_quote_size_ex(&key_id, NULL));
    RETURNS(SGX_ERROR_UNSUPPORTED_ATT_KEY_ID, sgx_get_quote_size_ex(&unknown, &size));
    RETURNS(wrong, sgx_get_quote_ex(NULL, &key_id, NULL, quote, size));
    RETURNS(wrong, sgx_get_quote_ex(&report, NULL, NULL, quote, size));
    RETURNS(wrong, sgx_get_quote_ex(&report, &key_id, NULL, NULL, size));
    RETURNS(wrong, sgx_get_quote_ex(&report, &key_id, NULL, quote, 0));
    RETURNS(wrong, sgx_get_quote_ex(&report, &key_id, NULL, quote, 1));
    RETURNS(wrong, sgx_get_quote_ex(&report, &key_id, NULL, quote, size - 1));
    RETURNS(SGX_ERROR_UNSUPPORTED_ATT_KEY_ID, sgx_get_quote_ex(&report, &unknown, NULL, quote, size));
    other.mac[0] ^= 1;
    RETURNS(SGX_ERROR_MAC_MISMATCH, sgx_get_quote_ex(&other, &key_id, NULL, quote, size));
    RETURNS(SGX_SUCCESS, sgx_get_quote_ex(&report, &key_id, NULL, quote, size));
}

static void dcap_ql(uint32_t size, uint8_t *quote)
{
    const quote3_error_t wrong = SGX_QL_ERROR_INVALID_PARAMETER;
    sgx_report_t other = report;
    /* Intel's library does not pass a service's refusal of a REPORT on either. */
    int service = getenv("SGX_AESM_ADDR") != NULL;
    RETURNS(wrong, sgx_qe_get_target_info(NULL));
    RETURNS(wrong, sgx_qe_get_quote_size(NULL));
    RETURNS(wrong, sgx_qe_get_quote(NULL, size, quote));
    RETURNS(wrong, sgx_qe_get_quote(&report, size, NULL));
    RETURNS(wrong, sgx_qe_get_quote(&report, 0, quote));
    RETURNS(wrong, sgx_qe_get_quote(&report, size - 1, quote));
    other.mac[0] ^= 1;
    RETURNS(service ? SGX_QL_ERROR_UNEXPECTED : SGX_QL_INVALID_REPORT,
            sgx_qe_get_quote(&other, size, quote));
    RETURNS(SGX_QL_SUCCESS, sgx_qe_get_quote(&report, size, quote));
}

static void settings(const char *directory)
{
    char file[4096];
    int service = getenv("SGX_AESM_ADDR") != NULL;
    quote3_error_t wrong = service ? SGX_QL_UNSUPPORTED_MODE : SGX_QL_ERROR_INVALID_PARAMETER;
    quote3_error_t right = service ? SGX_QL_UNSUPPORTED_MODE : SGX_QL_SUCCESS;
    quote3_error_t policy = service ? SGX_QL_UNSUPPORTED_MODE : SGX_QL_UNSUPPORTED_LOADING_POLICY;
    int type;
    CHECK(snprintf(file, sizeof file, "%s/report.bin", directory) < (int)sizeof file);
    RETURNS(right, sgx_qe_set_enclave_load_policy(SGX_QL_PERSISTENT));
    RETURNS(right, sgx_qe_set_enclave_load_policy(SGX_QL_EPHEMERAL));
    RETURNS(policy, sgx_qe_set_enclave_load_policy((sgx_ql_request_policy_t)2));
    RETURNS(right, sgx_qe_cleanup_by_policy());
    for (type = SGX_QL_QE3_PATH; type <= SGX_QL_IDE_PATH; type++) {
        RETURNS(right, sgx_ql_set_path((sgx_ql_path_type_t)type, file));
        RETURNS(wrong, sgx_ql_set_path((sgx_ql_path_type_t)type, NULL));
        RETURNS(wrong, sgx_ql_set_path((sgx_ql_path_type_t)type, directory));
        RETURNS(wrong, sgx_ql_set_path((sgx_ql_path_type_t)type, "/no/such/file"));
    }
    RETURNS(wrong, sgx_ql_set_path((sgx_ql_path_type_t)4, file));
}

int main(int argc, char **argv)
{
    uint32_t size;
    uint8_t *quote;
    CHECK(argc == 2);
    read_file(argv[1], "report.bin", &report, sizeof report);
    key_id = unknown = preferred_key();
    /* ECDSA P-384, which nobody has. */
    ((sgx_att_key_id_ext_t *)&unknown)->base.algorithm_id = 3;
    RETURNS(SGX_SUCCESS, sgx_get_quote_size_ex(&key_id, &size));
    quote = malloc(size);
    CHECK(quote != NULL);
    key_ids();
    selection();
    initialization();
    quoting(size, quote);
    dcap_ql(size, quote);
    settings(argv[1]);
    free(quote);
    return 0;
}
