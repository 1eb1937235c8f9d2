//! `libsgx_quote_ex.so.1`: quotes for applications that are written against Intel's library of this
//! name, with its functions, structures and status codes.
//!
//! At load time the environment decides the mode: with `SGX_AESM_ADDR` set, calls go to the quote
//! service; without it, this process makes the quotes. (Intel's library always asks a service.)
//! `docs/c-libraries.md` has the details.
//!
//! Several threads may call the functions at once. The library starts no thread. With
//! `QUOTE_HELPER_TRACE=stderr` it writes the reason of each failed call to standard error.
#![allow(unsafe_code, reason = "the functions of a C library take pointers from C")]

use std::mem::MaybeUninit;
use std::slice::{from_raw_parts, from_raw_parts_mut};

use quoting::{ApplicationQuoter, QuoteRequest, QuotingError, guarded, required};
use sgx::{AesmError, AttestationKeyId, QeReportInfo, QuoteExCall, Report, SgxStatus, TargetInfo};

/// A number of `sgx_status_t`.
pub type Status = u32;

/// `sgx_att_key_id_t`, 256 bytes, which C callers pass on without looking inside.
pub type AttKeyId = AttestationKeyId;

/// `sgx_att_key_id_ext_t`: the same 256 bytes, with fields for C callers.
pub type AttKeyIdExt = AttestationKeyId;

/// The size of a public key id in bytes: SHA-256.
const PUB_KEY_ID_SIZE: usize = 32;

static QUOTER: ApplicationQuoter = ApplicationQuoter::new();

/// Decides the mode when the library is loaded, so that it never changes afterwards.
#[used]
// SAFETY: the section holds functions of this type; the dynamic loader calls each of them once.
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = {
    extern "C" fn decide_mode() {
        // Each call reports an invalid value.
        let _ = QUOTER.mode();
    }
    decide_mode
};

/// Gets the number of attestation keys.
///
/// - `att_key_id_num`: out; the number, at least 1.
///
/// Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` for NULL; or
/// the reason of the failure, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_get_supported_att_key_id_num(
    att_key_id_num: Option<&mut MaybeUninit<u32>>,
) -> Status {
    status("sgx_get_supported_att_key_id_num", QuoteExCall::KeyIds, || {
        let number = required(att_key_id_num, "att_key_id_num")?;
        let known = QUOTER.quoter()?.attestation_key_ids()?;
        number.write(u32::try_from(known.len()).unwrap_or(u32::MAX));
        Ok(())
    })
}

/// Gets the ids of all attestation keys, the preferred one first.
///
/// - `att_key_id_list`: out; an array of `att_key_id_num` ids, 256 bytes each.
/// - `att_key_id_num`: in; the number from `sgx_get_supported_att_key_id_num`.
///
/// Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` for NULL, or a number other than that of
/// the keys; or the reason of the failure, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
///
/// # Safety
/// `att_key_id_list` is NULL or an array of `att_key_id_num` ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_get_supported_att_key_ids(
    att_key_id_list: *mut AttKeyIdExt,
    att_key_id_num: u32,
) -> Status {
    status("sgx_get_supported_att_key_ids", QuoteExCall::KeyIds, || {
        if att_key_id_list.is_null() || att_key_id_num == 0 {
            return Err(parameter("att_key_id_list is NULL, or att_key_id_num is 0"));
        }
        let known = QUOTER.quoter()?.attestation_key_ids()?;
        if usize::try_from(att_key_id_num) != Ok(known.len()) {
            return Err(parameter("att_key_id_num is not the number of the keys"));
        }
        // SAFETY: the array has as many ids as `known`.
        unsafe { att_key_id_list.copy_from_nonoverlapping(known.as_ptr(), known.len()) };
        Ok(())
    })
}

/// Selects the attestation key to quote with, among those that a verifier accepts.
///
/// - `att_key_id_list`: in; the verifier's list: id 0 and version 0 (2 bytes each), count (4 bytes,
///   at most 10), and so many ids of 256 bytes. NULL: the verifier accepts any.
/// - `att_key_id_list_size`: in; the size of the list in bytes, 0 for NULL.
/// - `selected_key_id`: out; the first id of the list whose key exists, as the list has it; without
///   a list, the preferred key's id.
///
/// Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` when `selected_key_id` is NULL or the list
/// is malformed; `SGX_ERROR_UNSUPPORTED_ATT_KEY_ID` when none of the keys exists; or the reason of
/// the failure, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
///
/// # Safety
/// `att_key_id_list` is NULL or has the given size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_select_att_key_id(
    att_key_id_list: *const u8,
    att_key_id_list_size: u32,
    selected_key_id: Option<&mut MaybeUninit<AttKeyId>>,
) -> Status {
    status("sgx_select_att_key_id", QuoteExCall::Select, || {
        let selected = required(selected_key_id, "selected_key_id")?;
        let list = match (att_key_id_list.is_null(), att_key_id_list_size as usize) {
            (true, 0) => None,
            // SAFETY: the list is not NULL, and so of this size.
            (false, size @ ..=AttestationKeyId::MAX_LIST_SIZE) => {
                Some(unsafe { from_raw_parts(att_key_id_list, size) })
            }
            _ => return Err(parameter("att_key_id_list is NULL or too large")),
        };
        let known = QUOTER.quoter()?.attestation_key_ids()?;
        let key_id = AttestationKeyId::select(&known, list);
        selected.write(key_id.map_err(|code| QuotingError::new(code, "no key can be selected"))?);
        Ok(())
    })
}

/// Initializes the attestation key, and gets the target info for an enclave's REPORT.
///
/// With NULL for `pub_key_id` it only gets the size of the public key id; call it again with a
/// buffer of this size.
///
/// - `att_key_id`: in; the attestation key.
/// - `qe_target_info`: out; target info of the Quoting Enclave, or zeros if `pub_key_id` is NULL.
/// - `pub_key_id_size`: in; the size of `pub_key_id` in bytes, 32. Out; 32, if `pub_key_id` is
///   NULL.
/// - `pub_key_id`: out; SHA-256 of the attestation key, 32 bytes.
///
/// Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` when another argument than `pub_key_id` is
/// NULL, or the size is not 32; `SGX_ERROR_UNSUPPORTED_ATT_KEY_ID` for an unknown key;
/// `SGX_ERROR_PLATFORM_CERT_UNAVAILABLE` or `SGX_ERROR_ATT_KEY_CERTIFICATION_FAILURE` when it
/// cannot be certified; or the reason of the failure, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
///
/// # Safety
/// `pub_key_id` is NULL or has the given size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_init_quote_ex(
    att_key_id: Option<&AttKeyId>,
    qe_target_info: Option<&mut MaybeUninit<TargetInfo>>,
    pub_key_id_size: Option<&mut MaybeUninit<usize>>,
    pub_key_id: *mut u8,
) -> Status {
    status("sgx_init_quote_ex", QuoteExCall::Init, || {
        let key_id = required(att_key_id, "att_key_id")?;
        let target_info = required(qe_target_info, "qe_target_info")?;
        let size = required(pub_key_id_size, "pub_key_id_size")?;
        if pub_key_id.is_null() {
            check_known(key_id)?;
            target_info.write(TargetInfo::default());
            size.write(PUB_KEY_ID_SIZE);
            return Ok(());
        }
        // SAFETY: with a buffer, the caller sets its size.
        if unsafe { size.assume_init_read() } != PUB_KEY_ID_SIZE {
            return Err(parameter("pub_key_id_size is not 32"));
        }
        let key = QUOTER.quoter()?.initialize(key_id)?;
        target_info.write(key.target_info);
        // SAFETY: the buffer is not NULL, and so of this size.
        unsafe { pub_key_id.cast::<[u8; PUB_KEY_ID_SIZE]>().write(key.public_key_id) };
        Ok(())
    })
}

/// Gets the size of a quote.
///
/// - `att_key_id`: in; the attestation key.
/// - `quote_size`: out; the size of every quote under this key, in bytes.
///
/// Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` for NULL;
/// `SGX_ERROR_UNSUPPORTED_ATT_KEY_ID` for an unknown key; `SGX_ERROR_ATT_KEY_UNINITIALIZED` before
/// `sgx_init_quote_ex`; or the reason of the failure, for instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_get_quote_size_ex(
    att_key_id: Option<&AttKeyId>,
    quote_size: Option<&mut MaybeUninit<u32>>,
) -> Status {
    status("sgx_get_quote_size_ex", QuoteExCall::Size, || {
        let key_id = required(att_key_id, "att_key_id")?;
        let size = required(quote_size, "quote_size")?;
        size.write(QUOTER.quoter()?.quote_size(key_id)?);
        Ok(())
    })
}

/// Makes a quote of a REPORT.
///
/// - `app_report`: in; the application enclave's REPORT for the target info of the Quoting Enclave.
/// - `att_key_id`: in; the attestation key.
/// - `qe_report_info`: in; the caller's nonce and target info. Out; the Quoting Enclave's REPORT
///   for that target, with the report data SHA-256(nonce, quote) and 32 zero bytes. NULL: no such
///   REPORT.
/// - `quote`: out; the quote, and zeros up to the end of the buffer.
/// - `quote_size`: in; the size of the buffer `quote` in bytes, at least that of the quote.
///
/// Returns `SGX_SUCCESS`; `SGX_ERROR_INVALID_PARAMETER` when another argument than `qe_report_info`
/// is NULL, or the buffer is too small; `SGX_ERROR_MAC_MISMATCH` when the REPORT was not made for
/// the Quoting Enclave of this machine; `SGX_ERROR_UNSUPPORTED_ATT_KEY_ID` for an unknown key;
/// `SGX_ERROR_ATT_KEY_UNINITIALIZED` before `sgx_init_quote_ex`; or the reason of the failure, for
/// instance `SGX_ERROR_SERVICE_UNAVAILABLE`.
///
/// # Safety
/// `quote` is NULL or has the given size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_get_quote_ex(
    app_report: Option<&Report>,
    att_key_id: Option<&AttKeyId>,
    qe_report_info: Option<&mut QeReportInfo>,
    quote: *mut u8,
    quote_size: u32,
) -> Status {
    status("sgx_get_quote_ex", QuoteExCall::Quote, || {
        let report = *required(app_report, "app_report")?;
        let key_id = *required(att_key_id, "att_key_id")?;
        if quote.is_null() || quote_size == 0 {
            return Err(parameter("quote is NULL, or quote_size is 0"));
        }
        let request =
            QuoteRequest { report, key_id, qe_report_info: qe_report_info.as_deref().copied() };
        let reply = QUOTER.quoter()?.quote(&request)?;
        // SAFETY: the buffer is not NULL, and so of this size.
        reply.write_to(unsafe { from_raw_parts_mut(quote.cast(), quote_size as usize) })?;
        if let (Some(info), Some(answered)) = (qe_report_info, reply.qe_report_info) {
            *info = answered;
        }
        Ok(())
    })
}

/// Runs a function of this library: a failure is traced, and becomes its status.
fn status(
    function: &str,
    call: QuoteExCall,
    serve: impl FnOnce() -> Result<(), QuotingError>,
) -> Status {
    let Err(error) = guarded(serve) else { return SgxStatus::SUCCESS.0 };
    let status = error.sgx_status(call);
    call_trace::failed("libsgx_quote_ex", function, status, error);
    status.0
}

fn check_known(key_id: &AttestationKeyId) -> Result<(), QuotingError> {
    let known = QUOTER.quoter()?.attestation_key_ids()?;
    if known.iter().any(|known| known.names_same_key(key_id)) {
        return Ok(());
    }
    Err(QuotingError::new(AesmError::UnsupportedAttKeyId, "unknown attestation key"))
}

fn parameter(detail: &str) -> QuotingError {
    QuotingError::new(AesmError::Parameter, detail)
}
