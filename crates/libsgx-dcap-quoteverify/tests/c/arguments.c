/* arguments DIRECTORY DATE: wrong arguments of each function, and broken quotes and collateral. */
#include <sys/mman.h>
#include <unistd.h>

#include "evidence.h"

static const quote3_error_t wrong = SGX_QL_ERROR_INVALID_PARAMETER;
static evidence_t it;
static time_t date;
static uint8_t anything[1024];

static outcome_t verify_collateral(const sgx_ql_qve_collateral_t *collateral)
{
    return verify(it.quote, it.quote_size, collateral, date);
}

static void fails(quote3_error_t error, outcome_t outcome)
{
    RETURNS(error, outcome.error);
    CHECK(outcome.result == SGX_QL_QV_RESULT_UNSPECIFIED);
}

/* Each argument that must not be NULL or 0, one at a time, of each function that verifies. */
static void verification(void)
{
    const uint8_t *quote = it.quote;
    const uint32_t size = it.quote_size;
    const sgx_ql_qve_collateral_t *collateral = &it.collateral;
    sgx_ql_qv_supplemental_t data;
    sgx_ql_qv_result_t result = SGX_QL_QV_RESULT_OK;
    sgx_ql_qe_report_info_t info;
    tee_supp_data_descriptor_t request = {0, sizeof data, (uint8_t *)&data}, changed;
    uint32_t expired = UNTOUCHED, sizes[] = {0, 1, 671, 673, 1135, 1137, 0xffffffff};
    const uint32_t full = sizeof data;
    uint8_t *place = (uint8_t *)&data;
    size_t i;
    int j;
    memset(&info, 0, sizeof info);
    for (j = 0; j < 2; j++) {
        __typeof__(&sgx_qv_verify_quote) function = j ? tdx_qv_verify_quote : sgx_qv_verify_quote;
        RETURNS(wrong, function(NULL, size, collateral, date, &expired, &result, NULL, full, place));
        CHECK(result == SGX_QL_QV_RESULT_UNSPECIFIED && expired == UNTOUCHED);
        RETURNS(wrong, function(quote, 0, collateral, date, &expired, &result, NULL, full, place));
        RETURNS(wrong, function(quote, 1019, collateral, date, &expired, &result, NULL, full, place));
        result = SGX_QL_QV_RESULT_OK;
        RETURNS(wrong, function(quote, size, collateral, 0, &expired, &result, NULL, full, place));
        CHECK(result == SGX_QL_QV_RESULT_UNSPECIFIED && expired == UNTOUCHED);
        RETURNS(wrong, function(quote, size, collateral, date, NULL, &result, NULL, 672, place));
        RETURNS(wrong, function(quote, size, collateral, date, &expired, NULL, NULL, 672, place));
        RETURNS(wrong, function(quote, size, collateral, date, &expired, &result, NULL, full, NULL));
        RETURNS(wrong, function(quote, size, collateral, date, &expired, &result, NULL, 0, place));
        CHECK(expired == UNTOUCHED);
        RETURNS(wrong, function(quote, size, collateral, date, &expired, &result, NULL, 671, place));
        CHECK(expired == 1);
        RETURNS(wrong, function(quote, size, collateral, -1, &expired, &result, NULL, full, place));
        expired = UNTOUCHED, result = SGX_QL_QV_RESULT_OK;
        RETURNS(SGX_QL_ERROR_UNEXPECTED,
                function(quote, size, collateral, date, &expired, &result, &info, full, place));
        CHECK(expired == UNTOUCHED && result == SGX_QL_QV_RESULT_OK && data.version == 0);
    }
    RETURNS(wrong, tee_verify_quote(NULL, size, (uint8_t *)&it.collateral, date, &expired, &result, NULL, &request));
    RETURNS(wrong, tee_verify_quote(quote, 1019, (uint8_t *)&it.collateral, date, &expired, &result, NULL, &request));
    CHECK(result == SGX_QL_QV_RESULT_OK);
    RETURNS(SGX_QL_SUCCESS, tee_verify_quote(quote, size, (uint8_t *)&it.collateral, date, &expired, &result, NULL, NULL));
    RETURNS(wrong, tee_verify_quote(quote, size, (uint8_t *)&it.collateral, date, NULL, &result, NULL, &request));
    RETURNS(wrong, tee_verify_quote(quote, size, (uint8_t *)&it.collateral, date, &expired, NULL, NULL, &request));
    RETURNS(SGX_QL_ERROR_UNEXPECTED, tee_verify_quote(quote, size, NULL, date, &expired, &result, &info, &request));
#define REQUEST(error)                                                                          \
    RETURNS(error, tee_verify_quote(quote, size, (uint8_t *)&it.collateral, date, &expired,     \
                                    &result, NULL, &changed))
    changed = request, changed.p_data = NULL;
    REQUEST(wrong);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        changed = request, changed.data_size = sizes[i];
        REQUEST(wrong);
    }
    /* A program that was compiled for version 3.4. */
    memset(&data, 0x55, sizeof data);
    changed = request, changed.data_size = offsetof(sgx_ql_qv_supplemental_t, tcb_date_current);
    REQUEST(SGX_QL_SUCCESS);
    CHECK(data.version == 0x40003 && data.tcb_date_current == 0x5555555555555555);
    for (i = 0; i < 6; i++) {
        changed = request, changed.major_version = (uint16_t)i;
        if (i == 0 || i == 3) {
            REQUEST(SGX_QL_SUCCESS);
            CHECK(data.major_version == 3 && data.minor_version == 5);
        } else {
            REQUEST(i < 3 ? wrong : SGX_QL_SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED);
        }
    }
}

/* The quote at each shorter length, as in a block of that size, and followed by other bytes. */
static void truncated_quotes(void)
{
    uint32_t size, length;
    CHECK(memcpy(&length, it.quote + 432, 4) && it.quote_size == 436 + length);
    for (size = 0; size < it.quote_size; size++) {
        uint8_t *quote = malloc(size + !size);
        uint8_t fmspc[6];
        CHECK(quote != NULL);
        memcpy(quote, it.quote, size);
        if (size < 1020) {
            RETURNS(wrong, verify(quote, size, &it.collateral, date).error);
            RETURNS(wrong, tee_get_fmspc_from_quote(quote, size, fmspc, 6));
        } else {
            fails(SGX_QL_QUOTE_FORMAT_UNSUPPORTED, verify(quote, size, &it.collateral, date));
            RETURNS(SGX_QL_QUOTE_FORMAT_UNSUPPORTED, tee_get_fmspc_from_quote(quote, size, fmspc, 6));
        }
        free(quote);
    }
}

/* Sizes of 1 GiB, with memory behind them, and lengths within the quote that point far away. */
static void huge_sizes(void)
{
    static const uint32_t lengths[] = {0, 0x40000000, 0x7fffffff, 0x80000000, 0xffffffff};
    const size_t gibibyte = 1u << 30;
    uint8_t *quote = mmap(NULL, gibibyte, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    sgx_ql_qve_collateral_t collateral;
    size_t i;
    CHECK(quote != MAP_FAILED);
    memcpy(quote, it.quote, it.quote_size);
    CHECK(verify(quote, (uint32_t)gibibyte, &it.collateral, date).error == SGX_QL_SUCCESS);
    for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(quote + 432, &lengths[i], 4);
        fails(SGX_QL_QUOTE_FORMAT_UNSUPPORTED, verify(quote, it.quote_size, &it.collateral, date));
    }
    memset(quote, 'x', it.quote_size);
    collateral = it.collateral;
    collateral.tcb_info = (char *)quote, collateral.tcb_info_size = (uint32_t)gibibyte;
    fails(wrong, verify_collateral(&collateral));
    collateral = it.collateral;
    collateral.pck_crl = (char *)quote, collateral.pck_crl_size = (uint32_t)gibibyte;
    fails(SGX_QL_CRL_UNSUPPORTED_FORMAT, verify_collateral(&collateral));
    CHECK(munmap(quote, gibibyte) == 0);
}

/* Each piece of the collateral: NULL, empty, without a zero byte, with one too many, cut, garbage. */
static void broken_collateral(void)
{
    struct {
        size_t place;
        int is_crl;
        quote3_error_t garbage;
    } pieces[] = {
#define PIECE(name, is_crl, garbage) {offsetof(sgx_ql_qve_collateral_t, name), is_crl, garbage}
        PIECE(pck_crl_issuer_chain, 0, SGX_QL_PCK_CERT_CHAIN_ERROR),
        PIECE(root_ca_crl, 1, SGX_QL_CRL_UNSUPPORTED_FORMAT),
        PIECE(pck_crl, 1, SGX_QL_CRL_UNSUPPORTED_FORMAT),
        PIECE(tcb_info_issuer_chain, 0, SGX_QL_PCK_CERT_CHAIN_ERROR),
        PIECE(tcb_info, 0, SGX_QL_TCBINFO_UNSUPPORTED_FORMAT),
        PIECE(qe_identity_issuer_chain, 0, SGX_QL_PCK_CERT_CHAIN_ERROR),
        PIECE(qe_identity, 0, SGX_QL_QEIDENTITY_UNSUPPORTED_FORMAT),
#undef PIECE
    };
    size_t i;
    for (i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        sgx_ql_qve_collateral_t changed = it.collateral;
        char **text = (char **)((uint8_t *)&changed + pieces[i].place);
        uint32_t *size = (uint32_t *)(text + 1);
        const quote3_error_t missing = pieces[i].is_crl ? pieces[i].garbage : wrong;
        char *const whole = *text, *block = malloc(*size + 1);
        const uint32_t whole_size = *size;
        CHECK(block != NULL);
        *text = NULL;
        fails(missing, verify_collateral(&changed));
        *text = whole, *size = 0;
        fails(missing, verify_collateral(&changed));
        /* Blocks of their own size, so that a read behind them is seen. */
        *text = realloc(block, whole_size - 1), *size = whole_size - 1;
        memcpy(*text, whole, whole_size - 1);
        if (pieces[i].is_crl) CHECK(verify_collateral(&changed).error == SGX_QL_SUCCESS);
        else fails(wrong, verify_collateral(&changed));
        *text = block = realloc(*text, whole_size + 1), *size = whole_size + 1;
        memcpy(block, whole, whole_size), block[whole_size] = 0;
        if (pieces[i].is_crl) fails(pieces[i].garbage, verify_collateral(&changed));
        else fails(wrong, verify_collateral(&changed));
        *size = whole_size / 2, block[*size - 1] = 0;
        CHECK(verify_collateral(&changed).error != SGX_QL_SUCCESS);
        memset(block, 'x', whole_size), block[whole_size - 1] = 0, *size = whole_size;
        fails(pieces[i].garbage, verify_collateral(&changed));
        free(block);
    }
}

static void versions(void)
{
    static const uint32_t accepted[] = {1, 3, 0x10003, 4};
    static const uint32_t others[] = {0, 2, 5, 0x10001, 0x20003, 0x10004, 0xffffffff};
    sgx_ql_qve_collateral_t changed = it.collateral;
    size_t i;
    for (i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        changed.version = accepted[i], changed.tee_type = (uint32_t)i * 0x81;
        CHECK(verify_collateral(&changed).error == SGX_QL_SUCCESS);
    }
    for (i = 0; i < sizeof others / sizeof *others; i++) {
        changed.version = others[i];
        fails(SGX_QL_COLLATERAL_VERSION_NOT_SUPPORTED, verify_collateral(&changed));
    }
}

/* A quote of another TEE leaves the results as they are. */
static void other_tees(void)
{
    static const uint32_t types[] = {1, 0x80, 0x82, 0x81000000, 0xffffffff};
    uint8_t *quote = malloc(it.quote_size);
    outcome_t outcome;
    size_t i;
    CHECK(quote != NULL);
    memcpy(quote, it.quote, it.quote_size);
    for (i = 0; i < sizeof types / sizeof *types; i++) {
        memcpy(quote + 4, &types[i], 4);
        outcome = verify(quote, it.quote_size, &it.collateral, date);
        RETURNS(wrong, outcome.error);
        CHECK(outcome.result == (sgx_ql_qv_result_t)UNTOUCHED && outcome.expired == UNTOUCHED);
    }
    free(quote);
}

/* Everything at odd addresses, at the end of what can be read. */
static void places(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = 64 * page;
    uint8_t *pages = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *end = pages + room, *quote, *collateral, *data, *results;
    tee_supp_data_descriptor_t request = {3, 1136, NULL};
    uint32_t expired;
    CHECK(pages != MAP_FAILED && mprotect(end, page, PROT_NONE) == 0);
    quote = end - it.quote_size;
    memcpy(quote, it.quote, it.quote_size);
    collateral = pages + 1, data = pages + 1025, results = pages + 2049;
    memcpy(collateral, &it.collateral, sizeof it.collateral);
    request.p_data = data;
    memcpy(pages + 3073, &request, sizeof request);
    RETURNS(SGX_QL_SUCCESS,
            tee_verify_quote(quote, it.quote_size, collateral, date, (uint32_t *)results,
                             (sgx_ql_qv_result_t *)(results + 4), NULL,
                             (tee_supp_data_descriptor_t *)(pages + 3073)));
    memcpy(&expired, results, 4);
    CHECK(expired == 0 && results[4] == 0 && data[0] == 3 && data[2] == 5);
    RETURNS(SGX_QL_SUCCESS, tee_get_supplemental_data_version_and_size(
                                quote, it.quote_size, (uint32_t *)results, (uint32_t *)(results + 5)));
    CHECK(munmap(pages, room + page) == 0);
}

static void sizes_and_paths(void)
{
    uint32_t version, size;
    uint8_t fmspc[6];
    char path[400];
    RETURNS(wrong, sgx_qv_get_quote_supplemental_data_size(NULL));
    RETURNS(wrong, tdx_qv_get_quote_supplemental_data_size(NULL));
    RETURNS(SGX_QL_SUCCESS, sgx_qv_get_quote_supplemental_data_size(&size));
    CHECK(size == sizeof(sgx_ql_qv_supplemental_t));
    RETURNS(SGX_QL_SUCCESS, tdx_qv_get_quote_supplemental_data_size(&size));
    CHECK(size == sizeof(sgx_ql_qv_supplemental_t));
    RETURNS(wrong, tee_get_supplemental_data_version_and_size(NULL, 1020, &version, &size));
    RETURNS(wrong, tee_get_supplemental_data_version_and_size(anything, 1019, &version, &size));
    RETURNS(wrong, tee_get_supplemental_data_version_and_size(anything, 1020, NULL, NULL));
    RETURNS(wrong, tee_get_supplemental_data_version_and_size(anything, 1020, &version, NULL));
    RETURNS(SGX_QL_SUCCESS, tee_get_supplemental_data_version_and_size(anything, 1020, NULL, &size));
    RETURNS(SGX_QL_SUCCESS, tee_get_supplemental_data_version_and_size(anything, 1020, &version, &size));
    CHECK(version == 0x50003 && size == 1136);
    RETURNS(wrong, tee_get_fmspc_from_quote(NULL, it.quote_size, fmspc, 6));
    RETURNS(wrong, tee_get_fmspc_from_quote(it.quote, 1019, fmspc, 6));
    RETURNS(wrong, tee_get_fmspc_from_quote(it.quote, it.quote_size, NULL, 6));
    RETURNS(wrong, tee_get_fmspc_from_quote(it.quote, it.quote_size, fmspc, 5));
    RETURNS(SGX_QL_SUCCESS, tee_get_fmspc_from_quote(it.quote, it.quote_size, fmspc, 0xffffffff));

    memset(path, 'x', sizeof path), path[399] = 0;
    RETURNS(wrong, sgx_qv_set_path(SGX_QV_QPL_PATH, NULL));
    RETURNS(wrong, sgx_qv_set_path(SGX_QV_QPL_PATH, path));
    RETURNS(wrong, sgx_qv_set_path(SGX_QV_QPL_PATH, ""));
    RETURNS(wrong, sgx_qv_set_path(SGX_QV_QPL_PATH, "/"));
    RETURNS(wrong, sgx_qv_set_path(SGX_QV_QPL_PATH, "/none"));
    RETURNS(wrong, sgx_qv_set_path((sgx_qv_path_type_t)2, "/proc/self/exe"));
    RETURNS(SGX_QL_SUCCESS, sgx_qv_set_path(SGX_QV_QVE_PATH, "/proc/self/exe"));
}

static void collateral(void)
{
    uint8_t *text = NULL, *other = anything;
    uint32_t size;
    uint16_t short_size;
    RETURNS(wrong, tee_qv_get_collateral(NULL, it.quote_size, &text, &size));
    RETURNS(wrong, tee_qv_get_collateral(it.quote, 1019, &text, &size));
    RETURNS(wrong, tee_qv_get_collateral(it.quote, it.quote_size, NULL, &size));
    RETURNS(wrong, tee_qv_get_collateral(it.quote, it.quote_size, &other, &size));
    RETURNS(wrong, tee_qv_get_collateral(it.quote, it.quote_size, &text, NULL));
    RETURNS(SGX_QL_QUOTE_FORMAT_UNSUPPORTED, tee_qv_get_collateral(anything, 1020, &text, &size));
    CHECK(text == NULL && size == 0);
    RETURNS(wrong, tee_qv_free_collateral(NULL));
    memset(anything, 1, 8);
    RETURNS(wrong, tee_qv_free_collateral(anything));
    memset(anything, 0, 8);
    RETURNS(wrong, sgx_qv_get_qve_identity(NULL, &size, &text, &size, &text, &short_size));
    RETURNS(wrong, sgx_qv_get_qve_identity(&text, NULL, &text, &size, &text, &short_size));
    RETURNS(wrong, sgx_qv_get_qve_identity(&text, &size, NULL, &size, &text, &short_size));
    RETURNS(wrong, sgx_qv_get_qve_identity(&text, &size, &text, NULL, &text, &short_size));
    RETURNS(wrong, sgx_qv_get_qve_identity(&text, &size, &text, &size, NULL, &short_size));
    RETURNS(wrong, sgx_qv_get_qve_identity(&text, &size, &text, &size, &text, NULL));
    RETURNS(wrong, sgx_qv_free_qve_identity(NULL, anything, anything));
    RETURNS(wrong, sgx_qv_free_qve_identity(anything, NULL, anything));
    RETURNS(wrong, sgx_qv_free_qve_identity(anything, anything, NULL));
    /* A file that is no library, which then is the one for collateral. */
    RETURNS(SGX_QL_SUCCESS, sgx_qv_set_path(SGX_QV_QPL_PATH, "/etc/quote-helper/quote-verification-roots.pem"));
    RETURNS(SGX_QL_PLATFORM_LIB_UNAVAILABLE, tee_qv_get_collateral(it.quote, it.quote_size, &text, &size));
    {
        outcome_t outcome = verify_collateral(NULL);
        RETURNS(SGX_QL_PLATFORM_LIB_UNAVAILABLE, outcome.error);
        CHECK(outcome.result == (sgx_ql_qv_result_t)UNTOUCHED && outcome.expired == UNTOUCHED);
    }
}

static void enclaves(void)
{
    const uint8_t *key = anything, *keys[] = {anything, NULL};
    uint8_t *policies[] = {anything, NULL}, *token = NULL;
    tee_policy_bundle_t bundle, changed;
    tee_policy_auth_result_t result;
    sgx_ql_qe_report_info_t info;
    uint32_t size;
    char text[130];
    const quote3_error_t none = SGX_QL_INTERFACE_UNAVAILABLE, enclave = SGX_QL_ERROR_UNEXPECTED;
    memset(&bundle, 0, sizeof bundle);
    memset(&info, 0, sizeof info);
    memset(text, 'x', sizeof text), text[129] = 0;
    RETURNS(SGX_QL_UNSUPPORTED_LOADING_POLICY, sgx_qv_set_enclave_load_policy((sgx_ql_request_policy_t)4));
    RETURNS(SGX_QL_SUCCESS, sgx_qv_set_enclave_load_policy(SGX_QL_PERSISTENT));
    RETURNS(SGX_QL_UNSUPPORTED_LOADING_POLICY, sgx_qv_set_enclave_load_policy(SGX_QL_PERSISTENT));
    RETURNS(SGX_QL_UNSUPPORTED_LOADING_POLICY, sgx_qae_set_enclave_load_policy((sgx_ql_request_policy_t)2));
    RETURNS(SGX_QL_SUCCESS, sgx_qae_set_enclave_load_policy(SGX_QL_EPHEMERAL));
    RETURNS(SGX_QL_UNSUPPORTED_LOADING_POLICY, sgx_qae_set_enclave_load_policy(SGX_QL_EPHEMERAL));

    RETURNS(wrong, tee_verify_quote_qvt(NULL, it.quote_size, NULL, NULL, NULL, &size, &token));
    RETURNS(wrong, tee_verify_quote_qvt(it.quote, 1019, NULL, NULL, NULL, &size, &token));
    RETURNS(wrong, tee_verify_quote_qvt(it.quote, it.quote_size, NULL, NULL, (uint8_t *)text, &size, &token));
    RETURNS(wrong, tee_verify_quote_qvt(it.quote, it.quote_size, NULL, NULL, NULL, NULL, &token));
    RETURNS(wrong, tee_verify_quote_qvt(it.quote, it.quote_size, NULL, NULL, NULL, &size, NULL));
    RETURNS(enclave, tee_verify_quote_qvt(it.quote, it.quote_size, NULL, &info, NULL, &size, &token));
    RETURNS(none, tee_verify_quote_qvt(it.quote, it.quote_size, NULL, NULL, (uint8_t *)text + 1, &size, &token));
    RETURNS(wrong, tee_free_verify_quote_qvt(NULL, &size));
    RETURNS(wrong, tee_free_verify_quote_qvt(anything, NULL));
    RETURNS(SGX_QL_SUCCESS, tee_free_verify_quote_qvt(malloc(8), &size));
    CHECK(size == 0 && token == NULL);

    RETURNS(wrong, tee_appraise_verification_token(NULL, policies, 1, 1, NULL, &size, &token));
    RETURNS(wrong, tee_appraise_verification_token(anything, NULL, 1, 1, NULL, &size, &token));
    RETURNS(wrong, tee_appraise_verification_token(anything, policies, 0, 1, NULL, &size, &token));
    RETURNS(wrong, tee_appraise_verification_token(anything, policies, 2, 1, NULL, &size, &token));
    RETURNS(wrong, tee_appraise_verification_token(anything, policies, 1, 0, NULL, &size, &token));
    RETURNS(wrong, tee_appraise_verification_token(anything, policies, 1, 1, NULL, NULL, &token));
    RETURNS(wrong, tee_appraise_verification_token(anything, policies, 1, 1, NULL, &size, NULL));
    RETURNS(none, tee_appraise_verification_token(anything, policies, 1, 1, NULL, &size, &token));
    RETURNS(enclave, tee_appraise_verification_token(anything, policies, 1, 1, &info, &size, &token));
    RETURNS(wrong, tee_free_appraisal_token(NULL));
    RETURNS(SGX_QL_SUCCESS, tee_free_appraisal_token(malloc(8)));

    RETURNS(wrong, tee_authenticate_appraisal_result(NULL, &bundle, &result));
    RETURNS(wrong, tee_authenticate_appraisal_result(anything, NULL, &result));
    RETURNS(wrong, tee_authenticate_appraisal_result(anything, &bundle, NULL));
    RETURNS(none, tee_authenticate_appraisal_result(anything, &bundle, &result));
    changed = bundle, changed.platform_policy.pt = CUSTOMIZED;
    RETURNS(wrong, tee_authenticate_appraisal_result(anything, &changed, &result));
    changed = bundle, changed.tdqe_policy.p_policy = anything;
    RETURNS(wrong, tee_authenticate_appraisal_result(anything, &changed, &result));
    changed = bundle, changed.reserved[1].p_policy = anything;
    RETURNS(wrong, tee_authenticate_appraisal_result(anything, &changed, &result));
    RETURNS(wrong, tee_authenticate_appraisal_result_ex(anything, 0, key, &bundle, NULL, NULL, &result, NULL));
    RETURNS(wrong, tee_authenticate_appraisal_result_ex(NULL, 8, key, &bundle, NULL, NULL, &result, NULL));
    RETURNS(wrong, tee_authenticate_appraisal_result_ex(NULL, 0, key, &bundle, key, NULL, &result, NULL));
    RETURNS(wrong, tee_authenticate_appraisal_result_ex(NULL, 0, key, &bundle, NULL, key, &result, NULL));
    RETURNS(enclave, tee_authenticate_appraisal_result_ex(NULL, 0, key, &bundle, NULL, NULL, &result, &info));
    RETURNS(none, tee_authenticate_appraisal_result_ex(NULL, 0, key, &bundle, NULL, NULL, &result, NULL));
    RETURNS(wrong, tee_authenticate_policy_owner(NULL, 0, NULL, keys, 1, NULL, NULL, &result, NULL));
    RETURNS(wrong, tee_authenticate_policy_owner(NULL, 0, key, NULL, 1, NULL, NULL, &result, NULL));
    RETURNS(wrong, tee_authenticate_policy_owner(NULL, 0, key, keys, 0, NULL, NULL, &result, NULL));
    RETURNS(wrong, tee_authenticate_policy_owner(NULL, 0, key, keys, 2, NULL, NULL, &result, NULL));
    RETURNS(wrong, tee_authenticate_policy_owner(NULL, 0, key, keys, 1, NULL, NULL, NULL, NULL));
    RETURNS(wrong, tee_authenticate_policy_owner(NULL, 0, key, keys, 1, key, NULL, &result, NULL));
    RETURNS(enclave, tee_authenticate_policy_owner(NULL, 0, key, keys, 1, NULL, NULL, &result, &info));
    RETURNS(none, tee_authenticate_policy_owner(NULL, 0, key, keys, 1, NULL, NULL, &result, NULL));
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    it = read_evidence(argv[1]);
    date = (time_t)atoll(argv[2]);
    CHECK(verify_collateral(&it.collateral).result == SGX_QL_QV_RESULT_OK);
    verification();
    truncated_quotes();
    huge_sizes();
    broken_collateral();
    versions();
    other_tees();
    places();
    sizes_and_paths();
    enclaves();
    collateral();
    free_evidence(&it);
    return 0;
}
