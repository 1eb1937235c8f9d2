//! A quote provider library, which the application names.
#![allow(unsafe_code, reason = "the functions of a library loaded at run time are C functions")]

use std::ffi::{CStr, OsStr, c_char};
use std::mem::forget;
use std::os::unix::ffi::OsStrExt;
use std::ptr::null_mut;

use libloading::os::unix::{Library as Loaded, RTLD_LAZY, RTLD_LOCAL};
use quote_provider::QveCollateral;
use sgx::Quote3Error;
use verify::{PckCa, Tee};

use crate::failure::Failure;

type Initialize = unsafe extern "C" fn() -> u32;
type GetCollateral =
    unsafe extern "C" fn(*const u8, u16, *const c_char, *mut *mut QveCollateral) -> u32;
type FreeCollateral = unsafe extern "C" fn(*mut QveCollateral) -> u32;
type GetQveIdentity =
    unsafe extern "C" fn(*mut *mut c_char, *mut u32, *mut *mut c_char, *mut u32) -> u32;
type FreeQveIdentity = unsafe extern "C" fn(*mut c_char, *mut c_char) -> u32;
type GetRootCaCrl = unsafe extern "C" fn(*mut *mut u8, *mut u16) -> u32;
type FreeRootCaCrl = unsafe extern "C" fn(*mut u8) -> u32;

/// The functions of a library that stays loaded. Older ones have none for TDX.
pub(crate) struct Library {
    sgx: Collateral,
    tdx: Option<Collateral>,
    get_qve_identity: GetQveIdentity,
    free_qve_identity: FreeQveIdentity,
    get_root_ca_crl: GetRootCaCrl,
    free_root_ca_crl: FreeRootCaCrl,
}

/// The functions for the collateral of one kind of TEE.
#[derive(Clone, Copy)]
struct Collateral {
    get: GetCollateral,
    free: FreeCollateral,
}

/// The identity of the Quote Verification Enclave, its issuer chain, and the CRL of the root. Sizes
/// are in bytes, with the zero byte at the end.
pub(crate) struct QveIdentity {
    pub(crate) identity: *mut c_char,
    pub(crate) identity_size: u32,
    pub(crate) issuer_chain: *mut c_char,
    pub(crate) issuer_chain_size: u32,
    pub(crate) root_ca_crl: *mut u8,
    pub(crate) root_ca_crl_size: u16,
}

impl Library {
    /// Loads it, and has it read its settings.
    pub(crate) fn open(path: &CStr) -> Result<Self, Failure> {
        let name = OsStr::from_bytes(path.to_bytes());
        // SAFETY: runs the library's constructors, as the application asks for.
        let loaded = unsafe { Loaded::open(Some(name), RTLD_LAZY | RTLD_LOCAL) };
        let loaded = loaded.map_err(|error| {
            Failure::Library(format!("cannot load {}: {error}", name.display()))
        })?;
        // SAFETY: the interface of quote provider libraries declares these types.
        let library = unsafe { Self::with_functions(&loaded) };
        // Its functions are called until the process ends.
        forget(loaded);
        library
    }

    /// # Safety
    /// The functions have the types of the interface.
    unsafe fn with_functions(loaded: &Loaded) -> Result<Self, Failure> {
        // SAFETY: the caller's promise.
        unsafe {
            if let Ok(initialize) = find::<Initialize>(loaded, "sgx_qpl_global_init") {
                // Settings that are no JSON are read in their older form.
                match Quote3Error(initialize()) {
                    Quote3Error::SUCCESS | Quote3Error::CONFIG_INVALID_JSON => (),
                    error => {
                        let reason = format!("sgx_qpl_global_init returned {error}");
                        return Err(Failure::Library(reason));
                    }
                }
            }
            Ok(Self {
                sgx: Collateral {
                    get: find(loaded, "sgx_ql_get_quote_verification_collateral")?,
                    free: find(loaded, "sgx_ql_free_quote_verification_collateral")?,
                },
                tdx: Self::tdx(loaded),
                get_qve_identity: find(loaded, "sgx_ql_get_qve_identity")?,
                free_qve_identity: find(loaded, "sgx_ql_free_qve_identity")?,
                get_root_ca_crl: find(loaded, "sgx_ql_get_root_ca_crl")?,
                free_root_ca_crl: find(loaded, "sgx_ql_free_root_ca_crl")?,
            })
        }
    }

    /// # Safety
    /// The functions have the types of the interface.
    unsafe fn tdx(loaded: &Loaded) -> Option<Collateral> {
        // SAFETY: the caller's promise.
        unsafe {
            Some(Collateral {
                get: find(loaded, "tdx_ql_get_quote_verification_collateral").ok()?,
                free: find(loaded, "tdx_ql_free_quote_verification_collateral").ok()?,
            })
        }
    }

    fn of(&self, tee: Tee) -> Result<Collateral, Failure> {
        match tee {
            Tee::Sgx => Ok(self.sgx),
            Tee::Tdx => self.tdx.ok_or_else(|| {
                Failure::Library("the quote provider library has no functions for TDX".to_owned())
            }),
        }
    }

    pub(crate) fn collateral(
        &self,
        tee: Tee,
        fmspc: [u8; 6],
        ca: PckCa,
    ) -> Result<*mut QveCollateral, Failure> {
        let ca = match ca {
            PckCa::Processor => c"processor",
            PckCa::Platform => c"platform",
        };
        let (get, mut collateral) = (self.of(tee)?.get, null_mut());
        // SAFETY: all arguments outlive the call.
        let returned = unsafe { get(fmspc.as_ptr(), 6, ca.as_ptr(), &raw mut collateral) };
        succeeded("get_quote_verification_collateral", returned)?;
        match collateral.is_null() {
            true => Err(Failure::LibraryFunction {
                function: "get_quote_verification_collateral",
                error: Quote3Error::NO_QUOTE_COLLATERAL_DATA,
            }),
            false => Ok(collateral),
        }
    }

    /// # Safety
    /// It is from this library, and no longer used.
    pub(crate) unsafe fn free_collateral(
        &self,
        tee: Tee,
        collateral: *mut QveCollateral,
    ) -> Result<(), Failure> {
        let free = self.of(tee)?.free;
        // SAFETY: the caller's promise.
        succeeded("free_quote_verification_collateral", unsafe { free(collateral) })
    }

    pub(crate) fn qve_identity(&self) -> Result<QveIdentity, Failure> {
        let mut found = QveIdentity {
            identity: null_mut(),
            identity_size: 0,
            issuer_chain: null_mut(),
            issuer_chain_size: 0,
            root_ca_crl: null_mut(),
            root_ca_crl_size: 0,
        };
        // SAFETY: all arguments outlive the call.
        let returned = unsafe {
            (self.get_qve_identity)(
                &raw mut found.identity,
                &raw mut found.identity_size,
                &raw mut found.issuer_chain,
                &raw mut found.issuer_chain_size,
            )
        };
        succeeded("sgx_ql_get_qve_identity", returned)?;
        // SAFETY: all arguments outlive the call.
        let returned = unsafe {
            (self.get_root_ca_crl)(&raw mut found.root_ca_crl, &raw mut found.root_ca_crl_size)
        };
        let crl = succeeded("sgx_ql_get_root_ca_crl", returned);
        if crl.is_err() {
            // SAFETY: it was made here, and is no longer used.
            unsafe { (self.free_qve_identity)(found.identity, found.issuer_chain) };
        }
        crl.map(|()| found)
    }

    /// # Safety
    /// Its pointers are from this library, and no longer used.
    pub(crate) unsafe fn free_qve_identity(&self, found: &QveIdentity) -> Result<(), Failure> {
        // SAFETY: the caller's promise. As in Intel's library, the last result counts.
        let returned = unsafe {
            (self.free_qve_identity)(found.identity, found.issuer_chain);
            (self.free_root_ca_crl)(found.root_ca_crl)
        };
        succeeded("sgx_ql_free_root_ca_crl", returned)
    }
}

/// # Safety
/// The function has the type `T`.
unsafe fn find<T: Copy>(loaded: &Loaded, name: &str) -> Result<T, Failure> {
    // SAFETY: the caller's promise.
    let function = unsafe { loaded.get::<T>(name) };
    function
        .map(|function| *function)
        .map_err(|_| Failure::Library(format!("the quote provider library has no {name}")))
}

fn succeeded(function: &'static str, returned: u32) -> Result<(), Failure> {
    match Quote3Error(returned) {
        Quote3Error::SUCCESS => Ok(()),
        error => Err(Failure::LibraryFunction { function, error }),
    }
}
