/*
 * The functions of libdcap_quoteprov.so.1, as in Intel's library of this name: PCK
 * certificates and collateral. Made by cbindgen.
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
 * - `p_pck_cert_id`: in; the platform and its TCB. The encrypted PPID may be missing or zeros:
 *   only Intel's PCS needs it.
 * - `pp_quote_config`: out; the certificate, its chain and its TCB. Free it with
 *   `sgx_ql_free_quote_config`. NULL on error.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, a wrong size, or a crypto
 * suite other than 1; `SGX_QL_PLATFORM_UNKNOWN` and `SGX_QL_CERTS_UNAVAILABLE` if a PCCS reports
 * them; `SGX_QL_NO_PLATFORM_CERT_DATA` if there is no certificate; or the reason of a failed
 * fetch, such as `SGX_QL_NETWORK_ERROR`.
 */
quote3_error_t sgx_ql_get_quote_config(const sgx_ql_pck_cert_id_t *p_pck_cert_id,
                                       sgx_ql_config_t **pp_quote_config);

/**
 * Frees the result of `sgx_ql_get_quote_config`.
 *
 * - `p_quote_config`: in; NULL is ignored.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_ql_free_quote_config(sgx_ql_config_t *p_quote_config);

/**
 * Gets the collateral for quotes of platforms of one kind.
 *
 * - `fmspc`, `fmspc_size`: in; the kind of platform, 6 bytes.
 * - `pck_ca`: in; the issuer of their PCK certificates: `"processor"` or `"platform"`.
 * - `pp_quote_collateral`: out; the collateral. Free it with
 *   `sgx_ql_free_quote_verification_collateral`. NULL on error.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, a wrong size, or an unknown
 * CA; `SGX_QL_NO_QUOTE_COLLATERAL_DATA`, `SGX_QL_TCBINFO_NOT_FOUND` or
 * `SGX_QL_QEIDENTITY_NOT_FOUND` if there is none; or the reason of a failed fetch, such as
 * `SGX_QL_NETWORK_ERROR`.
 */
quote3_error_t sgx_ql_get_quote_verification_collateral(const uint8_t *fmspc,
                                                        uint16_t fmspc_size,
                                                        const char *pck_ca,
                                                        sgx_ql_qve_collateral_t **pp_quote_collateral);

/**
 * As `sgx_ql_get_quote_verification_collateral`.
 *
 * - `custom_param`, `custom_param_length`: in; parameters of the service, or NULL and 0. They are
 *   ignored, since all callers share the cache.
 *
 * Returns also `SGX_QL_ERROR_INVALID_PARAMETER` for NULL with a length, or 0 without NULL.
 */
quote3_error_t sgx_ql_get_quote_verification_collateral_with_params(const uint8_t *fmspc,
                                                                    uint16_t fmspc_size,
                                                                    const char *pck_ca,
                                                                    const void *custom_param,
                                                                    uint16_t custom_param_length,
                                                                    sgx_ql_qve_collateral_t **pp_quote_collateral);

/**
 * Frees the result of `sgx_ql_get_quote_verification_collateral`.
 *
 * - `p_quote_collateral`: in; NULL is ignored.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_ql_free_quote_verification_collateral(sgx_ql_qve_collateral_t *p_quote_collateral);

/**
 * As `sgx_ql_get_quote_verification_collateral`, for TDX. Free the collateral with
 * `tdx_ql_free_quote_verification_collateral`.
 */
quote3_error_t tdx_ql_get_quote_verification_collateral(const uint8_t *fmspc,
                                                        uint16_t fmspc_size,
                                                        const char *pck_ca,
                                                        tdx_ql_qv_collateral_t **pp_quote_collateral);

/**
 * As `sgx_ql_get_quote_verification_collateral_with_params`, for TDX. Free the collateral with
 * `tdx_ql_free_quote_verification_collateral`.
 */
quote3_error_t tdx_ql_get_quote_verification_collateral_with_params(const uint8_t *fmspc,
                                                                    uint16_t fmspc_size,
                                                                    const char *pck_ca,
                                                                    const void *custom_param,
                                                                    uint16_t custom_param_length,
                                                                    tdx_ql_qv_collateral_t **pp_quote_collateral);

/**
 * Frees the result of `tdx_ql_get_quote_verification_collateral`.
 *
 * - `p_quote_collateral`: in; NULL is ignored.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t tdx_ql_free_quote_verification_collateral(tdx_ql_qv_collateral_t *p_quote_collateral);

/**
 * Gets the identity of Intel's Quote Verification Enclave.
 *
 * - `pp_qve_identity`, `p_qve_identity_size`: out; JSON with its signature, and the size in
 *   bytes, including the zero byte at the end.
 * - `pp_qve_identity_issuer_chain`, `p_qve_identity_issuer_chain_size`: out; PEM, the root's
 *   certificate last, and its size. Free both with `sgx_ql_free_qve_identity`. NULL and 0 on
 *   error.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL;
 * `SGX_QL_NO_QVE_IDENTITY_DATA` if there is none; or the reason of a failed fetch, such as
 * `SGX_QL_NETWORK_ERROR`.
 */
quote3_error_t sgx_ql_get_qve_identity(char **pp_qve_identity,
                                       uint32_t *p_qve_identity_size,
                                       char **pp_qve_identity_issuer_chain,
                                       uint32_t *p_qve_identity_issuer_chain_size);

/**
 * Frees the result of `sgx_ql_get_qve_identity`.
 *
 * - `p_qve_identity`, `p_qve_identity_issuer_chain`: in; NULL is ignored.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_ql_free_qve_identity(char *p_qve_identity, char *p_qve_identity_issuer_chain);

/**
 * Gets the CRL of the root.
 *
 * - `pp_root_ca_crl`, `p_root_ca_crl_size`: out; the CRL, in the format of
 *   `sgx_ql_qve_collateral_t`, and its size in bytes, including the zero byte at the end. Free it
 *   with `sgx_ql_free_root_ca_crl`. NULL and 0 on error.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL;
 * `SGX_QL_NO_QUOTE_COLLATERAL_DATA` if there is none; or the reason of a failed fetch, such as
 * `SGX_QL_NETWORK_ERROR`.
 */
quote3_error_t sgx_ql_get_root_ca_crl(uint8_t **pp_root_ca_crl, uint16_t *p_root_ca_crl_size);

/**
 * Frees the result of `sgx_ql_get_root_ca_crl`.
 *
 * - `p_root_ca_crl`: in; NULL is ignored.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_ql_free_root_ca_crl(uint8_t *p_root_ca_crl);

/**
 * Sets the callback for messages. Level `SGX_QL_LOG_ERROR`: failed calls and problems, with the
 * fix; level `SGX_QL_LOG_INFO`: the settings in effect, and fetched items.
 *
 * - `logger`: in; called by the thread that calls the library, before that returns. NULL: none.
 * - `loglevel`: in; the least severe level to report.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_ql_set_logging_callback(sgx_ql_logging_callback_t logger,
                                           sgx_ql_log_level_t loglevel);

/**
 * Clears the cache.
 *
 * - `cache_type`: in; the sum of any of `SGX_QPL_CACHE_CERTIFICATE`, `SGX_QPL_CACHE_QV_COLLATERAL`
 *   and `SGX_QPL_CACHE_MULTICERTS`. The last kind is always empty.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for an unknown kind; or
 * `SGX_QL_ERROR_UNEXPECTED` if a file cannot be removed.
 */
quote3_error_t sgx_qpl_clear_cache(uint32_t cache_type);

/**
 * Reads the settings, as the first call of any other function does.
 *
 * Returns `SGX_QL_SUCCESS`, or `SGX_QL_CONFIG_INVALID_JSON` if they are invalid.
 */
quote3_error_t sgx_qpl_global_init(void);

/**
 * Does nothing, as in Intel's library.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_qpl_global_cleanup(void);

/**
 * Gets the default policy for platforms of this kind. There is none.
 *
 * - `fmspc`, `fmspc_size`: in; the kind of platform, 6 bytes.
 * - `pp_platform_policy`, `p_platform_policy_size`: out; NULL and 0.
 *
 * Returns `SGX_QL_ERROR_INVALID_PARAMETER` for NULL or a wrong size, else
 * `SGX_QL_NO_QUOTE_COLLATERAL_DATA`.
 */
quote3_error_t tee_get_default_platform_policy(const uint8_t *fmspc,
                                               uint16_t fmspc_size,
                                               uint8_t **pp_platform_policy,
                                               uint32_t *p_platform_policy_size);

/**
 * Frees the result of `tee_get_default_platform_policy`.
 *
 * - `p_platform_policy`: in; NULL is ignored.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t tee_free_platform_policy(uint8_t *p_platform_policy);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SGX_QUOTE_HELPER_SGX_DEFAULT_QUOTE_PROVIDER_H */
