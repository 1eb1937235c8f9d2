//! Functions for collateral that the library fetches.
#![allow(unsafe_code, reason = "the functions of a C library take pointers from C")]

use std::ffi::{CString, OsStr, c_char};
use std::fs::metadata;
use std::os::unix::ffi::OsStrExt;
use std::ptr::null_mut;

use quote_provider::QveCollateral;
use verify::Tee;

use crate::c_types::{Out, bounded_string, collateral_size, quote, read};
use crate::failure::Failure;
use crate::library::QveIdentity;
use crate::provider::{Fetched, Provider, platform, set_library};
use crate::verification::tee;
use crate::{Error, call};

/// A number of `sgx_qv_path_type_t`.
pub type PathType = u32;

/// `SGX_QV_QVE_PATH`
const QVE_PATH: PathType = 0;
/// `SGX_QV_QPL_PATH`
const QPL_PATH: PathType = 1;

/// The longest path of each, in bytes, as in Intel's library.
const LONGEST_PATHS: [(PathType, usize); 2] = [(QVE_PATH, 260), (QPL_PATH, 259)];

/// Gets the collateral for a quote, from the quote provider library that `sgx_qv_set_path` has set,
/// else from the sources and the cache of this machine.
///
/// - `p_quote`, `quote_size`: in; the quote, and its size in bytes, at least 1020.
/// - `pp_quote_collateral`: in: NULL; out: an `sgx_ql_qve_collateral_t`. Free it with
///   `tee_qv_free_collateral`.
/// - `p_collateral_size`: out; its size in bytes, with all that it points to.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, a wrong size, or a result
/// that is not NULL; what `tee_get_fmspc_from_quote` returns; `SGX_QL_PLATFORM_LIB_UNAVAILABLE` if
/// the library that was set cannot be used; or what `sgx_ql_get_quote_verification_collateral`
/// returns.
///
/// # Safety
/// Pointers are NULL or point to as many bytes as the sizes say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_qv_get_collateral(
    p_quote: *const u8,
    quote_size: u32,
    pp_quote_collateral: *mut *mut u8,
    p_collateral_size: *mut u32,
) -> Error {
    // SAFETY: the caller guarantees it.
    call("tee_qv_get_collateral", || unsafe {
        let quote = quote(p_quote, quote_size)?;
        if !read(pp_quote_collateral, "pp_quote_collateral")?.is_null() {
            return Err(Failure::argument("pp_quote_collateral does not point to NULL"));
        }
        let place = Out::required(pp_quote_collateral, "pp_quote_collateral")?;
        let size = Out::required(p_collateral_size, "p_collateral_size")?;
        size.write(0);
        platform(quote)?;
        let collateral = Fetched::for_quote(quote, tee(quote)?)?.into_raw();
        size.write(collateral_size(collateral));
        place.write(collateral.cast());
        Ok(())
    })
}

/// Frees the result of `tee_qv_get_collateral`.
///
/// - `p_quote_collateral`: in; the collateral.
///
/// Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, or collateral of an
/// unknown TEE.
///
/// # Safety
/// It is from that function or NULL, and no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tee_qv_free_collateral(p_quote_collateral: *mut u8) -> Error {
    // SAFETY: the caller guarantees it.
    call("tee_qv_free_collateral", || unsafe {
        let collateral: *mut QveCollateral = p_quote_collateral.cast();
        let tee = match read(collateral, "p_quote_collateral")?.tee_type {
            0 => Tee::Sgx,
            0x81 => Tee::Tdx,
            _ => return Err(Failure::argument("the collateral is neither for SGX nor for TDX")),
        };
        Provider::of_process()?.free_collateral(tee, collateral)
    })
}

/// Gets the identity of Intel's Quote Verification Enclave, and the CRL of the root.
///
/// - `pp_qveid`, `p_qveid_size`: out; JSON with its signature, and the size in bytes, including the
///   zero byte at the end.
/// - `pp_qveid_issue_chain`, `p_qveid_issue_chain_size`: out; PEM, the root's certificate last, and
///   its size.
/// - `pp_root_ca_crl`, `p_root_ca_crl_size`: out; the CRL, and its size. Free all with
///   `sgx_qv_free_qve_identity`.
///
/// Returns `SGX_QL_SUCCESS`; `SGX_QL_ERROR_INVALID_PARAMETER` for NULL;
/// `SGX_QL_PLATFORM_LIB_UNAVAILABLE` if the library that was set cannot be used; or what
/// `sgx_ql_get_qve_identity` and `sgx_ql_get_root_ca_crl` return.
///
/// # Safety
/// Pointers are NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_qv_get_qve_identity(
    pp_qveid: *mut *mut u8,
    p_qveid_size: *mut u32,
    pp_qveid_issue_chain: *mut *mut u8,
    p_qveid_issue_chain_size: *mut u32,
    pp_root_ca_crl: *mut *mut u8,
    p_root_ca_crl_size: *mut u16,
) -> Error {
    // SAFETY: the caller guarantees it.
    call("sgx_qv_get_qve_identity", || unsafe {
        let identity = Out::required(pp_qveid, "pp_qveid")?;
        let identity_size = Out::required(p_qveid_size, "p_qveid_size")?;
        let chain = Out::required(pp_qveid_issue_chain, "pp_qveid_issue_chain")?;
        let chain_size = Out::required(p_qveid_issue_chain_size, "p_qveid_issue_chain_size")?;
        let crl = Out::required(pp_root_ca_crl, "pp_root_ca_crl")?;
        let crl_size = Out::required(p_root_ca_crl_size, "p_root_ca_crl_size")?;
        let found = Provider::of_process()?.qve_identity()?;
        identity.write(found.identity.cast());
        identity_size.write(found.identity_size);
        chain.write(found.issuer_chain.cast());
        chain_size.write(found.issuer_chain_size);
        crl.write(found.root_ca_crl);
        crl_size.write(found.root_ca_crl_size);
        Ok(())
    })
}

/// Frees the results of `sgx_qv_get_qve_identity`.
///
/// - `p_qveid`, `p_qveid_issue_chain`, `p_root_ca_crl`: in; the results.
///
/// Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL.
///
/// # Safety
/// They are from that function or NULL, and no longer used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_qv_free_qve_identity(
    p_qveid: *mut u8,
    p_qveid_issue_chain: *mut u8,
    p_root_ca_crl: *mut u8,
) -> Error {
    call("sgx_qv_free_qve_identity", || {
        if [p_qveid, p_qveid_issue_chain, p_root_ca_crl].contains(&null_mut()) {
            return Err(Failure::argument("p_qveid, p_qveid_issue_chain or p_root_ca_crl is NULL"));
        }
        let found = QveIdentity {
            identity: p_qveid.cast(),
            identity_size: 0,
            issuer_chain: p_qveid_issue_chain.cast(),
            issuer_chain_size: 0,
            root_ca_crl: p_root_ca_crl,
            root_ca_crl_size: 0,
        };
        // SAFETY: the caller guarantees it.
        unsafe { Provider::of_process()?.free_qve_identity(&found) }
    })
}

/// Sets the path of the quote provider library, before the first call that needs collateral, or of
/// Intel's enclave, which is not used.
///
/// - `path_type`: in; `SGX_QV_QVE_PATH` or `SGX_QV_QPL_PATH`.
/// - `p_path`: in; the path of a regular file, at most 259 bytes.
///
/// Returns `SGX_QL_SUCCESS`, or `SGX_QL_ERROR_INVALID_PARAMETER` for NULL, another type, a path
/// that is too long, or one that is not that of a regular file.
///
/// # Safety
/// It is NULL or ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sgx_qv_set_path(path_type: PathType, p_path: *const c_char) -> Error {
    call("sgx_qv_set_path", || {
        if p_path.is_null() {
            return Err(Failure::null("p_path"));
        }
        let longest = LONGEST_PATHS.iter().find(|(known, _)| *known == path_type);
        let Some((_, longest)) = longest else {
            return Err(Failure::argument("path_type is unknown; expected 0 (QvE) or 1 (QPL)"));
        };
        // SAFETY: the caller guarantees it.
        let path = unsafe { bounded_string(p_path.cast(), *longest) }
            .ok_or_else(|| Failure::argument("p_path is too long"))?;
        if !metadata(OsStr::from_bytes(path)).is_ok_and(|file| file.is_file()) {
            return Err(Failure::argument("p_path is not the path of a regular file"));
        }
        if path_type == QPL_PATH {
            set_library(CString::new(path).unwrap_or_default());
        }
        Ok(())
    })
}
