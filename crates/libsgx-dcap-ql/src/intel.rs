//! The settings of an application in Intel's libraries, where these make the quotes.
#![allow(unsafe_code, reason = "the functions of a library loaded at run time are C functions")]

use std::ffi::{CStr, c_char};
use std::mem::ManuallyDrop;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};
use quoting::{DCAP_LIBRARY, QuotingError};
use sgx::{AesmError, Quote3Error};

/// The library with the PCE, which certifies attestation keys for the QE.
const PCE_LIBRARY: &str = "libsgx_pce_logic.so.1";

/// `sgx_pce_error_t`: the path was set.
const PCE_SUCCESS: u32 = 0xf000;
/// `sgx_pce_error_t`: the path is too long.
const PCE_INVALID_PARAMETER: u32 = 0xf002;

/// The time that enclaves stay loaded (`sgx_ql_request_policy_t`).
#[derive(Clone, Copy)]
pub(crate) enum LoadPolicy {
    /// Until the process ends.
    Persistent = 0,
    /// For one call.
    Ephemeral = 1,
}

impl LoadPolicy {
    pub(crate) fn of(number: u32) -> Option<Self> {
        [Self::Persistent, Self::Ephemeral].into_iter().find(|policy| *policy as u32 == number)
    }
}

/// A file whose path an application can set (`sgx_ql_path_type_t`).
#[derive(Clone, Copy)]
pub(crate) enum Component {
    /// The Quoting Enclave.
    Qe3 = 0,
    /// The Provisioning Certification Enclave.
    Pce = 1,
    /// The quote provider library.
    Qpl = 2,
    /// The ID enclave, which has the QE_ID.
    Ide = 3,
}

impl Component {
    pub(crate) fn of(number: u32) -> Option<Self> {
        let all = [Self::Qe3, Self::Pce, Self::Qpl, Self::Ide];
        all.into_iter().find(|component| *component as u32 == number)
    }

    /// The library that loads it, and that library's function for its path.
    fn setter(self) -> (&'static str, &'static str) {
        match self {
            Self::Qe3 => (DCAP_LIBRARY, "sgx_set_qe3_path"),
            Self::Pce => (PCE_LIBRARY, "sgx_set_pce_path"),
            Self::Qpl => (DCAP_LIBRARY, "sgx_set_qpl_path"),
            Self::Ide => (DCAP_LIBRARY, "sgx_set_ide_path"),
        }
    }
}

/// Sets the policy of the QE and the PCE.
pub(crate) fn set_load_policy(policy: LoadPolicy) -> Result<(), QuotingError> {
    let name = "sgx_ql_set_enclave_load_policy";
    let library = load(DCAP_LIBRARY)?;
    // SAFETY: the DCAP API declares the function with this type.
    let set: Symbol<unsafe extern "C" fn(u32) -> u32> =
        unsafe { find(&library, DCAP_LIBRARY, name)? };
    // SAFETY: takes a number only.
    succeeded(name, unsafe { set(policy as u32) })
}

/// Sets the path of the component.
pub(crate) fn set_path(component: Component, path: &CStr) -> Result<(), QuotingError> {
    let (library_name, name) = component.setter();
    let library = load(library_name)?;
    // SAFETY: the DCAP API declares all of these functions with this type.
    let set: Symbol<unsafe extern "C" fn(*const c_char) -> u32> =
        unsafe { find(&library, library_name, name)? };
    // SAFETY: copies the string, which ends with a zero byte.
    match (component, unsafe { set(path.as_ptr()) }) {
        (Component::Pce, PCE_SUCCESS) => Ok(()),
        (Component::Pce, PCE_INVALID_PARAMETER) => {
            succeeded(name, Quote3Error::INVALID_PARAMETER.0)
        }
        (Component::Pce, _) => succeeded(name, Quote3Error::UNEXPECTED.0),
        (_, returned) => succeeded(name, returned),
    }
}

/// Loads the library and keeps it loaded, because the settings are its state.
fn load(name: &str) -> Result<ManuallyDrop<Library>, QuotingError> {
    // SAFETY: runs the library's constructors, as quoting with this library does.
    let library = unsafe { Library::open(Some(name), RTLD_NOW | RTLD_LOCAL) };
    library
        .map(ManuallyDrop::new)
        .map_err(|error| unavailable(format!("cannot load {name}: {error}")))
}

/// # Safety
/// The function has the type `T`.
unsafe fn find<T>(
    library: &Library,
    library_name: &str,
    name: &str,
) -> Result<Symbol<T>, QuotingError> {
    // SAFETY: the caller's promise.
    unsafe { library.get(name) }.map_err(|_| unavailable(format!("{library_name} has no {name}")))
}

fn succeeded(function: &'static str, returned: u32) -> Result<(), QuotingError> {
    match Quote3Error(returned) {
        Quote3Error::SUCCESS => Ok(()),
        error => Err(QuotingError::Dcap { function, error }),
    }
}

fn unavailable(detail: String) -> QuotingError {
    QuotingError::new(AesmError::InterfaceUnavailable, detail)
}
