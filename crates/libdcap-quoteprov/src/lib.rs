//! `libdcap_quoteprov.so.1`: PCK certificates and collateral for Intel's quote generation and
//! verification libraries and other users of a quote provider. It has the functions, structures and
//! error codes of Intel's library; `docs/c-libraries.md` lists the differences.
//!
//! All programs of a user share a cache on disk. Only missing items are fetched, with a deadline.
//! The first call reads the settings, which are those of the crate `collateral`.
//!
//! The functions are thread-safe. Messages go to the application's callback only.
#![allow(unsafe_code, reason = "the functions of a C library take pointers from C")]

mod c_types;
mod log;
mod result;

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr::null_mut;

use c_types::{PckCertId, QuoteConfig};
use collateral::CollateralId;
use quote_provider::{Failure, LogLevel as Level, Provider, QveCollateral, guarded, required};
use sgx::Quote3Error;
use verify::Tee;

/// A number of `quote3_error_t`.
pub type Error = u32;

/// A number of `sgx_ql_log_level_t`.
pub type LogLevel = u32;

/// `sgx_ql_logging_callback_t`: gets a level and a message, which is valid during the call only.
pub type LoggingCallback = Option<unsafe extern "C" fn(level: LogLevel, message: *const c_char)>;

/// `tdx_ql_qv_collateral_t`: the same structure for TDX.
pub type TdxCollateral = QveCollateral;

/// `SGX_QPL_CACHE_CERTIFICATE`
const CERTIFICATES: u32 = 1;
/// `SGX_QPL_CACHE_QV_COLLATERAL`
const COLLATERAL: u32 = 2;
/// `SGX_QPL_CACHE_MULTICERTS`: lists of PCK certificates, which are not cached here.
const CERTIFICATE_LISTS: u32 = 4;

/// Gets the PCK certificate of a platform.
///
/// - `p_pck_cert_id`: in; the platform and its TCB. The encrypted PPID may be missing or zeros:
///   only Intel's PCS needs it.
/// - `pp_quote_config`: out; the certificate, its chain and its TCB. Free it with
///   `sgx_ql_free_quote_config`. NULL on error.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, a wrong size, or a crypto
/// suite other than 1; `SGX_QL_PLATFORM_UNKNOWN` and `SGX_QL_CERTS_UNAVAILABLE` if a PCCS reports
/// them; `SGX_QL_NO_PLATFORM_CERT_DATA` if there is no certificate; or the reason of a failed
/// fetch, such as `SGX_QL_NETWORK_ERROR`.
///
/// # Safety
/// The pointers in `p_pck_cert_id` are NULL or point to as many bytes as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_get_quote_config(
    p_pck_cert_id: Option<&PckCertId>,
    pp_quote_config: Option<&mut MaybeUninit<*mut QuoteConfig>>,
) -> Error {
    call("sgx_ql_get_quote_config", || {
        let config = empty(pp_quote_config, "pp_quote_config")?;
        // SAFETY: the caller guarantees it.
        let request = unsafe { required(p_pck_cert_id, "p_pck_cert_id")?.request()? };
        *config = result::quote_config(provider()?, request)?;
        Ok(())
    })
}

/// Frees the result of `sgx_ql_get_quote_config`.
///
/// - `p_quote_config`: in; NULL is ignored.
///
/// Returns `SGX_QL_SUCCESS`.
///
/// # Safety
/// It is from that function or NULL, and no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_free_quote_config(p_quote_config: *mut QuoteConfig) -> Error {
    // SAFETY: the caller guarantees it.
    unsafe { free([p_quote_config]) }
}

/// Gets the collateral for quotes of platforms of one kind.
///
/// - `fmspc`, `fmspc_size`: in; the kind of platform, 6 bytes.
/// - `pck_ca`: in; the issuer of their PCK certificates: `"processor"` or `"platform"`.
/// - `pp_quote_collateral`: out; the collateral. Free it with
///   `sgx_ql_free_quote_verification_collateral`. NULL on error.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, a wrong size, or an unknown
/// CA; `SGX_QL_NO_QUOTE_COLLATERAL_DATA`, `SGX_QL_TCBINFO_NOT_FOUND` or
/// `SGX_QL_QEIDENTITY_NOT_FOUND` if there is none; or the reason of a failed fetch, such as
/// `SGX_QL_NETWORK_ERROR`.
///
/// # Safety
/// `fmspc` is NULL or points to `fmspc_size` bytes; `pck_ca` is NULL or ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_get_quote_verification_collateral(
    fmspc: *const u8,
    fmspc_size: u16,
    pck_ca: *const c_char,
    pp_quote_collateral: Option<&mut MaybeUninit<*mut QveCollateral>>,
) -> Error {
    call("sgx_ql_get_quote_verification_collateral", || {
        let place = empty(pp_quote_collateral, "pp_quote_collateral")?;
        // SAFETY: the caller guarantees it.
        unsafe { collateral(Tee::Sgx, fmspc, fmspc_size, pck_ca, place) }
    })
}

/// As `sgx_ql_get_quote_verification_collateral`.
///
/// - `custom_param`, `custom_param_length`: in; parameters of the service, or NULL and 0. They are
///   ignored, since all callers share the cache.
///
/// Returns also `SGX_QL_ERROR_INVALID_PARAMETER` for NULL with a length, or 0 without NULL.
///
/// # Safety
/// As for that function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_get_quote_verification_collateral_with_params(
    fmspc: *const u8,
    fmspc_size: u16,
    pck_ca: *const c_char,
    custom_param: *const c_void,
    custom_param_length: u16,
    pp_quote_collateral: Option<&mut MaybeUninit<*mut QveCollateral>>,
) -> Error {
    call("sgx_ql_get_quote_verification_collateral_with_params", || {
        let place = empty(pp_quote_collateral, "pp_quote_collateral")?;
        check_parameter(custom_param, custom_param_length)?;
        // SAFETY: the caller guarantees it.
        unsafe { collateral(Tee::Sgx, fmspc, fmspc_size, pck_ca, place) }
    })
}

/// Frees the result of `sgx_ql_get_quote_verification_collateral`.
///
/// - `p_quote_collateral`: in; NULL is ignored.
///
/// Returns `SGX_QL_SUCCESS`.
///
/// # Safety
/// It is from that function or NULL, and no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_free_quote_verification_collateral(
    p_quote_collateral: *mut QveCollateral,
) -> Error {
    // SAFETY: the caller guarantees it.
    unsafe { free([p_quote_collateral]) }
}

/// As `sgx_ql_get_quote_verification_collateral`, for TDX. Free the collateral with
/// `tdx_ql_free_quote_verification_collateral`.
///
/// # Safety
/// As for that function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdx_ql_get_quote_verification_collateral(
    fmspc: *const u8,
    fmspc_size: u16,
    pck_ca: *const c_char,
    pp_quote_collateral: Option<&mut MaybeUninit<*mut TdxCollateral>>,
) -> Error {
    call("tdx_ql_get_quote_verification_collateral", || {
        let place = empty(pp_quote_collateral, "pp_quote_collateral")?;
        // SAFETY: the caller guarantees it.
        unsafe { collateral(Tee::Tdx, fmspc, fmspc_size, pck_ca, place) }
    })
}

/// As `sgx_ql_get_quote_verification_collateral_with_params`, for TDX. Free the collateral with
/// `tdx_ql_free_quote_verification_collateral`.
///
/// # Safety
/// As for that function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdx_ql_get_quote_verification_collateral_with_params(
    fmspc: *const u8,
    fmspc_size: u16,
    pck_ca: *const c_char,
    custom_param: *const c_void,
    custom_param_length: u16,
    pp_quote_collateral: Option<&mut MaybeUninit<*mut TdxCollateral>>,
) -> Error {
    call("tdx_ql_get_quote_verification_collateral_with_params", || {
        let place = empty(pp_quote_collateral, "pp_quote_collateral")?;
        check_parameter(custom_param, custom_param_length)?;
        // SAFETY: the caller guarantees it.
        unsafe { collateral(Tee::Tdx, fmspc, fmspc_size, pck_ca, place) }
    })
}

/// Frees the result of `tdx_ql_get_quote_verification_collateral`.
///
/// - `p_quote_collateral`: in; NULL is ignored.
///
/// Returns `SGX_QL_SUCCESS`.
///
/// # Safety
/// It is from that function or NULL, and no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdx_ql_free_quote_verification_collateral(
    p_quote_collateral: *mut TdxCollateral,
) -> Error {
    // SAFETY: the caller guarantees it.
    unsafe { free([p_quote_collateral]) }
}

/// Gets the identity of Intel's Quote Verification Enclave.
///
/// - `pp_qve_identity`, `p_qve_identity_size`: out; JSON with its signature, and the size in
///   bytes, including the zero byte at the end.
/// - `pp_qve_identity_issuer_chain`, `p_qve_identity_issuer_chain_size`: out; PEM, the root's
///   certificate last, and its size. Free both with `sgx_ql_free_qve_identity`. NULL and 0 on
///   error.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL;
/// `SGX_QL_NO_QVE_IDENTITY_DATA` if there is none; or the reason of a failed fetch, such as
/// `SGX_QL_NETWORK_ERROR`.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_ql_get_qve_identity(
    pp_qve_identity: Option<&mut MaybeUninit<*mut c_char>>,
    p_qve_identity_size: Option<&mut MaybeUninit<u32>>,
    pp_qve_identity_issuer_chain: Option<&mut MaybeUninit<*mut c_char>>,
    p_qve_identity_issuer_chain_size: Option<&mut MaybeUninit<u32>>,
) -> Error {
    call("sgx_ql_get_qve_identity", || {
        let identity = empty(pp_qve_identity, "pp_qve_identity")?;
        let identity_size = required(p_qve_identity_size, "p_qve_identity_size")?.write(0);
        let chain = empty(pp_qve_identity_issuer_chain, "pp_qve_identity_issuer_chain")?;
        let chain_size = "p_qve_identity_issuer_chain_size";
        let chain_size = required(p_qve_identity_issuer_chain_size, chain_size)?.write(0);
        let texts = quote_provider::qve_identity(provider()?)?;
        (*identity, *chain) = (texts[0].start.cast(), texts[1].start.cast());
        (*identity_size, *chain_size) = (texts[0].size, texts[1].size);
        Ok(())
    })
}

/// Frees the result of `sgx_ql_get_qve_identity`.
///
/// - `p_qve_identity`, `p_qve_identity_issuer_chain`: in; NULL is ignored.
///
/// Returns `SGX_QL_SUCCESS`.
///
/// # Safety
/// They are from that function or NULL, and no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_free_qve_identity(
    p_qve_identity: *mut c_char,
    p_qve_identity_issuer_chain: *mut c_char,
) -> Error {
    // SAFETY: the caller guarantees it.
    unsafe { free([p_qve_identity, p_qve_identity_issuer_chain]) }
}

/// Gets the CRL of the root.
///
/// - `pp_root_ca_crl`, `p_root_ca_crl_size`: out; the CRL, in the format of
///   `sgx_ql_qve_collateral_t`, and its size in bytes, including the zero byte at the end. Free it
///   with `sgx_ql_free_root_ca_crl`. NULL and 0 on error.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL;
/// `SGX_QL_NO_QUOTE_COLLATERAL_DATA` if there is none; or the reason of a failed fetch, such as
/// `SGX_QL_NETWORK_ERROR`.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_ql_get_root_ca_crl(
    pp_root_ca_crl: Option<&mut MaybeUninit<*mut u8>>,
    p_root_ca_crl_size: Option<&mut MaybeUninit<u16>>,
) -> Error {
    call("sgx_ql_get_root_ca_crl", || {
        let crl = empty(pp_root_ca_crl, "pp_root_ca_crl")?;
        let size = required(p_root_ca_crl_size, "p_root_ca_crl_size")?.write(0);
        (*crl, *size) = quote_provider::root_ca_crl(provider()?)?;
        Ok(())
    })
}

/// Frees the result of `sgx_ql_get_root_ca_crl`.
///
/// - `p_root_ca_crl`: in; NULL is ignored.
///
/// Returns `SGX_QL_SUCCESS`.
///
/// # Safety
/// It is from that function or NULL, and no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_free_root_ca_crl(p_root_ca_crl: *mut u8) -> Error {
    // SAFETY: the caller guarantees it.
    unsafe { free([p_root_ca_crl]) }
}

/// Sets the callback for messages. Level `SGX_QL_LOG_ERROR`: failed calls and problems, with the
/// fix; level `SGX_QL_LOG_INFO`: the settings in effect, and fetched items.
///
/// - `logger`: in; called by the thread that calls the library, before that returns. NULL: none.
/// - `loglevel`: in; the least severe level to report.
///
/// Returns `SGX_QL_SUCCESS`.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_ql_set_logging_callback(
    logger: LoggingCallback,
    loglevel: LogLevel,
) -> Error {
    log::set(logger, loglevel);
    Quote3Error::SUCCESS.0
}

/// Clears the cache.
///
/// - `cache_type`: in; the sum of any of `SGX_QPL_CACHE_CERTIFICATE`, `SGX_QPL_CACHE_QV_COLLATERAL`
///   and `SGX_QPL_CACHE_MULTICERTS`. The last kind is always empty.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for an unknown kind; or
/// `SGX_QL_ERROR_UNEXPECTED` if a file cannot be removed.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_qpl_clear_cache(cache_type: u32) -> Error {
    call("sgx_qpl_clear_cache", || {
        if cache_type & !(CERTIFICATES | COLLATERAL | CERTIFICATE_LISTS) != 0 {
            return Err(Failure::Argument(format!("there is no cache_type {cache_type:#x}")));
        }
        provider()?.clear(|item| {
            let kind = match item {
                CollateralId::PckCertificate(_) => CERTIFICATES,
                _ => COLLATERAL,
            };
            cache_type & kind != 0
        })
    })
}

/// Reads the settings, as the first call of any other function does.
///
/// Returns `SGX_QL_SUCCESS`, or `SGX_QL_CONFIG_INVALID_JSON` if they are invalid.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_qpl_global_init() -> Error {
    call("sgx_qpl_global_init", || provider().map(drop))
}

/// Does nothing, as in Intel's library.
///
/// Returns `SGX_QL_SUCCESS`.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_qpl_global_cleanup() -> Error {
    Quote3Error::SUCCESS.0
}

/// Gets the default policy for platforms of this kind. There is none.
///
/// - `fmspc`, `fmspc_size`: in; the kind of platform, 6 bytes.
/// - `pp_platform_policy`, `p_platform_policy_size`: out; NULL and 0.
///
/// Returns `SGX_QL_ERROR_INVALID_PARAMETER` for NULL or a wrong size, else
/// `SGX_QL_NO_QUOTE_COLLATERAL_DATA`.
///
/// # Safety
/// `fmspc` is NULL or points to `fmspc_size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_get_default_platform_policy(
    fmspc: *const u8,
    fmspc_size: u16,
    pp_platform_policy: Option<&mut MaybeUninit<*mut u8>>,
    p_platform_policy_size: Option<&mut MaybeUninit<u32>>,
) -> Error {
    call("tee_get_default_platform_policy", || {
        empty(pp_platform_policy, "pp_platform_policy")?;
        required(p_platform_policy_size, "p_platform_policy_size")?.write(0);
        // SAFETY: the caller guarantees it.
        unsafe { c_types::fmspc(fmspc, fmspc_size)? };
        Err(Failure::NoPolicy)
    })
}

/// Frees the result of `tee_get_default_platform_policy`.
///
/// - `p_platform_policy`: in; NULL is ignored.
///
/// Returns `SGX_QL_SUCCESS`.
///
/// # Safety
/// It is from that function or NULL, and no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_free_platform_policy(p_platform_policy: *mut u8) -> Error {
    // SAFETY: the caller guarantees it.
    unsafe { free([p_platform_policy]) }
}

/// Logs a failure, and turns it into a number.
fn call(function: &str, serve: impl FnOnce() -> Result<(), Failure>) -> Error {
    let Err(failure) = guarded(serve) else { return Quote3Error::SUCCESS.0 };
    let error = failure.quote3_error();
    call_trace::failed("libdcap_quoteprov", function, error, &failure);
    log::log(Level::Error, &format_args!("{function} failed: {failure}"));
    error.0
}

fn provider() -> Result<&'static Provider, Failure> {
    Provider::of_process(log::log)
}

/// # Safety
/// `fmspc` is NULL or points to `fmspc_size` bytes; `pck_ca` is NULL or ends with a zero byte.
unsafe fn collateral(
    tee: Tee,
    fmspc: *const u8,
    fmspc_size: u16,
    pck_ca: *const c_char,
    place: &mut *mut QveCollateral,
) -> Result<(), Failure> {
    // SAFETY: the caller guarantees it.
    let (fmspc, ca) = unsafe { (c_types::fmspc(fmspc, fmspc_size)?, c_types::pck_ca(pck_ca)?) };
    *place = quote_provider::verification_collateral(provider()?, tee, fmspc, ca)?;
    Ok(())
}

/// The place of a result, set to NULL.
fn empty<'a, T>(
    place: Option<&'a mut MaybeUninit<*mut T>>,
    name: &str,
) -> Result<&'a mut *mut T, Failure> {
    Ok(required(place, name)?.write(null_mut()))
}

fn check_parameter(value: *const c_void, length: u16) -> Result<(), Failure> {
    if value.is_null() != (length == 0) {
        let reason = "custom_param is NULL and custom_param_length is not 0, or vice versa";
        return Err(Failure::Argument(reason.to_owned()));
    }
    if length != 0 {
        log::log(Level::Info, &"custom_param is ignored: all callers share the cache");
    }
    Ok(())
}

/// # Safety
/// Each is NULL or a result of this library, and no longer used.
unsafe fn free<T, const N: usize>(results: [*mut T; N]) -> Error {
    // SAFETY: the caller guarantees it.
    results.into_iter().for_each(|result| unsafe { quote_provider::free(result) });
    Quote3Error::SUCCESS.0
}
