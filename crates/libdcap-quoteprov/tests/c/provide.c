/*
 * provide DIRECTORY: calls every function of the library, and writes what it gets into files of the
 * directory. That has platform.bin, the platform to ask about.
 *
 * The functions come from the linker, or, with LOADED, from dlopen.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "platform.h"

#define FUNCTIONS(X)                                        \
    X(sgx_ql_get_quote_config)                              \
    X(sgx_ql_free_quote_config)                             \
    X(sgx_ql_get_quote_verification_collateral)             \
    X(sgx_ql_get_quote_verification_collateral_with_params) \
    X(sgx_ql_free_quote_verification_collateral)            \
    X(tdx_ql_get_quote_verification_collateral)             \
    X(tdx_ql_get_quote_verification_collateral_with_params) \
    X(tdx_ql_free_quote_verification_collateral)            \
    X(sgx_ql_get_qve_identity)                              \
    X(sgx_ql_free_qve_identity)                             \
    X(sgx_ql_get_root_ca_crl)                               \
    X(sgx_ql_free_root_ca_crl)                              \
    X(sgx_ql_set_logging_callback)                          \
    X(sgx_qpl_clear_cache)                                  \
    X(sgx_qpl_global_init)                                  \
    X(sgx_qpl_global_cleanup)                               \
    X(tee_get_default_platform_policy)                      \
    X(tee_free_platform_policy)

#define MEMBER(function) __typeof__(&function) function;
static struct { FUNCTIONS(MEMBER) } api;

static void find_functions(void)
{
#ifdef LOADED
    void *library = dlopen("libdcap_quoteprov.so.1", RTLD_LAZY);
    if (library == NULL) fprintf(stderr, "%s\n", dlerror());
    CHECK(library != NULL);
#define FIND(function)                                                        \
    api.function = (__typeof__(&function))dlsym(library, #function);          \
    CHECK(api.function != NULL);
#else
#define FIND(function) api.function = function;
#endif
    FUNCTIONS(FIND)
}

/* Writes the text without the zero byte at its end, which must be there. */
static void write_text(const char *directory, const char *name, const void *text, uint32_t size)
{
    CHECK(text != NULL && size > 1);
    CHECK(((const char *)text)[size - 1] == 0);
    write_file(directory, name, text, size - 1);
}

static void write_string(const char *directory, const char *name, const char *string, uint32_t size)
{
    write_text(directory, name, string, size);
    CHECK(strlen(string) == size - 1);
}

static void quote_config(const char *directory, const sgx_ql_pck_cert_id_t *id)
{
    sgx_ql_config_t *config = NULL;
    RETURNS(SGX_QL_SUCCESS, api.sgx_ql_get_quote_config(id, &config));
    CHECK(config->version == SGX_QL_CONFIG_VERSION_1);
    write_file(directory, "cert_cpu_svn", &config->cert_cpu_svn, 16);
    write_file(directory, "cert_pce_isv_svn", (uint8_t *)config + 20, 2);
    write_string(directory, "cert_data", (char *)config->p_cert_data, config->cert_data_size);
    RETURNS(SGX_QL_SUCCESS, api.sgx_ql_free_quote_config(config));
}

static void write_collateral(const char *directory, const sgx_ql_qve_collateral_t *it)
{
    write_file(directory, "version", &it->version, sizeof it->version);
    CHECK(it->tee_type == 0);
    write_string(directory, "pck_crl_issuer_chain", it->pck_crl_issuer_chain, it->pck_crl_issuer_chain_size);
    write_text(directory, "root_ca_crl", it->root_ca_crl, it->root_ca_crl_size);
    write_text(directory, "pck_crl", it->pck_crl, it->pck_crl_size);
    write_string(directory, "tcb_info_issuer_chain", it->tcb_info_issuer_chain, it->tcb_info_issuer_chain_size);
    write_string(directory, "tcb_info", it->tcb_info, it->tcb_info_size);
    write_string(directory, "qe_identity_issuer_chain", it->qe_identity_issuer_chain,
                 it->qe_identity_issuer_chain_size);
    write_string(directory, "qe_identity", it->qe_identity, it->qe_identity_size);
}

static void collateral(const char *directory)
{
    sgx_ql_qve_collateral_t *first = NULL, *second = NULL;
    RETURNS(SGX_QL_SUCCESS,
            api.sgx_ql_get_quote_verification_collateral(platform.fmspc, 6, "platform", &first));
    write_collateral(directory, first);
    RETURNS(SGX_QL_SUCCESS, api.sgx_ql_get_quote_verification_collateral_with_params(
                                platform.fmspc, 6, "platform", "baseline", 8, &second));
    CHECK(first->tcb_info_size == second->tcb_info_size);
    CHECK(memcmp(first->tcb_info, second->tcb_info, first->tcb_info_size) == 0);
    RETURNS(SGX_QL_SUCCESS, api.sgx_ql_free_quote_verification_collateral(first));
    RETURNS(SGX_QL_SUCCESS, api.sgx_ql_free_quote_verification_collateral(second));
}

/* The software platform is no TDX platform. */
static void tdx_collateral(void)
{
    tdx_ql_qv_collateral_t *none = (tdx_ql_qv_collateral_t *)&platform;
    RETURNS(SGX_QL_TCBINFO_NOT_FOUND,
            api.tdx_ql_get_quote_verification_collateral(platform.fmspc, 6, "platform", &none));
    CHECK(none == NULL);
    RETURNS(SGX_QL_TCBINFO_NOT_FOUND, api.tdx_ql_get_quote_verification_collateral_with_params(
                                          platform.fmspc, 6, "platform", NULL, 0, &none));
    RETURNS(SGX_QL_SUCCESS, api.tdx_ql_free_quote_verification_collateral(none));
}

static void qve_identity(void)
{
    char *identity = NULL, *chain = NULL;
    uint32_t identity_size = 0, chain_size = 0;
    RETURNS(SGX_QL_SUCCESS,
            api.sgx_ql_get_qve_identity(&identity, &identity_size, &chain, &chain_size));
    CHECK(strstr(identity, "\"QVE\"") != NULL && strlen(identity) == identity_size - 1);
    CHECK(strstr(chain, "BEGIN CERTIFICATE") != NULL && strlen(chain) == chain_size - 1);
    RETURNS(SGX_QL_SUCCESS, api.sgx_ql_free_qve_identity(identity, chain));
}

/* Nobody has published a policy. */
static void no_policy(void)
{
    uint8_t *policy = (uint8_t *)&platform;
    uint32_t policy_size = 1;
    RETURNS(SGX_QL_NO_QUOTE_COLLATERAL_DATA,
            api.tee_get_default_platform_policy(platform.fmspc, 6, &policy, &policy_size));
    CHECK(policy == NULL && policy_size == 0);
    RETURNS(SGX_QL_SUCCESS, api.tee_free_platform_policy(policy));
}

static void root_ca_crl(const char *directory)
{
    uint8_t *crl = NULL;
    uint16_t size = 0;
    RETURNS(SGX_QL_SUCCESS, api.sgx_ql_get_root_ca_crl(&crl, &size));
    write_text(directory, "root_ca_crl_alone", crl, size);
    RETURNS(SGX_QL_SUCCESS, api.sgx_ql_free_root_ca_crl(crl));
}

static int told;

static void on_message(sgx_ql_log_level_t level, const char *message)
{
    CHECK(level == SGX_QL_LOG_ERROR || level == SGX_QL_LOG_INFO);
    CHECK(strlen(message) > 0);
    told++;
}

int main(int argc, char **argv)
{
    sgx_ql_pck_cert_id_t id;
    CHECK(argc == 2);
    id = read_platform(argv[1]);
    find_functions();
    RETURNS(SGX_QL_SUCCESS, api.sgx_ql_set_logging_callback(on_message, SGX_QL_LOG_INFO));
    RETURNS(SGX_QL_SUCCESS, api.sgx_qpl_global_init());
    CHECK(told > 0);
    quote_config(argv[1], &id);
    /* Intel's QE may not know its PPID; it is asked for with zeros, or not at all. */
    memset(platform.encrypted_ppid, 0, sizeof platform.encrypted_ppid);
    quote_config(argv[1], &id);
    id.p_encrypted_ppid = NULL;
    quote_config(argv[1], &id);
    collateral(argv[1]);
    root_ca_crl(argv[1]);
    told = 0;
    tdx_collateral();
    qve_identity();
    no_policy();
    CHECK(told >= 3);
    told = 0;
    RETURNS(SGX_QL_SUCCESS, api.sgx_ql_set_logging_callback(NULL, SGX_QL_LOG_INFO));
    RETURNS(SGX_QL_SUCCESS, api.sgx_qpl_clear_cache(SGX_QPL_CACHE_CERTIFICATE | SGX_QPL_CACHE_QV_COLLATERAL));
    quote_config(argv[1], &id);
    RETURNS(SGX_QL_SUCCESS, api.sgx_qpl_global_cleanup());
    CHECK(told == 0);
    return 0;
}
