/*
 * The functions of libsgx_quote_ex.so.1 for quoting with SGX, as Intel's library of this name
 * has them. Made by cbindgen.
 */

#ifndef SGX_QUOTE_HELPER_SGX_UAE_QUOTE_EX_H
#define SGX_QUOTE_HELPER_SGX_UAE_QUOTE_EX_H

#include "sgx_quote_types.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Gets the number of attestation keys.
 *
 * - `att_key_id_num`: out; the number, at least 1.
 *
 * Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` for NULL; or
 * the reason of the failure, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
 */
sgx_status_t sgx_get_supported_att_key_id_num(uint32_t *att_key_id_num);

/**
 * Gets the ids of all attestation keys, the preferred one first.
 *
 * - `att_key_id_list`: out; an array of `att_key_id_num` ids, 256 bytes each.
 * - `att_key_id_num`: in; the number from `sgx_get_supported_att_key_id_num`.
 *
 * Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` for NULL, or a number other than that of
 * the keys; or the reason of the failure, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
 */
sgx_status_t sgx_get_supported_att_key_ids(sgx_att_key_id_ext_t *att_key_id_list,
                                           uint32_t att_key_id_num);

/**
 * Selects the attestation key to quote with, among those that a verifier accepts.
 *
 * - `att_key_id_list`: in; the verifier's list: id 0 and version 0 (2 bytes each), count (4 bytes,
 *   at most 10), and so many ids of 256 bytes. NULL: the verifier accepts any.
 * - `att_key_id_list_size`: in; the size of the list in bytes, 0 for NULL.
 * - `selected_key_id`: out; the first id of the list whose key exists, as the list has it; without
 *   a list, the preferred key's id.
 *
 * Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` when `selected_key_id` is NULL or the list
 * is malformed; `SGX_ERROR_UNSUPPORTED_ATT_KEY_ID` when none of the keys exists; or the reason of
 * the failure, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
 */
sgx_status_t sgx_select_att_key_id(const uint8_t *att_key_id_list,
                                   uint32_t att_key_id_list_size,
                                   sgx_att_key_id_t *selected_key_id);

/**
 * Initializes the attestation key, and gets the target info for an enclave's REPORT.
 *
 * With NULL for `pub_key_id` it only gets the size of the public key id; call it again with a
 * buffer of this size.
 *
 * - `att_key_id`: in; the attestation key.
 * - `qe_target_info`: out; target info of the Quoting Enclave, or zeros if `pub_key_id` is NULL.
 * - `pub_key_id_size`: in; the size of `pub_key_id` in bytes, 32. Out; 32, if `pub_key_id` is
 *   NULL.
 * - `pub_key_id`: out; SHA-256 of the attestation key, 32 bytes.
 *
 * Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` when another argument than `pub_key_id` is
 * NULL, or the size is not 32; `SGX_ERROR_UNSUPPORTED_ATT_KEY_ID` for an unknown key;
 * `SGX_ERROR_PLATFORM_CERT_UNAVAILABLE` or `SGX_ERROR_ATT_KEY_CERTIFICATION_FAILURE` when it
 * cannot be certified; or the reason of the failure, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
 */
sgx_status_t sgx_init_quote_ex(const sgx_att_key_id_t *att_key_id,
                               sgx_target_info_t *qe_target_info,
                               size_t *pub_key_id_size,
                               uint8_t *pub_key_id);

/**
 * Gets the size of a quote.
 *
 * - `att_key_id`: in; the attestation key.
 * - `quote_size`: out; the size of every quote under this key, in bytes.
 *
 * Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` for NULL;
 * `SGX_ERROR_UNSUPPORTED_ATT_KEY_ID` for an unknown key; `SGX_ERROR_ATT_KEY_UNINITIALIZED` before
 * `sgx_init_quote_ex`; or the reason of the failure, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
 */
sgx_status_t sgx_get_quote_size_ex(const sgx_att_key_id_t *att_key_id, uint32_t *quote_size);

/**
 * Makes a quote of a REPORT.
 *
 * - `app_report`: in; the application enclave's REPORT for the target info of the Quoting Enclave.
 * - `att_key_id`: in; the attestation key.
 * - `qe_report_info`: in; the caller's nonce and target info. Out; the Quoting Enclave's REPORT
 *   for that target, with the report data SHA-256(nonce, quote) and 32 zero bytes. NULL: no such
 *   REPORT.
 * - `quote`: out; the quote, and zeros up to the end of the buffer.
 * - `quote_size`: in; the size of the buffer `quote` in bytes, at least that of the quote.
 *
 * Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` when another argument than `qe_report_info`
 * is NULL, or the buffer is too small; `SGX_ERROR_MAC_MISMATCH` when the REPORT was not made for
 * the Quoting Enclave of this machine; `SGX_ERROR_UNSUPPORTED_ATT_KEY_ID` for an unknown key;
 * `SGX_ERROR_ATT_KEY_UNINITIALIZED` before `sgx_init_quote_ex`; or the reason of the failure, for
 * instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
 */
sgx_status_t sgx_get_quote_ex(const sgx_report_t *app_report,
                              const sgx_att_key_id_t *att_key_id,
                              sgx_qe_report_info_t *qe_report_info,
                              uint8_t *quote,
                              uint32_t quote_size);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SGX_QUOTE_HELPER_SGX_UAE_QUOTE_EX_H */
