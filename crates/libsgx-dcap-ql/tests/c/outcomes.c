/*
 * outcomes [FUNCTION]: calls each function, or the one that is named, with arguments that are in order,
 * and prints what it returns: the name, a space, the number. What the trace callback is told comes in
 * lines that begin with "told".
 */
#include "check.h"

static void told(sgx_ql_log_level_t level, const char *message)
{
    printf("told %d %s\n", level, message);
}

#define CALL(function, arguments)                                 \
    do {                                                          \
        if (only == NULL || strcmp(only, #function) == 0)         \
            printf("%s %u\n", #function, (unsigned)function arguments); \
    } while (0)

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;
    static sgx_report_t report;
    static sgx_att_key_id_ext_t key_id;
    static uint8_t quote[8192], pub_key_id[32];
    sgx_att_key_id_t *key = (sgx_att_key_id_t *)&key_id, selected;
    sgx_att_key_id_ext_t ids[1];
    sgx_target_info_t target_info;
    size_t pub_key_id_size = sizeof pub_key_id;
    uint32_t number;

    CALL(sgx_ql_set_trace_callback, (told, SGX_QL_LOG_ERROR));
    CALL(sgx_get_supported_att_key_id_num, (&number));
    CALL(sgx_get_supported_att_key_ids, (ids, 1));
    CALL(sgx_select_att_key_id, (NULL, 0, &selected));
    CALL(sgx_init_quote_ex, (key, &target_info, &pub_key_id_size, pub_key_id));
    CALL(sgx_get_quote_size_ex, (key, &number));
    CALL(sgx_get_quote_ex, (&report, key, NULL, quote, sizeof quote));
    CALL(sgx_qe_get_target_info, (&target_info));
    CALL(sgx_qe_get_quote_size, (&number));
    CALL(sgx_qe_get_quote, (&report, sizeof quote, quote));
    return 0;
}
