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
 * Tells how many attestation keys there are.
 *
 * - `att_key_id_num`: out; the number, at least 1.
 *
 * Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` for NULL; or why the keys could not be told,
 * for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
 */
sgx_status_t sgx_get_supported_att_key_id_num(uint32_t *att_key_id_num);

/**
 * Tells the ids of all attestation keys, the preferred one first.
 *
 * - `att_key_id_list`: out; an array of `att_key_id_num` ids, 256 bytes each.
 * - `att_key_id_num`: in; what `sgx_get_supported_att_key_id_num` has told.
 *
 * Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` for NULL, or a number other than that of the
 * keys; or why the keys could not be told, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
 */
sgx_status_t sgx_get_supported_att_key_ids(sgx_att_key_id_ext_t *att_key_id_list,
                                           uint32_t att_key_id_num);

/**
 * Selects the attestation key to quote with, of those that a verifier takes.
 *
 * - `att_key_id_list`: in; the verifier's list: id 0 and version 0 (2 bytes each), count (4 bytes, at
 *   most 10), and so many ids of 256 bytes. NULL: the verifier takes any key.
 * - `att_key_id_list_size`: in; the size of the list in bytes, 0 for NULL.
 * - `selected_key_id`: out; the first id of the list whose key there is, as the list has it; without a
 *   list, the preferred key's id.
 *
 * Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` when `selected_key_id` is NULL or the list is
 * not of its form; `SGX_ERROR_UNSUPPORTED_ATT_KEY_ID` when there is none of the keys; or why the keys
 * could not be told, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
 */
sgx_status_t sgx_select_att_key_id(const uint8_t *att_key_id_list,
                                   uint32_t att_key_id_list_size,
                                   sgx_att_key_id_t *selected_key_id);

/**
 * Makes the attestation key ready, and tells for whom an enclave has to make its REPORT.
 *
 * Called with NULL for `pub_key_id`, it tells the size of the public key id and does nothing else;
 * called again with a buffer of this size, it does all.
 *
 * - `att_key_id`: in; the attestation key.
 * - `qe_target_info`: out; target info of the Quoting Enclave, or zeros if `pub_key_id` is NULL.
 * - `pub_key_id_size`: in; the size of `pub_key_id` in bytes, 32. Out; 32, if `pub_key_id` is NULL.
 * - `pub_key_id`: out; SHA-256 of the attestation key, 32 bytes.
 *
 * Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` when another argument than `pub_key_id` is
 * NULL, or the size is not 32; `SGX_ERROR_UNSUPPORTED_ATT_KEY_ID` when there is no such key;
 * `SGX_ERROR_PLATFORM_CERT_UNAVAILABLE` or `SGX_ERROR_ATT_KEY_CERTIFICATION_FAILURE` when it cannot
 * be certified; or why it could not be made ready, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
 */
sgx_status_t sgx_init_quote_ex(const sgx_att_key_id_t *att_key_id,
                               sgx_target_info_t *qe_target_info,
                               size_t *pub_key_id_size,
                               uint8_t *pub_key_id);

/**
 * Tells the size of a quote.
 *
 * - `att_key_id`: in; the attestation key.
 * - `quote_size`: out; the size of every quote under this key, in bytes.
 *
 * Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` for NULL; `SGX_ERROR_UNSUPPORTED_ATT_KEY_ID`
 * when there is no such key; `SGX_ERROR_ATT_KEY_UNINITIALIZED` when it has to be made ready first, by
 * `sgx_init_quote_ex`; or why the size could not be told, for instance
 * `SGX_ERROR_SERVICE_UNAVAILABLE`.
 */
sgx_status_t sgx_get_quote_size_ex(const sgx_att_key_id_t *att_key_id,
                                   uint32_t *quote_size);

/**
 * Makes a quote of a REPORT.
 *
 * - `app_report`: in; the application enclave's REPORT for the target info of the Quoting Enclave.
 * - `att_key_id`: in; the attestation key.
 * - `qe_report_info`: in; the caller's nonce and target info. Out; the Quoting Enclave's REPORT for
 *   that target, with the report data SHA-256(nonce, quote) and 32 zero bytes. NULL: no such REPORT.
 * - `quote`: out; the quote, and zeros up to the end of the buffer.
 * - `quote_size`: in; the size of the buffer `quote` in bytes, at least that of the quote.
 *
 * Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` when another argument than `qe_report_info` is
 * NULL, or the buffer is too small; `SGX_ERROR_MAC_MISMATCH` when the REPORT was not made for the
 * Quoting Enclave of this machine; `SGX_ERROR_UNSUPPORTED_ATT_KEY_ID` when there is no such key;
 * `SGX_ERROR_ATT_KEY_UNINITIALIZED` when it has to be made ready first, by `sgx_init_quote_ex`; or why
 * there is no quote, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
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
