/*
 * The functions of libsgx_dcap_quoteverify.so.1, as in Intel's library of this name:
 * verification of SGX and TDX quotes. Made by cbindgen.
 */

#ifndef SGX_QUOTE_HELPER_SGX_DCAP_QUOTEVERIFY_H
#define SGX_QUOTE_HELPER_SGX_DCAP_QUOTEVERIFY_H

#include "sgx_quote_types.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The callback for messages. NULL, the default: messages go to standard error.
 */
extern sgx_logging_callback_t sgx_trace_logger_callback;

/**
 * The least severe level of messages. `SE_TRACE_NONE`, the default, is for none of them, but roots
 * other than Intel's are reported always.
 */
extern se_trace_t sgx_trace_loglevel;

/**
 * Verifies a quote of SGX or TDX.
 *
 * - `p_quote`, `quote_size`: in; the quote, and its size in bytes, at least 1020.
 * - `p_quote_collateral`: in; the collateral, of version 1.0, 3.0, 3.1 or 4.0, or NULL: it is
 *   fetched. CRLs may be in PEM, in hexadecimal DER or in DER.
 * - `expiration_check_date`: in; the date at which collateral is to be valid, in seconds since
 *   1970, not 0.
 * - `p_collateral_expiration_status`: out; 1 if any of the collateral has expired at that date,
 *   else 0; 1 also if there is no result.
 * - `p_quote_verification_result`: out; the result. The quote holds with each one of a call that
 *   succeeds; those other than `SGX_QL_QV_RESULT_OK` say what its platform lacks.
 *   `SGX_QL_QV_RESULT_UNSPECIFIED` if the call fails.
 * - `p_qve_report_info`: in; NULL. Otherwise Intel's enclave is to verify, which is not there.
 * - `supplemental_data_size`, `p_supplemental_data`: out; a buffer of this size, 1136 bytes, for
 *   an `sgx_ql_qv_supplemental_t`, or 672 for its fields up to version 3.4; or 0 and NULL.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, a wrong size or date, a
 * quote of another TEE, or texts of collateral that do not end with their only zero byte;
 * `SGX_QL_ERROR_UNEXPECTED` with `p_qve_report_info`; what `tee_qv_get_collateral` returns, if
 * there is no collateral; `SGX_QL_COLLATERAL_VERSION_NOT_SUPPORTED`; or the reason why the quote
 * does not hold, such as `SGX_QL_PCK_CERT_CHAIN_ERROR`, `SGX_QL_RESULT_INVALID_SIGNATURE`,
 * `SGX_QL_PCK_REVOKED`, `SGX_QL_TCB_REVOKED` or `SGX_QL_TCBINFO_MISMATCH`.
 */
quote3_error_t sgx_qv_verify_quote(const uint8_t *p_quote,
                                   uint32_t quote_size,
                                   const sgx_ql_qve_collateral_t *p_quote_collateral,
                                   time_t expiration_check_date,
                                   uint32_t *p_collateral_expiration_status,
                                   sgx_ql_qv_result_t *p_quote_verification_result,
                                   sgx_ql_qe_report_info_t *p_qve_report_info,
                                   uint32_t supplemental_data_size,
                                   uint8_t *p_supplemental_data);

/**
 * As `sgx_qv_verify_quote`. Each of the two takes quotes of SGX and of TDX.
 */
quote3_error_t tdx_qv_verify_quote(const uint8_t *p_quote,
                                   uint32_t quote_size,
                                   const tdx_ql_qv_collateral_t *p_quote_collateral,
                                   time_t expiration_check_date,
                                   uint32_t *p_collateral_expiration_status,
                                   sgx_ql_qv_result_t *p_quote_verification_result,
                                   sgx_ql_qe_report_info_t *p_qve_report_info,
                                   uint32_t supplemental_data_size,
                                   uint8_t *p_supplemental_data);

/**
 * As `sgx_qv_verify_quote`, with a version of supplemental data.
 *
 * - `p_quote_collateral`: in; an `sgx_ql_qve_collateral_t`, or NULL.
 * - `p_supp_data_descriptor`: in; NULL, or a request for supplemental data: `major_version` is 0
 *   or 3, both for the latest version, 3.5; `data_size` is 1136, or 672 for version 3.4, and
 *   `p_data` a buffer of this
 *   size. It is filled with zeros if the call fails.
 *
 * Returns also `SGX_QL_SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED` for a later major version.
 */
quote3_error_t tee_verify_quote(const uint8_t *p_quote,
                                uint32_t quote_size,
                                const uint8_t *p_quote_collateral,
                                time_t expiration_check_date,
                                uint32_t *p_collateral_expiration_status,
                                sgx_ql_qv_result_t *p_quote_verification_result,
                                sgx_ql_qe_report_info_t *p_qve_report_info,
                                tee_supp_data_descriptor_t *p_supp_data_descriptor);

/**
 * Gets the size of supplemental data.
 *
 * - `p_data_size`: out; the size in bytes, 1136.
 *
 * Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL.
 */
quote3_error_t sgx_qv_get_quote_supplemental_data_size(uint32_t *p_data_size);

/**
 * As `sgx_qv_get_quote_supplemental_data_size`.
 */
quote3_error_t tdx_qv_get_quote_supplemental_data_size(uint32_t *p_data_size);

/**
 * Gets the latest version and the size of supplemental data.
 *
 * - `p_quote`, `quote_size`: in; a quote of SGX or TDX, of which only the size is looked at.
 * - `p_version`: out; the major version, and 65,536 times the minor version: 3.5. NULL is ignored.
 * - `p_data_size`: out; the size in bytes, 1136.
 *
 * Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL or a quote of less than
 * 1020 bytes.
 */
quote3_error_t tee_get_supplemental_data_version_and_size(const uint8_t *p_quote,
                                                          uint32_t quote_size,
                                                          uint32_t *p_version,
                                                          uint32_t *p_data_size);

/**
 * Gets the FMSPC of a quote, without verifying it.
 *
 * - `p_quote`, `quote_size`: in; the quote, and its size in bytes, at least 1020.
 * - `p_fmspc_from_quote`: out; the FMSPC, 6 bytes.
 * - `fmspc_from_quote_size`: in; the size of that buffer, at least 6.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL or a wrong size;
 * `SGX_QL_QUOTE_FORMAT_UNSUPPORTED` if it is no quote;
 * `SGX_QL_QUOTE_CERTIFICATION_DATA_UNSUPPORTED` if it has no PCK certificate;
 * `SGX_QL_PCK_CERT_UNSUPPORTED_FORMAT` if that is unreadable.
 */
quote3_error_t tee_get_fmspc_from_quote(const uint8_t *p_quote,
                                        uint32_t quote_size,
                                        uint8_t *p_fmspc_from_quote,
                                        uint32_t fmspc_from_quote_size);

/**
 * Sets when Intel's appraisal enclave is loaded, once in a process. Since it is not used, it
 * changes nothing.
 *
 * - `policy`: in; `SGX_QL_PERSISTENT` or `SGX_QL_EPHEMERAL`.
 *
 * Returns `SGX_QL_SUCCESS`, or `SGX_QL_UNSUPPORTED_LOADING_POLICY` for another number, or if one
 * was set before.
 */
quote3_error_t sgx_qae_set_enclave_load_policy(sgx_ql_request_policy_t policy);

/**
 * Appraises a verification result by policies. Appraisal is not part of this library.
 *
 * - `p_verification_result_token`: in; a token of `tee_verify_quote_qvt`.
 * - `p_qaps`, `qaps_count`: in; the policies.
 * - `appraisal_check_date`: in; the date of the appraisal, not 0.
 * - `p_qae_report_info`: in; not NULL if Intel's enclave is to appraise.
 * - `p_appraisal_result_token_buffer_size`, `p_appraisal_result_token`: out; not written.
 *
 * Returns `SGX_QL_ERROR_INVALID_PARAMETER` for NULL or 0; `SGX_QL_ERROR_UNEXPECTED` with
 * `p_qae_report_info`; else `SGX_QL_INTERFACE_UNAVAILABLE`.
 */
quote3_error_t tee_appraise_verification_token(const uint8_t *p_verification_result_token,
                                               uint8_t **p_qaps,
                                               uint8_t qaps_count,
                                               time_t appraisal_check_date,
                                               sgx_ql_qe_report_info_t *p_qae_report_info,
                                               uint32_t *p_appraisal_result_token_buffer_size,
                                               uint8_t **p_appraisal_result_token);

/**
 * Frees the result of an appraisal.
 *
 * - `p_appraisal_result_token`: in; memory from malloc.
 *
 * Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL.
 */
quote3_error_t tee_free_appraisal_token(uint8_t *p_appraisal_result_token);

/**
 * As `tee_authenticate_appraisal_result_ex`, without its optional arguments.
 */
quote3_error_t tee_authenticate_appraisal_result(const uint8_t *p_appraisal_result_token,
                                                 const tee_policy_bundle_t *p_policies,
                                                 tee_policy_auth_result_t *result);

/**
 * Checks that an appraisal used these policies. Appraisal is not part of this library.
 *
 * - `p_quote`, `quote_size`: in; the quote, or NULL and 0.
 * - `p_appraisal_result_token`: in; the result of an appraisal.
 * - `p_policies`: in; the policies.
 * - `p_td_identity`, `p_td_tcb_mapping_table`: in; NULL.
 * - `result`: out; not written.
 * - `p_qae_report_info`: in; not NULL if Intel's enclave is to check.
 *
 * Returns `SGX_QL_ERROR_INVALID_PARAMETER` for wrong arguments; `SGX_QL_ERROR_UNEXPECTED` with
 * `p_qae_report_info`; else `SGX_QL_INTERFACE_UNAVAILABLE`.
 */
quote3_error_t tee_authenticate_appraisal_result_ex(const uint8_t *p_quote,
                                                    uint32_t quote_size,
                                                    const uint8_t *p_appraisal_result_token,
                                                    const tee_policy_bundle_t *p_policies,
                                                    const uint8_t *p_td_identity,
                                                    const uint8_t *p_td_tcb_mapping_table,
                                                    tee_policy_auth_result_t *result,
                                                    sgx_ql_qe_report_info_t *p_qae_report_info);

/**
 * Checks that the policies of an appraisal are signed by these keys. Appraisal is not part of this
 * library.
 *
 * - `policy_key_list`, `list_size`: in; the keys.
 * - The other arguments are those of `tee_authenticate_appraisal_result_ex`.
 *
 * Returns as that function.
 */
quote3_error_t tee_authenticate_policy_owner(const uint8_t *p_quote,
                                             uint32_t quote_size,
                                             const uint8_t *p_appraisal_result_token,
                                             const uint8_t **policy_key_list,
                                             uint32_t list_size,
                                             const uint8_t *p_td_identity,
                                             const uint8_t *p_td_tcb_mapping_table,
                                             tee_policy_auth_result_t *result,
                                             sgx_ql_qe_report_info_t *p_qae_report_info);

/**
 * Sets when Intel's enclave is loaded, once in a process. Since it is not used, it changes
 * nothing: calls never wait for each other.
 *
 * - `policy`: in; `SGX_QL_PERSISTENT`, `SGX_QL_EPHEMERAL`, `SGX_QL_EPHEMERAL_QVE_MULTI_THREAD` or
 *   `SGX_QL_PERSISTENT_QVE_MULTI_THREAD`.
 *
 * Returns `SGX_QL_SUCCESS`, or `SGX_QL_UNSUPPORTED_LOADING_POLICY` for another number, or if one
 * was set before.
 */
quote3_error_t sgx_qv_set_enclave_load_policy(sgx_ql_request_policy_t policy);

/**
 * Verifies a quote, and makes a token with the result. Tokens and their appraisal are not part of
 * this library.
 *
 * - `p_quote`, `quote_size`: in; the quote, and its size in bytes, at least 1020.
 * - `p_quote_collateral`: in; the collateral, or NULL.
 * - `p_qve_report_info`: in; not NULL if Intel's enclave is to verify.
 * - `p_user_data`: in; a string of at most 128 bytes, or NULL.
 * - `p_verification_result_token_buffer_size`, `p_verification_result_token`: out; not written.
 *
 * Returns `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, a wrong size, or a quote of another TEE;
 * `SGX_QL_ERROR_UNEXPECTED` with `p_qve_report_info`; else `SGX_QL_INTERFACE_UNAVAILABLE`.
 */
quote3_error_t tee_verify_quote_qvt(const uint8_t *p_quote,
                                    uint32_t quote_size,
                                    const sgx_ql_qve_collateral_t *p_quote_collateral,
                                    sgx_ql_qe_report_info_t *p_qve_report_info,
                                    const uint8_t *p_user_data,
                                    uint32_t *p_verification_result_token_buffer_size,
                                    uint8_t **p_verification_result_token);

/**
 * Frees a token.
 *
 * - `p_verification_result_token`: in; memory from malloc.
 * - `p_verification_result_token_buffer_size`: out; 0.
 *
 * Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL.
 */
quote3_error_t tee_free_verify_quote_qvt(uint8_t *p_verification_result_token,
                                         uint32_t *p_verification_result_token_buffer_size);

/**
 * Gets the collateral for a quote, from the quote provider library that `sgx_qv_set_path` has set,
 * else from the sources and the cache of this machine.
 *
 * - `p_quote`, `quote_size`: in; the quote, and its size in bytes, at least 1020.
 * - `pp_quote_collateral`: in: NULL; out: an `sgx_ql_qve_collateral_t`. Free it with
 *   `tee_qv_free_collateral`.
 * - `p_collateral_size`: out; its size in bytes, with all that it points to.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, a wrong size, or a result
 * that is not NULL; what `tee_get_fmspc_from_quote` returns; `SGX_QL_PLATFORM_LIB_UNAVAILABLE` if
 * the library that was set cannot be used; or what `sgx_ql_get_quote_verification_collateral`
 * returns.
 */
quote3_error_t tee_qv_get_collateral(const uint8_t *p_quote,
                                     uint32_t quote_size,
                                     uint8_t **pp_quote_collateral,
                                     uint32_t *p_collateral_size);

/**
 * Frees the result of `tee_qv_get_collateral`.
 *
 * - `p_quote_collateral`: in; the collateral.
 *
 * Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, or collateral of an
 * unknown TEE.
 */
quote3_error_t tee_qv_free_collateral(uint8_t *p_quote_collateral);

/**
 * Gets the identity of Intel's Quote Verification Enclave, and the CRL of the root.
 *
 * - `pp_qveid`, `p_qveid_size`: out; JSON with its signature, and the size in bytes, including the
 *   zero byte at the end.
 * - `pp_qveid_issue_chain`, `p_qveid_issue_chain_size`: out; PEM, the root's certificate last, and
 *   its size.
 * - `pp_root_ca_crl`, `p_root_ca_crl_size`: out; the CRL, and its size. Free all with
 *   `sgx_qv_free_qve_identity`.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL;
 * `SGX_QL_PLATFORM_LIB_UNAVAILABLE` if the library that was set cannot be used; or what
 * `sgx_ql_get_qve_identity` and `sgx_ql_get_root_ca_crl` return.
 */
quote3_error_t sgx_qv_get_qve_identity(uint8_t **pp_qveid,
                                       uint32_t *p_qveid_size,
                                       uint8_t **pp_qveid_issue_chain,
                                       uint32_t *p_qveid_issue_chain_size,
                                       uint8_t **pp_root_ca_crl,
                                       uint16_t *p_root_ca_crl_size);

/**
 * Frees the results of `sgx_qv_get_qve_identity`.
 *
 * - `p_qveid`, `p_qveid_issue_chain`, `p_root_ca_crl`: in; the results.
 *
 * Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL.
 */
quote3_error_t sgx_qv_free_qve_identity(uint8_t *p_qveid,
                                        uint8_t *p_qveid_issue_chain,
                                        uint8_t *p_root_ca_crl);

/**
 * Sets the path of the quote provider library, before the first call that needs collateral, or of
 * Intel's enclave, which is not used.
 *
 * - `path_type`: in; `SGX_QV_QVE_PATH` or `SGX_QV_QPL_PATH`.
 * - `p_path`: in; the path of a regular file, at most 259 bytes.
 *
 * Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, another type, a path
 * that is too long, or one that is not that of a regular file.
 */
quote3_error_t sgx_qv_set_path(sgx_qv_path_type_t path_type, const char *p_path);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SGX_QUOTE_HELPER_SGX_DCAP_QUOTEVERIFY_H */
