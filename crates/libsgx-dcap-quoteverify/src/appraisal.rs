//! Functions for the appraisal of verification results, which is done by an engine and an enclave
//! of Intel's that this library does not have.
#![allow(unsafe_code, reason = "the functions of a C library take pointers from C")]

use std::sync::atomic::AtomicBool;

use sgx::QeReportInfo;

use crate::c_types::{PolicyBundle, are_all_there, free, read};
use crate::enclave::{RequestPolicy, set_once};
use crate::failure::Failure;
use crate::{Error, Time, call};

/// A number of `tee_policy_auth_result_t`.
pub type AuthenticationResult = i32;

/// `SGX_QL_EPHEMERAL`, the last policy here.
const LAST_POLICY: RequestPolicy = 1;

const APPRAISAL: &str = "an appraisal with a report (p_qae_report_info)";

/// Sets when Intel's appraisal enclave is loaded, once in a process. Since it is not used, it
/// changes nothing.
///
/// - `policy`: in; `SGX_QL_PERSISTENT` or `SGX_QL_EPHEMERAL`.
///
/// Returns `SGX_QL_SUCCESS`, or `SGX_QL_UNSUPPORTED_LOADING_POLICY` for another number, or if one
/// was set before.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_qae_set_enclave_load_policy(policy: RequestPolicy) -> Error {
    static IS_SET: AtomicBool = AtomicBool::new(false);
    call("sgx_qae_set_enclave_load_policy", || set_once(&IS_SET, policy, LAST_POLICY))
}

/// Appraises a verification result by policies. Appraisal is not part of this library.
///
/// - `p_verification_result_token`: in; a token of `tee_verify_quote_qvt`.
/// - `p_qaps`, `qaps_count`: in; the policies.
/// - `appraisal_check_date`: in; the date of the appraisal, not 0.
/// - `p_qae_report_info`: in; not NULL if Intel's enclave is to appraise.
/// - `p_appraisal_result_token_buffer_size`, `p_appraisal_result_token`: out; not written.
///
/// Returns `SGX_QL_ERROR_INVALID_PARAMETER` for NULL or 0; `SGX_QL_ERROR_UNEXPECTED` with
/// `p_qae_report_info`; else `SGX_QL_INTERFACE_UNAVAILABLE`.
///
/// # Safety
/// `p_qaps` is NULL or points to as many pointers as `qaps_count` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_appraise_verification_token(
    p_verification_result_token: *const u8,
    p_qaps: *mut *mut u8,
    qaps_count: u8,
    appraisal_check_date: Time,
    p_qae_report_info: *mut QeReportInfo,
    p_appraisal_result_token_buffer_size: *mut u32,
    p_appraisal_result_token: *mut *mut u8,
) -> Error {
    call("tee_appraise_verification_token", || {
        required(p_verification_result_token, "p_verification_result_token")?;
        if appraisal_check_date == 0 {
            return Err(Failure::argument("appraisal_check_date is 0"));
        }
        required(p_appraisal_result_token_buffer_size, "p_appraisal_result_token_buffer_size")?;
        required(p_appraisal_result_token, "p_appraisal_result_token")?;
        // SAFETY: the caller guarantees it.
        if !unsafe { are_all_there(p_qaps.cast_const().cast(), qaps_count.into()) } {
            return Err(Failure::argument("p_qaps has no policy, or one that is NULL"));
        }
        unavailable(p_qae_report_info)
    })
}

/// Frees the result of an appraisal.
///
/// - `p_appraisal_result_token`: in; memory from malloc.
///
/// Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL.
///
/// # Safety
/// It is NULL or from malloc, and no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_free_appraisal_token(p_appraisal_result_token: *mut u8) -> Error {
    call("tee_free_appraisal_token", || {
        required(p_appraisal_result_token, "p_appraisal_result_token")?;
        // SAFETY: the caller guarantees it.
        unsafe { free(p_appraisal_result_token.cast()) };
        Ok(())
    })
}

/// As `tee_authenticate_appraisal_result_ex`, without its optional arguments.
///
/// # Safety
/// As for that function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_authenticate_appraisal_result(
    p_appraisal_result_token: *const u8,
    p_policies: *const PolicyBundle,
    result: *mut AuthenticationResult,
) -> Error {
    call("tee_authenticate_appraisal_result", || {
        // SAFETY: the caller guarantees it.
        unsafe { check_policies(p_appraisal_result_token, p_policies, result)? };
        Err(Failure::Tokens)
    })
}

/// Checks that an appraisal used these policies. Appraisal is not part of this library.
///
/// - `p_quote`, `quote_size`: in; the quote, or NULL and 0.
/// - `p_appraisal_result_token`: in; the result of an appraisal.
/// - `p_policies`: in; the policies.
/// - `p_td_identity`, `p_td_tcb_mapping_table`: in; NULL.
/// - `result`: out; not written.
/// - `p_qae_report_info`: in; not NULL if Intel's enclave is to check.
///
/// Returns `SGX_QL_ERROR_INVALID_PARAMETER` for wrong arguments; `SGX_QL_ERROR_UNEXPECTED` with
/// `p_qae_report_info`; else `SGX_QL_INTERFACE_UNAVAILABLE`.
///
/// # Safety
/// `p_policies` is NULL or points to policies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_authenticate_appraisal_result_ex(
    p_quote: *const u8,
    quote_size: u32,
    p_appraisal_result_token: *const u8,
    p_policies: *const PolicyBundle,
    p_td_identity: *const u8,
    p_td_tcb_mapping_table: *const u8,
    result: *mut AuthenticationResult,
    p_qae_report_info: *mut QeReportInfo,
) -> Error {
    call("tee_authenticate_appraisal_result_ex", || {
        // SAFETY: the caller guarantees it.
        unsafe { check_policies(p_appraisal_result_token, p_policies, result)? };
        check_optional(p_quote, quote_size, [p_td_identity, p_td_tcb_mapping_table])?;
        unavailable(p_qae_report_info)
    })
}

/// Checks that the policies of an appraisal are signed by these keys. Appraisal is not part of this
/// library.
///
/// - `policy_key_list`, `list_size`: in; the keys.
/// - The other arguments are those of `tee_authenticate_appraisal_result_ex`.
///
/// Returns as that function.
///
/// # Safety
/// `policy_key_list` is NULL or points to as many pointers as `list_size` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_authenticate_policy_owner(
    p_quote: *const u8,
    quote_size: u32,
    p_appraisal_result_token: *const u8,
    policy_key_list: *mut *const u8,
    list_size: u32,
    p_td_identity: *const u8,
    p_td_tcb_mapping_table: *const u8,
    result: *mut AuthenticationResult,
    p_qae_report_info: *mut QeReportInfo,
) -> Error {
    call("tee_authenticate_policy_owner", || {
        required(p_appraisal_result_token, "p_appraisal_result_token")?;
        required(result, "result")?;
        // SAFETY: the caller guarantees it.
        if !unsafe { are_all_there(policy_key_list, list_size as usize) } {
            return Err(Failure::argument("policy_key_list has no key, or one that is NULL"));
        }
        check_optional(p_quote, quote_size, [p_td_identity, p_td_tcb_mapping_table])?;
        unavailable(p_qae_report_info)
    })
}

/// # Safety
/// `policies` is NULL or points to policies.
unsafe fn check_policies(
    token: *const u8,
    policies: *const PolicyBundle,
    result: *mut AuthenticationResult,
) -> Result<(), Failure> {
    required(token, "p_appraisal_result_token")?;
    required(result, "result")?;
    // SAFETY: the caller's promise.
    unsafe { read(policies, "p_policies")? }.check()
}

fn check_optional(
    quote: *const u8,
    quote_size: u32,
    reserved: [*const u8; 2],
) -> Result<(), Failure> {
    if quote.is_null() != (quote_size == 0) {
        return Err(Failure::argument("p_quote without a size, or the other way round"));
    }
    if reserved.iter().any(|pointer| !pointer.is_null()) {
        return Err(Failure::argument("p_td_identity or p_td_tcb_mapping_table is not NULL"));
    }
    Ok(())
}

fn unavailable(report_info: *const QeReportInfo) -> Result<(), Failure> {
    Err(if report_info.is_null() { Failure::Tokens } else { Failure::Enclave(APPRAISAL) })
}

fn required<T>(pointer: *const T, name: &str) -> Result<(), Failure> {
    if pointer.is_null() { Err(Failure::null(name)) } else { Ok(()) }
}
