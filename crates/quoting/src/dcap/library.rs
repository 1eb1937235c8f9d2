//! The quote generation library itself: the only file of this crate that calls C.
#![allow(unsafe_code, reason = "the functions of a library loaded at run time are C functions")]

use std::error::Error;
use std::path::Path;
use std::ptr::{null, null_mut};

use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};
use sgx::{AesmError, AttestationKeyId, QeReportInfo, Quote3Error, Report, TargetInfo};

use crate::{AttestationKey, QuotingError};

/// `SGX_QL_PERSISTENT`: the enclaves stay loaded.
const PERSISTENT: u32 = 0;

/// The packages to install when the library is missing or another one.
const PACKAGES: &str = "Intel's SGX repository has libsgx_dcap_ql.so.1 in the package \
                        libsgx-dcap-ql and libsgx_qe3_logic.so.1 in libsgx-qe3-logic";

/// A loaded quote generation library.
///
/// Every call takes it exclusively, so that calls cannot overlap.
pub(super) struct Library {
    interface: Interface,
    /// Keeps the functions of `interface` loaded.
    _handle: Handle,
}

impl Library {
    /// Loads the library, and finds the functions of one interface in it.
    pub(super) fn load(library: &Path) -> Result<Self, QuotingError> {
        // RTLD_NOW, since a symbol that is found missing later would abort the process.
        // SAFETY: runs the library's constructors, as the caller intends by naming the library.
        let handle = unsafe { Handle::open(Some(library), RTLD_NOW | RTLD_LOCAL) };
        let name = library.display();
        let handle = handle.map_err(|error| {
            unavailable(&format!("cannot load {name}: {}", loader_message(&error)))
        })?;
        let interface = Interface::find(&handle)
            .map_err(|missing| unavailable(&format!("{name} lacks {missing}")))?;
        Ok(Self { interface, _handle: handle })
    }

    /// Tells if the library asks a service when `SGX_AESM_ADDR` is set.
    pub(super) fn may_ask_a_service(&self) -> bool {
        matches!(self.interface, Interface::Wrapper(_))
    }

    /// Sets the policy under which the enclaves stay loaded.
    pub(super) fn keep_enclaves(&mut self) -> Result<(), QuotingError> {
        match &self.interface {
            Interface::Core(core) => core.keep_enclaves(),
            Interface::Wrapper(wrapper) => wrapper.keep_enclaves(),
        }
    }

    /// Makes the attestation key ready if necessary.
    pub(super) fn initialize(&mut self) -> Result<AttestationKey, QuotingError> {
        match &self.interface {
            Interface::Core(core) => core.initialize(),
            Interface::Wrapper(wrapper) => wrapper.initialize(),
        }
    }

    /// The size of a quote in bytes, unchecked.
    pub(super) fn quote_size(&mut self) -> Result<u32, QuotingError> {
        match &self.interface {
            Interface::Core(core) => core.quote_size(),
            Interface::Wrapper(wrapper) => wrapper.quote_size(),
        }
    }

    /// Writes a quote into `quote`, and returns the QE report info with the QE's REPORT.
    pub(super) fn quote(
        &mut self,
        report: &Report,
        qe_report_info: Option<QeReportInfo>,
        quote: &mut [u8],
    ) -> Result<Option<QeReportInfo>, QuotingError> {
        match (&self.interface, qe_report_info) {
            (Interface::Core(core), info) => core.quote(report, info, quote),
            (Interface::Wrapper(wrapper), None) => wrapper.quote(report, quote).map(|()| None),
            (Interface::Wrapper(_), Some(_)) => Err(no_qe_report()),
        }
    }
}

/// The functions that are called.
enum Interface {
    Core(Core),
    Wrapper(Wrapper),
}

impl Interface {
    /// The core interface if it is complete, else the wrapper's. The error names a missing
    /// function.
    fn find(handle: &Handle) -> Result<Self, String> {
        Core::find(handle).map(Self::Core).or_else(|core| {
            let wrapper = Wrapper::find(handle).map(Self::Wrapper);
            wrapper.map_err(|wrapper| format!("{wrapper} as well as {core}"))
        })
    }
}

/// The functions of `libsgx_qe3_logic.so.1` (`sgx_ql_core_wrapper.h` of the DCAP API). They are
/// also found in `libsgx_dcap_ql.so.1`, since it is linked to that library.
///
/// A null attestation key id stands for ECDSA P-256 by Intel's QE.
struct Core {
    set_enclave_load_policy: unsafe extern "C" fn(policy: u32) -> u32,
    init_quote: unsafe extern "C" fn(
        key_id: *const AttestationKeyId,
        target_info: *mut TargetInfo,
        refresh: bool,
        public_key_id_size: *mut usize,
        public_key_id: *mut u8,
    ) -> u32,
    get_quote_size: unsafe extern "C" fn(key_id: *const AttestationKeyId, size: *mut u32) -> u32,
    get_quote: unsafe extern "C" fn(
        report: *const Report,
        key_id: *const AttestationKeyId,
        qe_report_info: *mut QeReportInfo,
        quote: *mut u8,
        size: u32,
    ) -> u32,
}

impl Core {
    fn find(handle: &Handle) -> Result<Self, &'static str> {
        // SAFETY: the fields have the types with which the DCAP API declares these functions.
        unsafe {
            Ok(Self {
                set_enclave_load_policy: symbol(handle, "sgx_ql_set_enclave_load_policy")?,
                init_quote: symbol(handle, "sgx_ql_init_quote")?,
                get_quote_size: symbol(handle, "sgx_ql_get_quote_size")?,
                get_quote: symbol(handle, "sgx_ql_get_quote")?,
            })
        }
    }

    fn keep_enclaves(&self) -> Result<(), QuotingError> {
        // SAFETY: takes a number only.
        let returned = unsafe { (self.set_enclave_load_policy)(PERSISTENT) };
        succeeded("sgx_ql_set_enclave_load_policy", returned)
    }

    fn initialize(&self) -> Result<AttestationKey, QuotingError> {
        let mut target_info = Aligned(TargetInfo::default());
        let mut public_key_id = [0; 32];
        let mut size = 0;
        // SAFETY: without a place for the public key id, the function writes its size alone.
        let returned =
            unsafe { (self.init_quote)(null(), null_mut(), false, &raw mut size, null_mut()) };
        succeeded("sgx_ql_init_quote", returned)?;
        if size != public_key_id.len() {
            return Err(invalid_public_key_id_size(size));
        }
        let (target, id) = (&raw mut target_info.0, public_key_id.as_mut_ptr());
        // SAFETY: target info, size and id are places of the sizes that the function writes.
        let returned = unsafe { (self.init_quote)(null(), target, false, &raw mut size, id) };
        succeeded("sgx_ql_init_quote", returned)?;
        Ok(AttestationKey { target_info: target_info.0, public_key_id })
    }

    fn quote_size(&self) -> Result<u32, QuotingError> {
        let mut size = 0;
        // SAFETY: `size` is where the function writes.
        let returned = unsafe { (self.get_quote_size)(null(), &raw mut size) };
        succeeded("sgx_ql_get_quote_size", returned)?;
        Ok(size)
    }

    fn quote(
        &self,
        report: &Report,
        qe_report_info: Option<QeReportInfo>,
        quote: &mut [u8],
    ) -> Result<Option<QeReportInfo>, QuotingError> {
        let report = Aligned(*report);
        let mut info = qe_report_info.map(Aligned);
        let info_out = info.as_mut().map_or(null_mut(), |info| &raw mut info.0);
        // SAFETY: the function reads the REPORT, reads and writes the QE report info if it is not
        // null, and writes at most as many bytes as it is told.
        let returned = unsafe {
            (self.get_quote)(
                &raw const report.0,
                null(),
                info_out,
                quote.as_mut_ptr(),
                length(quote),
            )
        };
        succeeded("sgx_ql_get_quote", returned)?;
        Ok(info.map(|Aligned(info)| info))
    }
}

/// The functions that `libsgx_dcap_ql.so.1` has itself (`sgx_dcap_ql_wrapper.h` of the DCAP API).
struct Wrapper {
    set_enclave_load_policy: unsafe extern "C" fn(policy: u32) -> u32,
    get_target_info: unsafe extern "C" fn(target_info: *mut TargetInfo) -> u32,
    get_quote_size: unsafe extern "C" fn(size: *mut u32) -> u32,
    get_quote: unsafe extern "C" fn(report: *const Report, size: u32, quote: *mut u8) -> u32,
}

impl Wrapper {
    fn find(handle: &Handle) -> Result<Self, &'static str> {
        // SAFETY: the fields have the types with which the DCAP API declares these functions.
        unsafe {
            Ok(Self {
                set_enclave_load_policy: symbol(handle, "sgx_qe_set_enclave_load_policy")?,
                get_target_info: symbol(handle, "sgx_qe_get_target_info")?,
                get_quote_size: symbol(handle, "sgx_qe_get_quote_size")?,
                get_quote: symbol(handle, "sgx_qe_get_quote")?,
            })
        }
    }

    fn keep_enclaves(&self) -> Result<(), QuotingError> {
        // SAFETY: takes a number only.
        let returned = unsafe { (self.set_enclave_load_policy)(PERSISTENT) };
        succeeded("sgx_qe_set_enclave_load_policy", returned)
    }

    fn initialize(&self) -> Result<AttestationKey, QuotingError> {
        let mut target_info = Aligned(TargetInfo::default());
        // SAFETY: `target_info` is where the function writes.
        let returned = unsafe { (self.get_target_info)(&raw mut target_info.0) };
        succeeded("sgx_qe_get_target_info", returned)?;
        Ok(AttestationKey { target_info: target_info.0, public_key_id: [0; 32] })
    }

    fn quote_size(&self) -> Result<u32, QuotingError> {
        let mut size = 0;
        // SAFETY: `size` is where the function writes.
        let returned = unsafe { (self.get_quote_size)(&raw mut size) };
        succeeded("sgx_qe_get_quote_size", returned)?;
        Ok(size)
    }

    fn quote(&self, report: &Report, quote: &mut [u8]) -> Result<(), QuotingError> {
        let report = Aligned(*report);
        // SAFETY: the function reads the REPORT, and writes at most as many bytes as it is told.
        let returned =
            unsafe { (self.get_quote)(&raw const report.0, length(quote), quote.as_mut_ptr()) };
        succeeded("sgx_qe_get_quote", returned)
    }
}

/// A structure aligned as in C: Intel's headers have fields of 8 bytes in it, while the types of
/// the crate `sgx` have an alignment of 1.
#[repr(C, align(8))]
struct Aligned<T>(T);

/// The function with this name; the name is the error.
///
/// # Safety
/// `F` is the type of the function, which must not be called once the handle is closed.
unsafe fn symbol<F: Copy>(handle: &Handle, name: &'static str) -> Result<F, &'static str> {
    // SAFETY: `F` is the function's type, as the caller promises; with `Option`, null is no
    // function.
    unsafe { handle.get::<Option<F>>(name) }.ok().and_then(|symbol| *symbol).ok_or(name)
}

/// The dynamic loader's own message, which names the file.
fn loader_message(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

fn length(buffer: &[u8]) -> u32 {
    u32::try_from(buffer.len()).unwrap_or(u32::MAX)
}

fn succeeded(function: &'static str, returned: u32) -> Result<(), QuotingError> {
    match Quote3Error(returned) {
        Quote3Error::SUCCESS => Ok(()),
        error => Err(QuotingError::Dcap { function, error }),
    }
}

/// The error for a library that cannot be used, with the code that Intel's library has for a
/// missing PCE library.
fn unavailable(problem: &str) -> QuotingError {
    QuotingError::new(AesmError::InterfaceUnavailable, format!("{problem} ({PACKAGES})"))
}

fn invalid_public_key_id_size(size: usize) -> QuotingError {
    let detail = format!("sgx_ql_init_quote returned a public key id of {size} bytes, not 32");
    QuotingError::new(AesmError::Unexpected, detail)
}

fn no_qe_report() -> QuotingError {
    let detail = "QE report info requires sgx_ql_get_quote and the other functions of \
                  libsgx_qe3_logic.so.1, which the library lacks";
    QuotingError::new(AesmError::UnableToGenerateQeReport, detail)
}
