//! Functions for Intel's Quote Verification Enclave, which this library does not load.
#![allow(unsafe_code, reason = "the functions of a C library take pointers from C")]

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use quote_provider::QveCollateral;
use sgx::QeReportInfo;

use crate::c_types::{Out, bounded_string, free, quote};
use crate::failure::Failure;
use crate::verification::tee;
use crate::{Error, call};

/// A number of `sgx_ql_request_policy_t`.
pub type RequestPolicy = u32;

/// `SGX_QL_PERSISTENT_QVE_MULTI_THREAD`, the last one.
const LAST_POLICY: RequestPolicy = 3;

/// The longest user data in a token, in bytes.
const USER_DATA_MAX_SIZE: usize = 128;

/// Sets when Intel's enclave is loaded, once in a process. Since it is not used, it changes
/// nothing: calls never wait for each other.
///
/// - `policy`: in; `SGX_QL_PERSISTENT`, `SGX_QL_EPHEMERAL`, `SGX_QL_EPHEMERAL_QVE_MULTI_THREAD` or
///   `SGX_QL_PERSISTENT_QVE_MULTI_THREAD`.
///
/// Returns `SGX_QL_SUCCESS`, or `SGX_QL_UNSUPPORTED_LOADING_POLICY` for another number, or if one
/// was set before.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_qv_set_enclave_load_policy(policy: RequestPolicy) -> Error {
    static IS_SET: AtomicBool = AtomicBool::new(false);
    call("sgx_qv_set_enclave_load_policy", || set_once(&IS_SET, policy, LAST_POLICY))
}

/// Sets the policy, unless it is greater than `last`, or one was set before.
pub(crate) fn set_once(
    is_set: &AtomicBool,
    policy: RequestPolicy,
    last: RequestPolicy,
) -> Result<(), Failure> {
    if policy > last || is_set.swap(true, Ordering::Relaxed) {
        return Err(Failure::LoadPolicy(policy));
    }
    Ok(())
}

/// Verifies a quote, and makes a token with the result. Tokens and their appraisal are not part of
/// this library.
///
/// - `p_quote`, `quote_size`: in; the quote, and its size in bytes, at least 1020.
/// - `p_quote_collateral`: in; the collateral, or NULL.
/// - `p_qve_report_info`: in; not NULL if Intel's enclave is to verify.
/// - `p_user_data`: in; a string of at most 128 bytes, or NULL.
/// - `p_verification_result_token_buffer_size`, `p_verification_result_token`: out; not written.
///
/// Returns `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, a wrong size, or a quote of another TEE;
/// `SGX_QL_ERROR_UNEXPECTED` with `p_qve_report_info`; else `SGX_QL_INTERFACE_UNAVAILABLE`.
///
/// # Safety
/// `p_quote` is NULL or has the size; `p_user_data` is NULL or ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_verify_quote_qvt(
    p_quote: *const u8,
    quote_size: u32,
    p_quote_collateral: *const QveCollateral,
    p_qve_report_info: *mut QeReportInfo,
    p_user_data: *const u8,
    p_verification_result_token_buffer_size: *mut u32,
    p_verification_result_token: *mut *mut u8,
) -> Error {
    let _ = p_quote_collateral;
    // SAFETY: the caller guarantees it.
    call("tee_verify_quote_qvt", || unsafe {
        let quote = quote(p_quote, quote_size)?;
        if !p_user_data.is_null() && bounded_string(p_user_data, USER_DATA_MAX_SIZE).is_none() {
            return Err(Failure::argument("p_user_data has more than 128 bytes"));
        }
        tee(quote)?;
        if !p_qve_report_info.is_null() {
            return Err(Failure::Enclave("a verification with a report (p_qve_report_info)"));
        }
        Out::required(
            p_verification_result_token_buffer_size,
            "p_verification_result_token_buffer_size",
        )?;
        Out::required(p_verification_result_token, "p_verification_result_token")?;
        Err(Failure::Tokens)
    })
}

/// Frees a token.
///
/// - `p_verification_result_token`: in; memory from malloc.
/// - `p_verification_result_token_buffer_size`: out; 0.
///
/// Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL.
///
/// # Safety
/// The token is NULL or from malloc, and no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_free_verify_quote_qvt(
    p_verification_result_token: *mut u8,
    p_verification_result_token_buffer_size: *mut u32,
) -> Error {
    // SAFETY: the caller guarantees it.
    call("tee_free_verify_quote_qvt", || unsafe {
        Out::required(p_verification_result_token, "p_verification_result_token")?;
        let size = Out::required(
            p_verification_result_token_buffer_size,
            "p_verification_result_token_buffer_size",
        )?;
        free(p_verification_result_token.cast::<c_void>());
        size.write(0);
        Ok(())
    })
}
