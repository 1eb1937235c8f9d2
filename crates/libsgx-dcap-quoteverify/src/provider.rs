//! Collateral that the caller does not pass: from the sources and the cache of this machine, or
//! from the quote provider library that the application names.

#![allow(unsafe_code, reason = "collateral and identities are blocks of memory of C")]

use std::convert::Infallible;
use std::ffi::CString;
use std::ops::Range;
use std::ptr::null_mut;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use collateral::{QuotedPck, QuotedPlatform};
use per_process::PerProcess;
use quote_provider::QveCollateral;
use sgx::QuoteHeader;
use verify::{PckCa, Tee};

use crate::failure::Failure;
use crate::library::{Library, QveIdentity};
use crate::trace;

/// The place of the QE vendor id in a quote.
const VENDOR: Range<usize> = 12..28;

/// The path of the application's quote provider library, if it has named one.
static LIBRARY: PerProcess<Mutex<Option<CString>>> = PerProcess::new();

/// The provider of the first call that needs one, which then is that of all: it frees what it made.
static PROVIDER: OnceLock<Provider> = OnceLock::new();

/// A source of collateral.
pub(crate) enum Provider {
    /// The sources of this machine's settings, and its cache.
    ThisMachine,
    /// A library of the application's.
    Library(Library),
}

/// Collateral of a provider, which gets it back.
pub(crate) struct Fetched {
    collateral: *mut QveCollateral,
    tee: Tee,
    provider: &'static Provider,
}

/// Names the quote provider library. Without effect once there is a provider.
pub(crate) fn set_library(path: CString) {
    *library_path() = Some(path);
}

fn library_path() -> MutexGuard<'static, Option<CString>> {
    // A thread of the parent may have held the lock at the fork.
    let path = LIBRARY.get_or_try_init(|parent| {
        let inherited = parent.and_then(|path| path.try_lock().ok()?.clone());
        Ok::<_, Infallible>(Mutex::new(inherited))
    });
    match path {
        Ok(path) => path.lock().unwrap_or_else(PoisonError::into_inner),
    }
}

impl Provider {
    /// The provider of this process.
    pub(crate) fn of_process() -> Result<&'static Self, Failure> {
        if let Some(provider) = PROVIDER.get() {
            return Ok(provider);
        }
        let path = library_path().clone();
        let provider = match path {
            Some(path) => Self::Library(Library::open(&path)?),
            None => Self::ThisMachine,
        };
        Ok(PROVIDER.get_or_init(|| provider))
    }

    /// The collateral for quotes of platforms with this FMSPC and CA.
    fn collateral(
        &self,
        tee: Tee,
        fmspc: [u8; 6],
        ca: PckCa,
    ) -> Result<*mut QveCollateral, Failure> {
        match self {
            Self::ThisMachine => {
                let provider = quote_provider::Provider::of_process(trace::log)?;
                Ok(quote_provider::verification_collateral(provider, tee, fmspc, ca)?)
            }
            Self::Library(library) => library.collateral(tee, fmspc, ca),
        }
    }

    /// Frees collateral.
    ///
    /// # Safety
    /// It is from this provider, and no longer used.
    pub(crate) unsafe fn free_collateral(
        &self,
        tee: Tee,
        collateral: *mut QveCollateral,
    ) -> Result<(), Failure> {
        match self {
            Self::ThisMachine => {
                // SAFETY: the caller's promise.
                unsafe { quote_provider::free(collateral) };
                Ok(())
            }
            // SAFETY: the caller's promise.
            Self::Library(library) => unsafe { library.free_collateral(tee, collateral) },
        }
    }

    /// The identity of the Quote Verification Enclave, with the CRL that goes with it.
    pub(crate) fn qve_identity(&self) -> Result<QveIdentity, Failure> {
        match self {
            Self::ThisMachine => {
                let provider = quote_provider::Provider::of_process(trace::log)?;
                let [identity, chain] = quote_provider::qve_identity(provider)?;
                let mut found = QveIdentity {
                    identity: identity.start.cast(),
                    identity_size: identity.size,
                    issuer_chain: chain.start.cast(),
                    issuer_chain_size: chain.size,
                    root_ca_crl: null_mut(),
                    root_ca_crl_size: 0,
                };
                match quote_provider::root_ca_crl(provider) {
                    Ok((crl, size)) => {
                        (found.root_ca_crl, found.root_ca_crl_size) = (crl, size);
                        Ok(found)
                    }
                    Err(failure) => {
                        // SAFETY: it was made here, and is no longer used.
                        unsafe { self.free_qve_identity(&found)? };
                        Err(failure.into())
                    }
                }
            }
            Self::Library(library) => library.qve_identity(),
        }
    }

    /// Frees an identity.
    ///
    /// # Safety
    /// Its pointers are from this provider, and no longer used.
    pub(crate) unsafe fn free_qve_identity(&self, found: &QveIdentity) -> Result<(), Failure> {
        match self {
            Self::ThisMachine => {
                // SAFETY: the caller's promise.
                unsafe {
                    quote_provider::free(found.identity);
                    quote_provider::free(found.issuer_chain);
                    quote_provider::free(found.root_ca_crl);
                }
                Ok(())
            }
            // SAFETY: the caller's promise.
            Self::Library(library) => unsafe { library.free_qve_identity(found) },
        }
    }
}

impl Fetched {
    /// The collateral for a quote, which must have its PCK certificate.
    pub(crate) fn for_quote(quote: &[u8], tee: Tee) -> Result<Self, Failure> {
        let (fmspc, ca) = platform(quote)?;
        let provider = Provider::of_process()?;
        let collateral = provider.collateral(tee, fmspc, ca)?;
        Ok(Self { collateral, tee, provider })
    }

    pub(crate) fn as_ptr(&self) -> *const QveCollateral {
        self.collateral
    }

    /// Passes the collateral to the caller.
    pub(crate) fn into_raw(self) -> *mut QveCollateral {
        let collateral = self.collateral;
        std::mem::forget(self);
        collateral
    }
}

impl Drop for Fetched {
    fn drop(&mut self) {
        // SAFETY: the provider made it, and nothing refers to it any more.
        let _ = unsafe { self.provider.free_collateral(self.tee, self.collateral) };
    }
}

/// FMSPC and CA of the PCK certificate in the quote.
pub(crate) fn platform(quote: &[u8]) -> Result<([u8; 6], PckCa), Failure> {
    let platform = QuotedPlatform::read(quote)?;
    if quote.get(VENDOR) != Some(&QuoteHeader::INTEL_QE_VENDOR_ID) {
        return Err(Failure::Vendor);
    }
    match platform.pck {
        QuotedPck::Known(contents) => Ok((contents.fmspc, contents.ca)),
        QuotedPck::Named(_) => Err(Failure::NoPckCertificate),
    }
}
