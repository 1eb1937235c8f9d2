/*
 * The functions of libsgx_dcap_ql.so.1 for quoting with SGX, as Intel's library of this name
 * has them. Made by cbindgen.
 */

#ifndef SGX_QUOTE_HELPER_SGX_DCAP_QL_WRAPPER_H
#define SGX_QUOTE_HELPER_SGX_DCAP_QL_WRAPPER_H

#include "sgx_quote_types.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Initializes the attestation key, and gets the target info for an enclave's REPORT.
 *
 * - `qe_target_info`: out; target info of the Quoting Enclave, or zeros if there is an error.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL; or the reason of the
 * failure, for instance `SGX_QL_SERVICE_UNAVAILABLE` or `SGX_QL_ENCLAVE_LOAD_ERROR`.
 */
quote3_error_t sgx_qe_get_target_info(sgx_target_info_t *qe_target_info);

/**
 * Gets the size of a quote.
 *
 * - `quote_size`: out; the size of every quote in bytes.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL;
 * `SGX_QL_ATT_KEY_NOT_INITIALIZED` before `sgx_qe_get_target_info`; or the reason of the failure,
 * for instance `SGX_QL_SERVICE_UNAVAILABLE`.
 */
quote3_error_t sgx_qe_get_quote_size(uint32_t *quote_size);

/**
 * Makes a quote of a REPORT.
 *
 * - `app_report`: in; the application enclave's REPORT for the target info of the Quoting Enclave.
 * - `quote_size`: in; the size of the buffer `quote` in bytes, at least that of the quote.
 * - `quote`: out; the quote, and zeros up to the end of the buffer.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, or a buffer that is too
 * small; in this process, `SGX_QL_INVALID_REPORT` when the REPORT was not made for the Quoting
 * Enclave of this machine (a service's refusal is `SGX_QL_ERROR_UNEXPECTED`, as with Intel's
 * library); `SGX_QL_ATT_KEY_NOT_INITIALIZED` before `sgx_qe_get_target_info`; or the reason of the
 * failure, for instance `SGX_QL_SERVICE_UNAVAILABLE`.
 */
quote3_error_t sgx_qe_get_quote(const sgx_report_t *app_report,
                                uint32_t quote_size,
                                uint8_t *quote);

/**
 * Sets whether the enclaves stay loaded. Only for quotes made in this process.
 *
 * - `policy`: in; `SGX_QL_PERSISTENT`, the default: until the process ends. `SGX_QL_EPHEMERAL`:
 *   for one call at a time. On the software platform, which loads no enclaves, it changes nothing.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_UNSUPPORTED_LOADING_POLICY` for another policy;
 * `SGX_QL_UNSUPPORTED_MODE` in the mode with a quote service; or the reason of the failure.
 */
quote3_error_t sgx_qe_set_enclave_load_policy(sgx_ql_request_policy_t policy);

/**
 * Does nothing, as in Intel's library: ephemeral enclaves are unloaded after each call. Only for
 * quotes made in this process.
 *
 * Returns `SGX_QL_SUCCESS`, or `SGX_QL_UNSUPPORTED_MODE` in the mode with a quote service.
 */
quote3_error_t sgx_qe_cleanup_by_policy(void);

/**
 * Sets the path of an enclave or of the quote provider library, before it is loaded. Only for
 * quotes made in this process.
 *
 * - `path_type`: in; `SGX_QL_QE3_PATH`, `SGX_QL_PCE_PATH`, `SGX_QL_QPL_PATH` or `SGX_QL_IDE_PATH`.
 * - `path`: in; the path of the file. On the software platform, which loads none, it changes
 *   nothing.
 *
 * Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for another type, or when `path` is
 * NULL or is not that of a regular file; `SGX_QL_UNSUPPORTED_MODE` in the mode with a quote
 * service; `SGX_QL_INTERFACE_UNAVAILABLE` when Intel's library or its function is missing.
 */
quote3_error_t sgx_ql_set_path(sgx_ql_path_type_t path_type, const char *path);

/**
 * Sets the callback for failed calls: one message each, of level `SGX_QL_LOG_ERROR`, with the
 * reason and the fix.
 *
 * - `logger`: in; called by the thread whose call fails, before that returns. NULL: no callback.
 * - `level`: in; the least severe level to report. Every level includes errors; an unknown number
 *   reports nothing.
 *
 * Returns `SGX_QL_SUCCESS`.
 */
quote3_error_t sgx_ql_set_trace_callback(sgx_ql_logging_callback_t logger,
                                         sgx_ql_log_level_t level);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SGX_QUOTE_HELPER_SGX_DCAP_QL_WRAPPER_H */
