//! `libsgx_dcap_ql.so.1`: quotes for applications that are written against Intel's library of this
//! name, with its functions, structures and error codes.
//!
//! At load time the environment decides the mode: with `SGX_AESM_ADDR` set, calls go to the quote
//! service; without it, this process makes the quotes, on real SGX or on the software platform.
//! `docs/c-libraries.md` has the differences from Intel's library.
//!
//! Several threads may call the functions at once. The library starts no thread. The reason of each
//! failed call goes to the application's callback and, with `QUOTE_HELPER_TRACE=stderr`, to
//! standard error.
#![allow(unsafe_code, reason = "the functions of a C library take pointers from C")]

mod failure;
mod intel;
mod trace;

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::slice::from_raw_parts_mut;

use failure::Failure;
use intel::{Component, LoadPolicy};
use quoting::{
    ApplicationQuoter, Platform, QuoteRequest, QuotingError, QuotingMode, guarded, required,
};
use sgx::{AttestationKeyId, Quote3Error, QuoteExCall, Report, TargetInfo};

/// A number of `quote3_error_t`.
pub type Error = u32;

/// A number of `sgx_ql_request_policy_t`.
pub type RequestPolicy = u32;

/// A number of `sgx_ql_path_type_t`.
pub type PathType = u32;

/// A number of `sgx_ql_log_level_t`.
pub type LogLevel = u32;

/// `sgx_ql_logging_callback_t`: gets a level and a message, which is valid during the call only.
pub type LoggingCallback = Option<unsafe extern "C" fn(level: LogLevel, message: *const c_char)>;

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

/// Initializes the attestation key, and gets the target info for an enclave's REPORT.
///
/// - `qe_target_info`: out; target info of the Quoting Enclave, or zeros if there is an error.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL; or the reason of the
/// failure, for instance `SGX_QL_SERVICE_UNAVAILABLE` or `SGX_QL_ENCLAVE_LOAD_ERROR`.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_qe_get_target_info(
    qe_target_info: Option<&mut MaybeUninit<TargetInfo>>,
) -> Error {
    call("sgx_qe_get_target_info", QuoteExCall::Init, || {
        let target_info = required(qe_target_info, "qe_target_info")?.write(TargetInfo::default());
        *target_info = QUOTER.quoter()?.initialize(&AttestationKeyId::ecdsa_p256())?.target_info;
        Ok(())
    })
}

/// Gets the size of a quote.
///
/// - `quote_size`: out; the size of every quote in bytes.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL;
/// `SGX_QL_ATT_KEY_NOT_INITIALIZED` before `sgx_qe_get_target_info`; or the reason of the failure,
/// for instance `SGX_QL_SERVICE_UNAVAILABLE`.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_qe_get_quote_size(quote_size: Option<&mut MaybeUninit<u32>>) -> Error {
    call("sgx_qe_get_quote_size", QuoteExCall::Size, || {
        let size = required(quote_size, "quote_size")?;
        size.write(QUOTER.quoter()?.quote_size(&AttestationKeyId::ecdsa_p256())?);
        Ok(())
    })
}

/// Makes a quote of a REPORT.
///
/// - `app_report`: in; the application enclave's REPORT for the target info of the Quoting Enclave.
/// - `quote_size`: in; the size of the buffer `quote` in bytes, at least that of the quote.
/// - `quote`: out; the quote, and zeros up to the end of the buffer.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, or a buffer that is too
/// small; in this process, `SGX_QL_INVALID_REPORT` when the REPORT was not made for the Quoting
/// Enclave of this machine (a service's refusal is `SGX_QL_ERROR_UNEXPECTED`, as with Intel's
/// library); `SGX_QL_ATT_KEY_NOT_INITIALIZED` before `sgx_qe_get_target_info`; or the reason of the
/// failure, for instance `SGX_QL_SERVICE_UNAVAILABLE`.
///
/// # Safety
/// `quote` is NULL or has the given size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_qe_get_quote(
    app_report: Option<&Report>,
    quote_size: u32,
    quote: *mut u8,
) -> Error {
    call("sgx_qe_get_quote", QuoteExCall::Quote, || {
        let report = *required(app_report, "app_report")?;
        required((!quote.is_null()).then_some(()), "quote")?;
        let key_id = AttestationKeyId::ecdsa_p256();
        let request = QuoteRequest { report, key_id, qe_report_info: None };
        let reply = QUOTER.quoter()?.quote(&request)?;
        // SAFETY: the buffer is not NULL, and so of this size.
        let buffer = unsafe { from_raw_parts_mut(quote.cast(), quote_size as usize) };
        Ok(reply.write_to(buffer)?)
    })
}

/// Sets whether the enclaves stay loaded. Only for quotes made in this process.
///
/// - `policy`: in; `SGX_QL_PERSISTENT`, the default: until the process ends. `SGX_QL_EPHEMERAL`:
///   for one call at a time. On the software platform, which loads no enclaves, it changes nothing.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_UNSUPPORTED_LOADING_POLICY` for another policy;
/// `SGX_QL_UNSUPPORTED_MODE` in the mode with a quote service; or the reason of the failure.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_qe_set_enclave_load_policy(policy: RequestPolicy) -> Error {
    call("sgx_qe_set_enclave_load_policy", QuoteExCall::Init, || {
        in_this_process()?;
        let policy = LoadPolicy::of(policy).ok_or(Failure::LoadPolicy(policy))?;
        in_intels_libraries(|| intel::set_load_policy(policy))
    })
}

/// Does nothing, as in Intel's library: ephemeral enclaves are unloaded after each call. Only for
/// quotes made in this process.
///
/// Returns `SGX_QL_SUCCESS`, or `SGX_QL_UNSUPPORTED_MODE` in the mode with a quote service.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_qe_cleanup_by_policy() -> Error {
    call("sgx_qe_cleanup_by_policy", QuoteExCall::Init, in_this_process)
}

/// Sets the path of an enclave or of the quote provider library, before it is loaded. Only for
/// quotes made in this process.
///
/// - `path_type`: in; `SGX_QL_QE3_PATH`, `SGX_QL_PCE_PATH`, `SGX_QL_QPL_PATH` or `SGX_QL_IDE_PATH`.
/// - `path`: in; the path of the file. On the software platform, which loads none, it changes
///   nothing.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for another type, or when `path` is
/// NULL or is not that of a regular file; `SGX_QL_UNSUPPORTED_MODE` in the mode with a quote
/// service; `SGX_QL_INTERFACE_UNAVAILABLE` when Intel's library or its function is missing.
///
/// # Safety
/// `path` is NULL or ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_set_path(path_type: PathType, path: *const c_char) -> Error {
    call("sgx_ql_set_path", QuoteExCall::Init, || {
        in_this_process()?;
        required((!path.is_null()).then_some(()), "path")?;
        // SAFETY: it is not NULL, and so ends with a zero byte.
        let path = failure::regular_file(unsafe { CStr::from_ptr(path) })?;
        let component = Component::of(path_type).ok_or(Failure::PathType(path_type))?;
        in_intels_libraries(|| intel::set_path(component, path))
    })
}

/// Sets the callback for failed calls: one message each, of level `SGX_QL_LOG_ERROR`, with the
/// reason and the fix.
///
/// - `logger`: in; called by the thread whose call fails, before that returns. NULL: no callback.
/// - `level`: in; the least severe level to report. Every level includes errors; an unknown number
///   reports nothing.
///
/// Returns `SGX_QL_SUCCESS`.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_ql_set_trace_callback(logger: LoggingCallback, level: LogLevel) -> Error {
    trace::set(logger, level);
    Quote3Error::SUCCESS.0
}

/// Runs a function of this library: a failure is traced, and becomes its error code.
fn call(function: &str, like: QuoteExCall, serve: impl FnOnce() -> Result<(), Failure>) -> Error {
    let Err(failure) = guarded(serve) else { return Quote3Error::SUCCESS.0 };
    let service = matches!(QUOTER.mode(), Ok(QuotingMode::OutOfProcess(_)));
    let error = failure.quote3_error(service, like);
    call_trace::failed("libsgx_dcap_ql", function, error, &failure);
    trace::error(function, &failure);
    error.0
}

fn in_this_process() -> Result<(), Failure> {
    match QUOTER.mode().map_err(QuotingError::from)? {
        QuotingMode::InProcess => Ok(()),
        QuotingMode::OutOfProcess(_) => Err(Failure::Mode),
    }
}

/// Sets something in Intel's libraries, if they make the quotes.
fn in_intels_libraries(set: impl FnOnce() -> Result<(), QuotingError>) -> Result<(), Failure> {
    if Platform::of_process()? == Platform::Dcap {
        // Opened first, because opening sets the load policy.
        QUOTER.quoter()?;
        set()?;
    }
    Ok(())
}
