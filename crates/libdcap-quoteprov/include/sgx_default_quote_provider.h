/*
 * The functions of libdcap_quoteprov.so.1 for PCK certificates and collateral, as Intel's library of
 * this name has them. Made by cbindgen.
 */

#ifndef SGX_QUOTE_HELPER_SGX_DEFAULT_QUOTE_PROVIDER_H
#define SGX_QUOTE_HELPER_SGX_DEFAULT_QUOTE_PROVIDER_H

#include "sgx_quote_types.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Gets the PCK certificate of a platform.
 *
 * - `p_pck_cert_id`: in; the platform and its TCB. The encrypted PPID may be left out, or be zeros: only Intel's own
 *   service wants it.
 * - `pp_quote_config`: out; the certificate, its chain, and the TCB that it is for. To be freed by
 *   `sgx_ql_free_quote_config`. NULL if there is an error.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, another size, or another crypto suite than 1;
 * `SGX_QL_PLATFORM_UNKNOWN` and `SGX_QL_CERTS_UNAVAILABLE` as a PCCS says so; `SGX_QL_NO_PLATFORM_CERT_DATA` when
 * there is no certificate; or why it could not be had, for instance `SGX_QL_NETWORK_ERROR`.
 */
quote3_error_t sgx_ql_get_quote_config(const sgx_ql_pck_cert_id_t *p_pck_cert_id,
                                       sgx_ql_config_t **pp_quote_config);

/**
 * Frees what `sgx_ql_get_quote_config` has given.
 *
 * - `p_quote_config`: in; NULL is nothing.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_ql_free_quote_config(sgx_ql_config_t *p_quote_config);

/**
 * Gets what verifiers need besides quotes of platforms of one kind.
 *
 * - `fmspc`, `fmspc_size`: in; the kind of platform, 6 bytes.
 * - `pck_ca`: in; who issued their PCK certificates: `"processor"` or `"platform"`.
 * - `pp_quote_collateral`: out; the collateral. To be freed by `sgx_ql_free_quote_verification_collateral`. NULL if
 *   there is an error.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, another size, or another CA;
 * `SGX_QL_NO_QUOTE_COLLATERAL_DATA`, `SGX_QL_TCBINFO_NOT_FOUND` or `SGX_QL_QEIDENTITY_NOT_FOUND` when there is none; or
 * why it could not be had, for instance `SGX_QL_NETWORK_ERROR`.
 */
quote3_error_t sgx_ql_get_quote_verification_collateral(const uint8_t *fmspc,
                                                        uint16_t fmspc_size,
                                                        const char *pck_ca,
                                                        sgx_ql_qve_collateral_t **pp_quote_collateral);

/**
 * Does what `sgx_ql_get_quote_verification_collateral` does.
 *
 * - `custom_param`, `custom_param_length`: in; for a service that makes something of them. What is kept is for all
 *   callers, so they are not passed on. NULL and 0: there are none.
 *
 * Returns what that function does, and `SGX_QL_ERROR_INVALID_PARAMETER` for a NULL with a length, or the other way
 * round.
 */
quote3_error_t sgx_ql_get_quote_verification_collateral_with_params(const uint8_t *fmspc,
                                                                    uint16_t fmspc_size,
                                                                    const char *pck_ca,
                                                                    const void *custom_param,
                                                                    uint16_t custom_param_length,
                                                                    sgx_ql_qve_collateral_t **pp_quote_collateral);

/**
 * Frees what `sgx_ql_get_quote_verification_collateral` has given.
 *
 * - `p_quote_collateral`: in; NULL is nothing.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_ql_free_quote_verification_collateral(sgx_ql_qve_collateral_t *p_quote_collateral);

/**
 * Does for quotes of TDX what `sgx_ql_get_quote_verification_collateral` does for those of SGX. To be freed by
 * `tdx_ql_free_quote_verification_collateral`.
 */
quote3_error_t tdx_ql_get_quote_verification_collateral(const uint8_t *fmspc,
                                                        uint16_t fmspc_size,
                                                        const char *pck_ca,
                                                        tdx_ql_qv_collateral_t **pp_quote_collateral);

/**
 * Does for quotes of TDX what `sgx_ql_get_quote_verification_collateral_with_params` does for those of SGX. To be
 * freed by `tdx_ql_free_quote_verification_collateral`.
 */
quote3_error_t tdx_ql_get_quote_verification_collateral_with_params(const uint8_t *fmspc,
                                                                    uint16_t fmspc_size,
                                                                    const char *pck_ca,
                                                                    const void *custom_param,
                                                                    uint16_t custom_param_length,
                                                                    tdx_ql_qv_collateral_t **pp_quote_collateral);

/**
 * Frees what `tdx_ql_get_quote_verification_collateral` has given.
 *
 * - `p_quote_collateral`: in; NULL is nothing.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t tdx_ql_free_quote_verification_collateral(tdx_ql_qv_collateral_t *p_quote_collateral);

/**
 * Gets the identity of Intel's Quote Verification Enclave.
 *
 * - `pp_qve_identity`, `p_qve_identity_size`: out; JSON with its signature, and the size in bytes with the zero byte
 *   at the end.
 * - `pp_qve_identity_issuer_chain`, `p_qve_identity_issuer_chain_size`: out; PEM, the root's certificate last, and the
 *   size in the same way. Both to be freed by `sgx_ql_free_qve_identity`; NULL and 0 if there is an error.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL; `SGX_QL_NO_QVE_IDENTITY_DATA` when there is
 * none; or why it could not be had, for instance `SGX_QL_NETWORK_ERROR`.
 */
quote3_error_t sgx_ql_get_qve_identity(char **pp_qve_identity,
                                       uint32_t *p_qve_identity_size,
                                       char **pp_qve_identity_issuer_chain,
                                       uint32_t *p_qve_identity_issuer_chain_size);

/**
 * Frees what `sgx_ql_get_qve_identity` has given.
 *
 * - `p_qve_identity`, `p_qve_identity_issuer_chain`: in; NULL is nothing.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_ql_free_qve_identity(char *p_qve_identity, char *p_qve_identity_issuer_chain);

/**
 * Gets the CRL of the root.
 *
 * - `pp_root_ca_crl`, `p_root_ca_crl_size`: out; the CRL, in the form that `sgx_ql_qve_collateral_t` has it, and its size
 *   in bytes with the zero byte at the end. To be freed by `sgx_ql_free_root_ca_crl`. NULL and 0 if there is an error.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL; `SGX_QL_NO_QUOTE_COLLATERAL_DATA` when there is
 * none; or why it could not be had, for instance `SGX_QL_NETWORK_ERROR`.
 */
quote3_error_t sgx_ql_get_root_ca_crl(uint8_t **pp_root_ca_crl,
                                      uint16_t *p_root_ca_crl_size);

/**
 * Frees what `sgx_ql_get_root_ca_crl` has given.
 *
 * - `p_root_ca_crl`: in; NULL is nothing.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_ql_free_root_ca_crl(uint8_t *p_root_ca_crl);

/**
 * Sets who is told what happens: of level `SGX_QL_LOG_ERROR`, calls that fail and what is not as it should be, with
 * what to do; of level `SGX_QL_LOG_INFO`, which settings hold and what was fetched.
 *
 * - `logger`: in; called by the thread that calls the library, before that returns. NULL: nobody is told.
 * - `loglevel`: in; messages of this level and more severe ones are wanted.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_ql_set_logging_callback(sgx_ql_logging_callback_t logger,
                                           sgx_ql_log_level_t loglevel);

/**
 * Forgets what is kept, so that it is asked for again.
 *
 * - `cache_type`: in; any of `SGX_QPL_CACHE_CERTIFICATE`, `SGX_QPL_CACHE_QV_COLLATERAL` and
 *   `SGX_QPL_CACHE_MULTICERTS`, added. There is nothing here of the last kind.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for another kind; or `SGX_QL_ERROR_UNEXPECTED` when a
 * file cannot be removed.
 */
quote3_error_t sgx_qpl_clear_cache(uint32_t cache_type);

/**
 * Reads the settings. The other functions do so as well, if it was not done.
 *
 * Returns `SGX_QL_SUCCESS`, or `SGX_QL_CONFIG_INVALID_JSON` when they cannot be used.
 */
quote3_error_t sgx_qpl_global_init(void);

/**
 * Does nothing, as in Intel's library.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_qpl_global_cleanup(void);

/**
 * Gets the policy by which platforms of this kind are to be appraised, if there is one. None is kept here.
 *
 * - `fmspc`, `fmspc_size`: in; the kind of platform, 6 bytes.
 * - `pp_platform_policy`, `p_platform_policy_size`: out; NULL and 0.
 *
 * Returns `SGX_QL_ERROR_INVALID_PARAMETER` for NULL or another size, else `SGX_QL_NO_QUOTE_COLLATERAL_DATA`, as for a
 * service that has none.
 */
quote3_error_t tee_get_default_platform_policy(const uint8_t *fmspc,
                                               uint16_t fmspc_size,
                                               uint8_t **pp_platform_policy,
                                               uint32_t *p_platform_policy_size);

/**
 * Frees what `tee_get_default_platform_policy` has given.
 *
 * - `p_platform_policy`: in; NULL is nothing.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t tee_free_platform_policy(uint8_t *p_platform_policy);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SGX_QUOTE_HELPER_SGX_DEFAULT_QUOTE_PROVIDER_H */
