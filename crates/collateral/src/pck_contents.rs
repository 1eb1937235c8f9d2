//! Contents of PCK certificates.

use dcap_qvl::intel;
use sgx::CpuSvn;
use verify::PckCa;

/// The platform and the TCB in a PCK certificate, unchecked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PckContents {
    /// Platform provisioning id, 16 bytes.
    pub ppid: [u8; 16],
    /// The kind of platform, 6 bytes.
    pub fmspc: [u8; 6],
    /// The issuing PCK CA.
    pub ca: PckCa,
    /// CPUSVN that it is for.
    pub cpu_svn: CpuSvn,
    /// ISVSVN of the PCE that it is for.
    pub pce_svn: u16,
}

/// A PCK certificate that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the PCK certificate cannot be read: {0}")]
pub struct PckContentsError(String);

impl PckContents {
    /// Reads the first of some certificates in PEM.
    ///
    /// # Errors
    /// [`PckContentsError`] if it is not a PCK certificate.
    pub fn read(pem: &[u8]) -> Result<Self, PckContentsError> {
        let certificate = pem::parse(pem).map_err(|error| PckContentsError(error.to_string()))?;
        Self::read_der(certificate.contents())
    }

    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// [`PckContentsError`] if it is not a PCK certificate.
    pub fn read_der(der: &[u8]) -> Result<Self, PckContentsError> {
        let unreadable = |error| PckContentsError(format!("{error:#}"));
        let extension = intel::parse_pck_extension(der).map_err(unreadable)?;
        let ppid = extension.ppid.as_slice().try_into();
        let ppid = ppid.map_err(|_| PckContentsError("its PPID has not 16 bytes".to_owned()))?;
        let ca = match intel::pck_ca(der).map_err(unreadable)? {
            dcap_qvl::config::PckCa::Platform => PckCa::Platform,
            dcap_qvl::config::PckCa::Processor => PckCa::Processor,
        };
        let (cpu_svn, pce_svn) = (CpuSvn(extension.cpu_svn), extension.pce_svn);
        Ok(Self { ppid, fmspc: extension.fmspc, ca, cpu_svn, pce_svn })
    }
}
