/* arguments DIRECTORY: invalid arguments of each function. The directory has platform.bin. */
#include <sys/mman.h>
#include <unistd.h>

#include "platform.h"

static const quote3_error_t wrong = SGX_QL_ERROR_INVALID_PARAMETER;

static void quote_config(const sgx_ql_pck_cert_id_t *right)
{
    static const uint32_t sizes[] = {0, 1, 15, 17, 383, 385, 0xffffffff};
    sgx_ql_config_t *config = NULL;
    sgx_ql_pck_cert_id_t id;
    size_t i;
    RETURNS(wrong, sgx_ql_get_quote_config(NULL, &config));
    RETURNS(wrong, sgx_ql_get_quote_config(right, NULL));
    id = *right, id.p_qe3_id = NULL;
    RETURNS(wrong, sgx_ql_get_quote_config(&id, &config));
    id = *right, id.p_platform_cpu_svn = NULL;
    RETURNS(wrong, sgx_ql_get_quote_config(&id, &config));
    id = *right, id.p_platform_pce_isv_svn = NULL;
    RETURNS(wrong, sgx_ql_get_quote_config(&id, &config));
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        id = *right, id.qe3_id_size = sizes[i];
        RETURNS(wrong, sgx_ql_get_quote_config(&id, &config));
        id = *right, id.encrypted_ppid_size = sizes[i];
        RETURNS(wrong, sgx_ql_get_quote_config(&id, &config));
        /* Without a PPID its size means nothing. */
        id.p_encrypted_ppid = NULL;
        RETURNS(SGX_QL_SUCCESS, sgx_ql_get_quote_config(&id, &config));
        RETURNS(SGX_QL_SUCCESS, sgx_ql_free_quote_config(config));
    }
    for (i = 0; i < 256; i++) {
        id = *right, id.crypto_suite = (uint8_t)i;
        if (i == 1) continue;
        config = (sgx_ql_config_t *)&id;
        RETURNS(wrong, sgx_ql_get_quote_config(&id, &config));
        CHECK(config == NULL);
    }
    id = *right, id.pce_id ^= 1;
    RETURNS(SGX_QL_PLATFORM_UNKNOWN, sgx_ql_get_quote_config(&id, &config));
    CHECK(config == NULL);
    platform.pce_svn ^= 1;
    RETURNS(SGX_QL_CERTS_UNAVAILABLE, sgx_ql_get_quote_config(right, &config));
    platform.pce_svn ^= 1;
    RETURNS(SGX_QL_SUCCESS, sgx_ql_free_quote_config(NULL));
}

/* Arguments at odd addresses, and those that end where memory ends. */
static void places(const sgx_ql_pck_cert_id_t *right)
{
    long page = sysconf(_SC_PAGESIZE);
    uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sgx_ql_config_t *config;
    sgx_ql_qve_collateral_t *collateral;
    sgx_ql_pck_cert_id_t *id;
    CHECK(pages != MAP_FAILED && mprotect(pages + page, page, PROT_NONE) == 0);
    id = (sgx_ql_pck_cert_id_t *)(pages + page - sizeof *id);
    memcpy(id, right, sizeof *id);
    id->p_platform_pce_isv_svn = (sgx_isv_svn_t *)((uint8_t *)id - 3);
    memcpy((uint8_t *)id - 3, &platform.pce_svn, 2);
    RETURNS(SGX_QL_SUCCESS, sgx_ql_get_quote_config(id, &config));
    RETURNS(SGX_QL_SUCCESS, sgx_ql_free_quote_config(config));
    memcpy(pages + page - 6, platform.fmspc, 6);
    RETURNS(SGX_QL_SUCCESS,
            sgx_ql_get_quote_verification_collateral(pages + page - 6, 6, "platform", &collateral));
    RETURNS(SGX_QL_SUCCESS, sgx_ql_free_quote_verification_collateral(collateral));
    memcpy(pages + page - 9, "platform", 9);
    RETURNS(SGX_QL_SUCCESS, sgx_ql_get_quote_verification_collateral(
                                platform.fmspc, 6, (char *)pages + page - 9, &collateral));
    RETURNS(SGX_QL_SUCCESS, sgx_ql_free_quote_verification_collateral(collateral));
    CHECK(munmap(pages, 2 * page) == 0);
}

typedef __typeof__(&sgx_ql_get_quote_verification_collateral) get_t;
typedef __typeof__(&sgx_ql_get_quote_verification_collateral_with_params) get_with_params_t;

static void collateral(get_t get, get_with_params_t get_with_params)
{
    static const uint16_t sizes[] = {0, 1, 5, 7, 12, 0xffff};
    static const char *const names[] = {"", "Platform", "platform ", "root", "processor\n", "plat"};
    const uint8_t *fmspc = platform.fmspc;
    sgx_ql_qve_collateral_t *it = NULL;
    size_t i;
    RETURNS(wrong, get(NULL, 6, "platform", &it));
    RETURNS(wrong, get(fmspc, 6, NULL, &it));
    RETURNS(wrong, get(fmspc, 6, "platform", NULL));
    RETURNS(wrong, get_with_params(NULL, 6, "platform", NULL, 0, &it));
    RETURNS(wrong, get_with_params(fmspc, 6, NULL, NULL, 0, &it));
    RETURNS(wrong, get_with_params(fmspc, 6, "platform", NULL, 0, NULL));
    RETURNS(wrong, get_with_params(fmspc, 6, "platform", NULL, 1, &it));
    RETURNS(wrong, get_with_params(fmspc, 6, "platform", fmspc, 0, &it));
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        it = (sgx_ql_qve_collateral_t *)&platform;
        RETURNS(wrong, get(fmspc, sizes[i], "platform", &it));
        CHECK(it == NULL);
    }
    for (i = 0; i < sizeof names / sizeof *names; i++) RETURNS(wrong, get(fmspc, 6, names[i], &it));
    /* Another kind of platform. */
    RETURNS(SGX_QL_TCBINFO_NOT_FOUND, get((const uint8_t *)"other!", 6, "platform", &it));
    CHECK(it == NULL);
}

static void rest(void)
{
    char *text;
    uint8_t *bytes;
    uint32_t size;
    uint16_t short_size;
    unsigned kind;
    RETURNS(wrong, sgx_ql_get_qve_identity(NULL, &size, &text, &size));
    RETURNS(wrong, sgx_ql_get_qve_identity(&text, NULL, &text, &size));
    RETURNS(wrong, sgx_ql_get_qve_identity(&text, &size, NULL, &size));
    RETURNS(wrong, sgx_ql_get_qve_identity(&text, &size, &text, NULL));
    RETURNS(wrong, sgx_ql_get_root_ca_crl(NULL, &short_size));
    RETURNS(wrong, sgx_ql_get_root_ca_crl(&bytes, NULL));
    RETURNS(wrong, tee_get_default_platform_policy(NULL, 6, &bytes, &size));
    RETURNS(wrong, tee_get_default_platform_policy(platform.fmspc, 5, &bytes, &size));
    RETURNS(wrong, tee_get_default_platform_policy(platform.fmspc, 6, NULL, &size));
    RETURNS(wrong, tee_get_default_platform_policy(platform.fmspc, 6, &bytes, NULL));
    RETURNS(SGX_QL_SUCCESS, sgx_ql_free_quote_verification_collateral(NULL));
    RETURNS(SGX_QL_SUCCESS, tdx_ql_free_quote_verification_collateral(NULL));
    RETURNS(SGX_QL_SUCCESS, sgx_ql_free_qve_identity(NULL, NULL));
    RETURNS(SGX_QL_SUCCESS, sgx_ql_free_root_ca_crl(NULL));
    RETURNS(SGX_QL_SUCCESS, tee_free_platform_policy(NULL));
    for (kind = 0; kind < 8; kind++) RETURNS(SGX_QL_SUCCESS, sgx_qpl_clear_cache(kind));
    for (kind = 8; kind != 0; kind <<= 1) RETURNS(wrong, sgx_qpl_clear_cache(kind | 1));
}

int main(int argc, char **argv)
{
    sgx_ql_pck_cert_id_t id;
    CHECK(argc == 2);
    id = read_platform(argv[1]);
    quote_config(&id);
    places(&id);
    collateral(sgx_ql_get_quote_verification_collateral,
               sgx_ql_get_quote_verification_collateral_with_params);
    collateral(tdx_ql_get_quote_verification_collateral,
               tdx_ql_get_quote_verification_collateral_with_params);
    rest();
    return 0;
}
