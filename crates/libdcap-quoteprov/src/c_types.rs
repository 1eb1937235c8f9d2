//! The structures of the quote provider's interface, as Intel's `sgx_ql_lib_common.h` lays them
//! out.
#![allow(unsafe_code, reason = "a structure from C has pointers")]

use std::ffi::{CStr, c_char};

use collateral::PckCertificateRequest;
use quote_provider::Failure;
use sgx::CpuSvn;
use verify::PckCa;

/// `crypto_suite`: the PPID is encrypted with RSA-3072-OAEP. There is no other.
const RSA_OAEP_3072: u8 = 1;

/// `sgx_ql_pck_cert_id_t`, 43 bytes: the platform and TCB of a request
/// for a PCK certificate.
#[repr(C, packed)]
pub struct PckCertId {
    qe_id: *const [u8; 16],
    qe_id_size: u32,
    cpu_svn: *const [u8; 16],
    pce_svn: *const u16,
    encrypted_ppid: *const [u8; 384],
    encrypted_ppid_size: u32,
    crypto_suite: u8,
    pce_id: u16,
}

/// `sgx_ql_config_t`, 34 bytes: a PCK certificate and its TCB.
#[repr(C, packed)]
pub struct QuoteConfig {
    pub(crate) version: u32,
    pub(crate) cpu_svn: [u8; 16],
    pub(crate) pce_svn: u16,
    pub(crate) data_size: u32,
    pub(crate) data: *mut u8,
}

impl QuoteConfig {
    /// The only version of the structure.
    pub(crate) const VERSION: u32 = 1;
}

const _: () = assert!(size_of::<PckCertId>() == 43);
const _: () = assert!(size_of::<QuoteConfig>() == 34);

impl PckCertId {
    /// The request, with all arguments checked.
    ///
    /// # Safety
    /// Its pointers are NULL or point to as many bytes as it says.
    pub(crate) unsafe fn request(&self) -> Result<PckCertificateRequest, Failure> {
        let (qe_id, qe_id_size) = (self.qe_id, self.qe_id_size);
        let (ppid, ppid_size) = (self.encrypted_ppid, self.encrypted_ppid_size);
        let (cpu_svn, pce_svn) = (self.cpu_svn, self.pce_svn);
        sized("qe3_id_size", qe_id_size, 16)?;
        if !ppid.is_null() {
            sized("encrypted_ppid_size", ppid_size, 384)?;
        }
        let suite = self.crypto_suite;
        if suite != RSA_OAEP_3072 {
            return Err(Failure::Argument(format!("there is no crypto_suite {suite}; it is 1")));
        }
        // SAFETY: the caller guarantees the sizes, which are checked above.
        unsafe {
            Ok(PckCertificateRequest {
                qe_id: read(qe_id, "p_qe3_id")?,
                encrypted_ppid: read(ppid, "").ok().filter(|ppid| *ppid != [0; 384]).map(Box::new),
                cpu_svn: CpuSvn(read(cpu_svn, "p_platform_cpu_svn")?),
                pce_svn: read(pce_svn, "p_platform_pce_isv_svn")?,
                pce_id: self.pce_id.to_le_bytes(),
            })
        }
    }
}

/// An FMSPC of this size.
///
/// # Safety
/// `fmspc` is NULL or points to `size` bytes.
pub(crate) unsafe fn fmspc(fmspc: *const u8, size: u16) -> Result<[u8; 6], Failure> {
    sized("fmspc_size", size.into(), 6)?;
    // SAFETY: the caller guarantees the size, which is checked above.
    unsafe { read(fmspc.cast(), "fmspc") }
}

/// The CA with this name.
///
/// # Safety
/// `name` is NULL or ends with a zero byte.
pub(crate) unsafe fn pck_ca(name: *const c_char) -> Result<PckCa, Failure> {
    if name.is_null() {
        return Err(Failure::null("pck_ca"));
    }
    // SAFETY: it is not NULL, so it ends with a zero byte.
    match unsafe { CStr::from_ptr(name) }.to_bytes() {
        b"processor" => Ok(PckCa::Processor),
        b"platform" => Ok(PckCa::Platform),
        _ => Err(Failure::Argument("pck_ca is neither \"processor\" nor \"platform\"".to_owned())),
    }
}

fn sized(name: &str, size: u32, expected: u32) -> Result<(), Failure> {
    if size == expected {
        return Ok(());
    }
    Err(Failure::Argument(format!("{name} is {size}; it must be {expected}")))
}

/// # Safety
/// `value` is NULL or points to a `T`, which may be unaligned.
unsafe fn read<T>(value: *const T, name: &str) -> Result<T, Failure> {
    if value.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: the caller guarantees it.
    Ok(unsafe { value.read_unaligned() })
}
