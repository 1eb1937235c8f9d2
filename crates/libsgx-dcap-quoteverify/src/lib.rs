//! `libsgx_dcap_quoteverify.so.1`: verification of SGX and TDX quotes, for applications that are
//! written against Intel's library of this name, with its functions, structures, results and error
//! codes. `docs/c-libraries.md` and `docs/differences.md` have the differences.
//!
//! The crate `verify` decides. Collateral comes from the caller, from this machine's sources and
//! cache, or from a quote provider library that the application names. Roots are Intel's and, in a
//! file that only root can change, others.
//!
//! The functions are thread-safe and run at the same time; the library starts no thread.
#![allow(unsafe_code, reason = "the functions of a C library take pointers from C")]
#![expect(
    clippy::disallowed_types,
    reason = "an application that forks copies parking_lot's table of waiting threads, perhaps locked"
)]

pub mod appraisal;
mod c_types;
mod chain;
mod decoded;
pub mod enclave;
mod failure;
pub mod fetch;
mod library;
mod provider;
mod qv_result;
mod roots;
mod state;
mod supplemental;
pub mod trace;
mod verification;

use std::ptr::null_mut;

use c_types::{Out, Supplemental, SupplementalBuffer, SupplementalRequest, quote, read};
use failure::Failure;
use provider::platform;
use quote_provider::{QveCollateral, guarded};
use sgx::{QeReportInfo, Quote3Error};
use supplemental::Version;
use verification::{Arguments, verify};

/// A number of `quote3_error_t`.
pub type Error = u32;

/// A number of `sgx_ql_qv_result_t`.
pub type ResultNumber = u32;

/// `time_t`: seconds since 1970.
pub type Time = i64;

/// `tdx_ql_qv_collateral_t`: the same structure for TDX.
pub type TdxCollateral = QveCollateral;

/// Verifies a quote of SGX or TDX.
///
/// - `p_quote`, `quote_size`: in; the quote, and its size in bytes, at least 1020.
/// - `p_quote_collateral`: in; the collateral, of version 1.0, 3.0, 3.1 or 4.0, or NULL: it is
///   fetched. CRLs may be in PEM, in hexadecimal DER or in DER.
/// - `expiration_check_date`: in; the date at which collateral is to be valid, in seconds since
///   1970, not 0.
/// - `p_collateral_expiration_status`: out; 1 if any of the collateral has expired at that date,
///   else 0; 1 also if there is no result.
/// - `p_quote_verification_result`: out; the result. The quote holds with each one of a call that
///   succeeds; those other than `SGX_QL_QV_RESULT_OK` say what its platform lacks.
///   `SGX_QL_QV_RESULT_UNSPECIFIED` if the call fails.
/// - `p_qve_report_info`: in; NULL. Otherwise Intel's enclave is to verify, which is not there.
/// - `supplemental_data_size`, `p_supplemental_data`: out; a buffer of this size, 1136 bytes, for
///   an `sgx_ql_qv_supplemental_t`, or 672 for its fields up to version 3.4; or 0 and NULL.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, a wrong size or date, a
/// quote of another TEE, or texts of collateral that do not end with their only zero byte;
/// `SGX_QL_ERROR_UNEXPECTED` with `p_qve_report_info`; what `tee_qv_get_collateral` returns, if
/// there is no collateral; `SGX_QL_COLLATERAL_VERSION_NOT_SUPPORTED`; or the reason why the quote
/// does not hold, such as `SGX_QL_PCK_CERT_CHAIN_ERROR`, `SGX_QL_RESULT_INVALID_SIGNATURE`,
/// `SGX_QL_PCK_REVOKED`, `SGX_QL_TCB_REVOKED` or `SGX_QL_TCBINFO_MISMATCH`.
///
/// # Safety
/// Pointers are NULL or point to as many bytes as the sizes say. Results do not overlap with what
/// is read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_qv_verify_quote(
    p_quote: *const u8,
    quote_size: u32,
    p_quote_collateral: *const QveCollateral,
    expiration_check_date: Time,
    p_collateral_expiration_status: *mut u32,
    p_quote_verification_result: *mut ResultNumber,
    p_qve_report_info: *mut QeReportInfo,
    supplemental_data_size: u32,
    p_supplemental_data: *mut u8,
) -> Error {
    let arguments = Arguments {
        quote: p_quote,
        quote_size,
        collateral: p_quote_collateral,
        expiration_check_date,
        expiration_status: p_collateral_expiration_status,
        result: p_quote_verification_result,
        report_info: p_qve_report_info.cast(),
        supplemental: p_supplemental_data,
        supplemental_size: supplemental_data_size,
        version: Version::UNREQUESTED,
    };
    // SAFETY: the caller guarantees it.
    call("sgx_qv_verify_quote", || unsafe { verify_unversioned(&arguments) })
}

/// As `sgx_qv_verify_quote`. Each of the two takes quotes of SGX and of TDX.
///
/// # Safety
/// As for that function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdx_qv_verify_quote(
    p_quote: *const u8,
    quote_size: u32,
    p_quote_collateral: *const TdxCollateral,
    expiration_check_date: Time,
    p_collateral_expiration_status: *mut u32,
    p_quote_verification_result: *mut ResultNumber,
    p_qve_report_info: *mut QeReportInfo,
    supplemental_data_size: u32,
    p_supplemental_data: *mut u8,
) -> Error {
    let arguments = Arguments {
        quote: p_quote,
        quote_size,
        collateral: p_quote_collateral,
        expiration_check_date,
        expiration_status: p_collateral_expiration_status,
        result: p_quote_verification_result,
        report_info: p_qve_report_info.cast(),
        supplemental: p_supplemental_data,
        supplemental_size: supplemental_data_size,
        version: Version::UNREQUESTED,
    };
    // SAFETY: the caller guarantees it.
    call("tdx_qv_verify_quote", || unsafe { verify_unversioned(&arguments) })
}

/// As `sgx_qv_verify_quote`, with a version of supplemental data.
///
/// - `p_quote_collateral`: in; an `sgx_ql_qve_collateral_t`, or NULL.
/// - `p_supp_data_descriptor`: in; NULL, or a request for supplemental data: `major_version` is 0
///   or 3, both for the latest version, 3.5; `data_size` is 1136, or 672 for version 3.4, and
///   `p_data` a buffer of this
///   size. It is filled with zeros if the call fails.
///
/// Returns also `SGX_QL_SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED` for a later major version.
///
/// # Safety
/// As for that function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_verify_quote(
    p_quote: *const u8,
    quote_size: u32,
    p_quote_collateral: *const u8,
    expiration_check_date: Time,
    p_collateral_expiration_status: *mut u32,
    p_quote_verification_result: *mut ResultNumber,
    p_qve_report_info: *mut QeReportInfo,
    p_supp_data_descriptor: *mut SupplementalRequest,
) -> Error {
    // SAFETY: the caller guarantees it.
    call("tee_verify_quote", || unsafe {
        quote(p_quote, quote_size)?;
        let buffer = supplemental_buffer(p_supp_data_descriptor)?;
        let (supplemental, supplemental_size) =
            buffer.map_or((null_mut(), 0), SupplementalBuffer::parts);
        verify(&Arguments {
            quote: p_quote,
            quote_size,
            collateral: p_quote_collateral.cast(),
            expiration_check_date,
            expiration_status: p_collateral_expiration_status,
            result: p_quote_verification_result,
            report_info: p_qve_report_info.cast(),
            supplemental,
            supplemental_size,
            version: Version::of_size(supplemental_size),
        })
    })
}

/// Gets the size of supplemental data.
///
/// - `p_data_size`: out; the size in bytes, 1136.
///
/// Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL.
///
/// # Safety
/// It is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_qv_get_quote_supplemental_data_size(p_data_size: *mut u32) -> Error {
    // SAFETY: the caller guarantees it.
    call("sgx_qv_get_quote_supplemental_data_size", || unsafe { write_size(p_data_size) })
}

/// As `sgx_qv_get_quote_supplemental_data_size`.
///
/// # Safety
/// As for that function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdx_qv_get_quote_supplemental_data_size(p_data_size: *mut u32) -> Error {
    // SAFETY: the caller guarantees it.
    call("tdx_qv_get_quote_supplemental_data_size", || unsafe { write_size(p_data_size) })
}

/// Gets the latest version and the size of supplemental data.
///
/// - `p_quote`, `quote_size`: in; a quote of SGX or TDX, of which only the size is looked at.
/// - `p_version`: out; the major version, and 65,536 times the minor version: 3.5. NULL is ignored.
/// - `p_data_size`: out; the size in bytes, 1136.
///
/// Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL or a quote of less than
/// 1020 bytes.
///
/// # Safety
/// Pointers are NULL or point to as many bytes as the sizes say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_get_supplemental_data_version_and_size(
    p_quote: *const u8,
    quote_size: u32,
    p_version: *mut u32,
    p_data_size: *mut u32,
) -> Error {
    // SAFETY: the caller guarantees it.
    call("tee_get_supplemental_data_version_and_size", || unsafe {
        quote(p_quote, quote_size)?;
        write_size(p_data_size)?;
        if let Some(version) = Out::new(p_version) {
            version.write(Version::LATEST.number());
        }
        Ok(())
    })
}

/// Gets the FMSPC of a quote, without verifying it.
///
/// - `p_quote`, `quote_size`: in; the quote, and its size in bytes, at least 1020.
/// - `p_fmspc_from_quote`: out; the FMSPC, 6 bytes.
/// - `fmspc_from_quote_size`: in; the size of that buffer, at least 6.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL or a wrong size;
/// `SGX_QL_QUOTE_FORMAT_UNSUPPORTED` if it is no quote;
/// `SGX_QL_QUOTE_CERTIFICATION_DATA_UNSUPPORTED` if it has no PCK certificate;
/// `SGX_QL_PCK_CERT_UNSUPPORTED_FORMAT` if that is unreadable.
///
/// # Safety
/// Pointers are NULL or point to as many bytes as the sizes say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_get_fmspc_from_quote(
    p_quote: *const u8,
    quote_size: u32,
    p_fmspc_from_quote: *mut u8,
    fmspc_from_quote_size: u32,
) -> Error {
    // SAFETY: the caller guarantees it.
    call("tee_get_fmspc_from_quote", || unsafe {
        let quote = quote(p_quote, quote_size)?;
        let place: Out<[u8; 6]> = Out::required(p_fmspc_from_quote.cast(), "p_fmspc_from_quote")?;
        if fmspc_from_quote_size < 6 {
            return Err(Failure::argument("fmspc_from_quote_size is less than 6"));
        }
        let (fmspc, _) = platform(quote)?;
        place.write(fmspc);
        Ok(())
    })
}

/// Runs a function of this library: a failure is traced, and becomes its error code.
fn call(function: &str, serve: impl FnOnce() -> Result<(), Failure>) -> Error {
    let Err(failure) = guarded(serve) else { return Quote3Error::SUCCESS.0 };
    let error = failure.quote3_error();
    call_trace::failed("libsgx_dcap_quoteverify", function, error, &failure);
    trace::log(
        quote_provider::LogLevel::Error,
        &format_args!("{function} returns {error}: {failure}"),
    );
    error.0
}

/// # Safety
/// As for [`verify`].
unsafe fn verify_unversioned(arguments: &Arguments) -> Result<(), Failure> {
    // SAFETY: the caller's promise.
    unsafe {
        verify(arguments).inspect_err(|_| {
            let (place, size) = (arguments.supplemental, arguments.supplemental_size);
            if let Ok(Some(buffer)) = SupplementalBuffer::new(place, size) {
                buffer.invalidate();
            }
        })
    }
}

/// The buffer of a request for supplemental data, filled with zeros.
///
/// # Safety
/// It is NULL or points to a request, whose buffer is NULL or has the size that it says.
unsafe fn supplemental_buffer(
    request: *const SupplementalRequest,
) -> Result<Option<SupplementalBuffer>, Failure> {
    if request.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let request = unsafe { read(request, "p_supp_data_descriptor")? };
    if request.data.is_null() {
        return Err(Failure::null("p_data of p_supp_data_descriptor"));
    }
    match request.major_version {
        0 | 3 => (),
        later @ 4.. => return Err(Failure::SupplementalVersion(later)),
        _ => return Err(Failure::argument("supplemental data of versions 1 and 2 are gone")),
    }
    // SAFETY: the caller's promise.
    let buffer = unsafe { SupplementalBuffer::new(request.data, request.data_size)? };
    buffer.map(|buffer| buffer.clear().map(|()| buffer)).transpose()
}

/// # Safety
/// It is NULL or can be written.
unsafe fn write_size(place: *mut u32) -> Result<(), Failure> {
    // SAFETY: the caller's promise.
    unsafe { Out::required(place, "p_data_size")? }.write(Supplemental::SIZE);
    Ok(())
}
