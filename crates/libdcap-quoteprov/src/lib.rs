//! `libdcap_quoteprov.so.1`: PCK certificates and collateral, for Intel's quote generation and verification libraries
//! and whatever else loads a quote provider of this name. It has the functions, structures and error codes of Intel's.
//!
//! Answers come from a cache on disk that all programs of a user share; only what is not there is asked for, with a
//! deadline. The settings are those of the `collateral` crate, read at the first call. See `docs/c-libraries.md` for
//! what differs from Intel's library and from Azure's.
//!
//! The functions may be called by several threads at once. Messages go to the application's own callback only.
#![allow(unsafe_code, reason = "the functions of a C library take pointers from C")]
#![expect(
    clippy::disallowed_types,
    reason = "an application that forks copies parking_lot's table of waiting threads, perhaps locked"
)]

mod answer;
mod block;
mod c_types;
mod failure;
mod log;
mod provider;

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr::null_mut;

use c_types::{PckCertId, QuoteConfig, QveCollateral};
use collateral::CollateralId;
use failure::{Failure, guarded, required};
use provider::Provider;
use sgx::Quote3Error;
use verify::Tee;

/// A number of `quote3_error_t`.
pub type Error = u32;

/// A number of `sgx_ql_log_level_t`.
pub type LogLevel = u32;

/// `sgx_ql_logging_callback_t`: gets a level and a message, which is there during the call only.
pub type LoggingCallback = Option<unsafe extern "C" fn(level: LogLevel, message: *const c_char)>;

/// `tdx_ql_qv_collateral_t`: the same structure for TDX.
pub type TdxCollateral = QveCollateral;

/// `SGX_QPL_CACHE_CERTIFICATE`
const CERTIFICATES: u32 = 1;
/// `SGX_QPL_CACHE_QV_COLLATERAL`
const COLLATERAL: u32 = 2;
/// `SGX_QPL_CACHE_MULTICERTS`: lists of PCK certificates, of which none are kept here.
const CERTIFICATE_LISTS: u32 = 4;

/// Gets the PCK certificate of a platform.
///
/// - `p_pck_cert_id`: in; the platform and its TCB. The encrypted PPID may be left out, or be zeros: only Intel's own
///   service wants it.
/// - `pp_quote_config`: out; the certificate, its chain, and the TCB that it is for. To be freed by
///   `sgx_ql_free_quote_config`. NULL if there is an error.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, another size, or another crypto suite than 1;
/// `SGX_QL_PLATFORM_UNKNOWN` and `SGX_QL_CERTS_UNAVAILABLE` as a PCCS says so; `SGX_QL_NO_PLATFORM_CERT_DATA` when
/// there is no certificate; or why it could not be had, for instance `SGX_QL_NETWORK_ERROR`.
///
/// # Safety
/// What `p_pck_cert_id` points to has the sizes that it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_get_quote_config(
    p_pck_cert_id: Option<&PckCertId>,
    pp_quote_config: Option<&mut MaybeUninit<*mut QuoteConfig>>,
) -> Error {
    call("sgx_ql_get_quote_config", || {
        let config = empty(pp_quote_config, "pp_quote_config")?;
        // SAFETY: by the caller.
        let question = unsafe { required(p_pck_cert_id, "p_pck_cert_id")?.question()? };
        *config = answer::quote_config(Provider::of_process()?, question)?;
        Ok(())
    })
}

/// Frees what `sgx_ql_get_quote_config` has given.
///
/// - `p_quote_config`: in; NULL is nothing.
///
/// Returns `SGX_QL_SUCCESS`.
///
/// # Safety
/// It comes from there, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_free_quote_config(p_quote_config: *mut QuoteConfig) -> Error {
    // SAFETY: by the caller.
    unsafe { free([p_quote_config]) }
}

/// Gets what verifiers need besides quotes of platforms of one kind.
///
/// - `fmspc`, `fmspc_size`: in; the kind of platform, 6 bytes.
/// - `pck_ca`: in; who issued their PCK certificates: `"processor"` or `"platform"`.
/// - `pp_quote_collateral`: out; the collateral. To be freed by `sgx_ql_free_quote_verification_collateral`. NULL if
///   there is an error.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, another size, or another CA;
/// `SGX_QL_NO_QUOTE_COLLATERAL_DATA`, `SGX_QL_TCBINFO_NOT_FOUND` or `SGX_QL_QEIDENTITY_NOT_FOUND` when there is none; or
/// why it could not be had, for instance `SGX_QL_NETWORK_ERROR`.
///
/// # Safety
/// `fmspc` is NULL or of the size that is said; `pck_ca` is NULL or ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_get_quote_verification_collateral(
    fmspc: *const u8,
    fmspc_size: u16,
    pck_ca: *const c_char,
    pp_quote_collateral: Option<&mut MaybeUninit<*mut QveCollateral>>,
) -> Error {
    call("sgx_ql_get_quote_verification_collateral", || {
        let place = empty(pp_quote_collateral, "pp_quote_collateral")?;
        // SAFETY: by the caller.
        unsafe { collateral(Tee::Sgx, fmspc, fmspc_size, pck_ca, place) }
    })
}

/// Does what `sgx_ql_get_quote_verification_collateral` does.
///
/// - `custom_param`, `custom_param_length`: in; for a service that makes something of them. What is kept is for all
///   callers, so they are not passed on. NULL and 0: there are none.
///
/// Returns what that function does, and `SGX_QL_ERROR_INVALID_PARAMETER` for a NULL with a length, or the other way
/// round.
///
/// # Safety
/// As there.
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
        // SAFETY: by the caller.
        unsafe { collateral(Tee::Sgx, fmspc, fmspc_size, pck_ca, place) }
    })
}

/// Frees what `sgx_ql_get_quote_verification_collateral` has given.
///
/// - `p_quote_collateral`: in; NULL is nothing.
///
/// Returns `SGX_QL_SUCCESS`.
///
/// # Safety
/// It comes from there, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_free_quote_verification_collateral(
    p_quote_collateral: *mut QveCollateral,
) -> Error {
    // SAFETY: by the caller.
    unsafe { free([p_quote_collateral]) }
}

/// Does for quotes of TDX what `sgx_ql_get_quote_verification_collateral` does for those of SGX. To be freed by
/// `tdx_ql_free_quote_verification_collateral`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdx_ql_get_quote_verification_collateral(
    fmspc: *const u8,
    fmspc_size: u16,
    pck_ca: *const c_char,
    pp_quote_collateral: Option<&mut MaybeUninit<*mut TdxCollateral>>,
) -> Error {
    call("tdx_ql_get_quote_verification_collateral", || {
        let place = empty(pp_quote_collateral, "pp_quote_collateral")?;
        // SAFETY: by the caller.
        unsafe { collateral(Tee::Tdx, fmspc, fmspc_size, pck_ca, place) }
    })
}

/// Does for quotes of TDX what `sgx_ql_get_quote_verification_collateral_with_params` does for those of SGX. To be
/// freed by `tdx_ql_free_quote_verification_collateral`.
///
/// # Safety
/// As there.
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
        // SAFETY: by the caller.
        unsafe { collateral(Tee::Tdx, fmspc, fmspc_size, pck_ca, place) }
    })
}

/// Frees what `tdx_ql_get_quote_verification_collateral` has given.
///
/// - `p_quote_collateral`: in; NULL is nothing.
///
/// Returns `SGX_QL_SUCCESS`.
///
/// # Safety
/// It comes from there, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdx_ql_free_quote_verification_collateral(
    p_quote_collateral: *mut TdxCollateral,
) -> Error {
    // SAFETY: by the caller.
    unsafe { free([p_quote_collateral]) }
}

/// Gets the identity of Intel's Quote Verification Enclave.
///
/// - `pp_qve_identity`, `p_qve_identity_size`: out; JSON with its signature, and the size in bytes with the zero byte
///   at the end.
/// - `pp_qve_identity_issuer_chain`, `p_qve_identity_issuer_chain_size`: out; PEM, the root's certificate last, and the
///   size in the same way. Both to be freed by `sgx_ql_free_qve_identity`; NULL and 0 if there is an error.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL; `SGX_QL_NO_QVE_IDENTITY_DATA` when there is
/// none; or why it could not be had, for instance `SGX_QL_NETWORK_ERROR`.
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
        let texts = answer::qve_identity(Provider::of_process()?)?;
        (*identity, *chain) = (texts[0].start.cast(), texts[1].start.cast());
        (*identity_size, *chain_size) = (texts[0].size, texts[1].size);
        Ok(())
    })
}

/// Frees what `sgx_ql_get_qve_identity` has given.
///
/// - `p_qve_identity`, `p_qve_identity_issuer_chain`: in; NULL is nothing.
///
/// Returns `SGX_QL_SUCCESS`.
///
/// # Safety
/// They come from there, and are not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_free_qve_identity(
    p_qve_identity: *mut c_char,
    p_qve_identity_issuer_chain: *mut c_char,
) -> Error {
    // SAFETY: by the caller.
    unsafe { free([p_qve_identity, p_qve_identity_issuer_chain]) }
}

/// Gets the CRL of the root.
///
/// - `pp_root_ca_crl`, `p_root_ca_crl_size`: out; the CRL, in the form that `sgx_ql_qve_collateral_t` has it, and its size
///   in bytes with the zero byte at the end. To be freed by `sgx_ql_free_root_ca_crl`. NULL and 0 if there is an error.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL; `SGX_QL_NO_QUOTE_COLLATERAL_DATA` when there is
/// none; or why it could not be had, for instance `SGX_QL_NETWORK_ERROR`.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_ql_get_root_ca_crl(
    pp_root_ca_crl: Option<&mut MaybeUninit<*mut u8>>,
    p_root_ca_crl_size: Option<&mut MaybeUninit<u16>>,
) -> Error {
    call("sgx_ql_get_root_ca_crl", || {
        let crl = empty(pp_root_ca_crl, "pp_root_ca_crl")?;
        let size = required(p_root_ca_crl_size, "p_root_ca_crl_size")?.write(0);
        (*crl, *size) = answer::root_ca_crl(Provider::of_process()?)?;
        Ok(())
    })
}

/// Frees what `sgx_ql_get_root_ca_crl` has given.
///
/// - `p_root_ca_crl`: in; NULL is nothing.
///
/// Returns `SGX_QL_SUCCESS`.
///
/// # Safety
/// It comes from there, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_ql_free_root_ca_crl(p_root_ca_crl: *mut u8) -> Error {
    // SAFETY: by the caller.
    unsafe { free([p_root_ca_crl]) }
}

/// Sets who is told what happens: of level `SGX_QL_LOG_ERROR`, calls that fail and what is not as it should be, with
/// what to do; of level `SGX_QL_LOG_INFO`, which settings hold and what was fetched.
///
/// - `logger`: in; called by the thread that calls the library, before that returns. NULL: nobody is told.
/// - `loglevel`: in; messages of this level and more severe ones are wanted.
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

/// Forgets what is kept, so that it is asked for again.
///
/// - `cache_type`: in; any of `SGX_QPL_CACHE_CERTIFICATE`, `SGX_QPL_CACHE_QV_COLLATERAL` and
///   `SGX_QPL_CACHE_MULTICERTS`, added. There is nothing here of the last kind.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for another kind; or `SGX_QL_ERROR_UNEXPECTED` when a
/// file cannot be removed.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_qpl_clear_cache(cache_type: u32) -> Error {
    call("sgx_qpl_clear_cache", || {
        if cache_type & !(CERTIFICATES | COLLATERAL | CERTIFICATE_LISTS) != 0 {
            return Err(Failure::Argument(format!("there is no cache_type {cache_type:#x}")));
        }
        Provider::of_process()?.clear(|item| {
            let kind = match item {
                CollateralId::PckCertificate(_) => CERTIFICATES,
                _ => COLLATERAL,
            };
            cache_type & kind != 0
        })
    })
}

/// Reads the settings. The other functions do so as well, if it was not done.
///
/// Returns `SGX_QL_SUCCESS`, or `SGX_QL_CONFIG_INVALID_JSON` when they cannot be used.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_qpl_global_init() -> Error {
    call("sgx_qpl_global_init", || Provider::of_process().map(drop))
}

/// Does nothing, as in Intel's library.
///
/// Returns `SGX_QL_SUCCESS`.
#[unsafe(no_mangle)]
pub extern "C" fn sgx_qpl_global_cleanup() -> Error {
    Quote3Error::SUCCESS.0
}

/// Gets the policy by which platforms of this kind are to be appraised, if there is one. None is kept here.
///
/// - `fmspc`, `fmspc_size`: in; the kind of platform, 6 bytes.
/// - `pp_platform_policy`, `p_platform_policy_size`: out; NULL and 0.
///
/// Returns `SGX_QL_ERROR_INVALID_PARAMETER` for NULL or another size, else `SGX_QL_NO_QUOTE_COLLATERAL_DATA`, as for a
/// service that has none.
///
/// # Safety
/// `fmspc` is NULL or of the size that is said.
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
        // SAFETY: by the caller.
        unsafe { c_types::fmspc(fmspc, fmspc_size)? };
        Err(Failure::NoPolicy)
    })
}

/// Frees what `tee_get_default_platform_policy` has given.
///
/// - `p_platform_policy`: in; NULL is nothing.
///
/// Returns `SGX_QL_SUCCESS`.
///
/// # Safety
/// It comes from there, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_free_platform_policy(p_platform_policy: *mut u8) -> Error {
    // SAFETY: by the caller.
    unsafe { free([p_platform_policy]) }
}

/// The common part of all functions: reports a failure, and returns its number.
fn call(function: &str, serve: impl FnOnce() -> Result<(), Failure>) -> Error {
    let Err(failure) = guarded(serve) else { return Quote3Error::SUCCESS.0 };
    let error = failure.quote3_error();
    call_trace::failed("libdcap_quoteprov", function, error, &failure);
    log::error(format_args!("{function} failed: {failure}"));
    error.0
}

/// # Safety
/// `fmspc` is NULL or of the size that is said; `pck_ca` is NULL or ends with a zero byte.
unsafe fn collateral(
    tee: Tee,
    fmspc: *const u8,
    fmspc_size: u16,
    pck_ca: *const c_char,
    place: &mut *mut QveCollateral,
) -> Result<(), Failure> {
    // SAFETY: by the caller.
    let (fmspc, ca) = unsafe { (c_types::fmspc(fmspc, fmspc_size)?, c_types::pck_ca(pck_ca)?) };
    *place = answer::verification_collateral(Provider::of_process()?, tee, fmspc, ca)?;
    Ok(())
}

/// The place of an answer, NULL until there is one.
fn empty<'a, T>(
    place: Option<&'a mut MaybeUninit<*mut T>>,
    name: &str,
) -> Result<&'a mut *mut T, Failure> {
    Ok(required(place, name)?.write(null_mut()))
}

fn check_parameter(value: *const c_void, length: u16) -> Result<(), Failure> {
    if value.is_null() != (length == 0) {
        let reason =
            "custom_param is NULL and custom_param_length is not 0, or the other way round";
        return Err(Failure::Argument(reason.to_owned()));
    }
    if length != 0 {
        log::info("custom_param is not passed on: what is kept is for all callers");
    }
    Ok(())
}

/// # Safety
/// Each is NULL or an answer of this library, and not used any more.
unsafe fn free<T, const N: usize>(answers: [*mut T; N]) -> Error {
    // SAFETY: by the caller.
    answers.into_iter().for_each(|answer| unsafe { block::free(answer) });
    Quote3Error::SUCCESS.0
}
