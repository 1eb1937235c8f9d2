//! Contents of PCK certificates.

use sgx::CpuSvn;
use verify::{CollateralError, PckCa, SgxExtension};

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
        let unreadable = |error: CollateralError| PckContentsError(error.to_string());
        let SgxExtension { ppid, fmspc, cpu_svn, pce_svn, .. } =
            SgxExtension::read(der).map_err(unreadable)?;
        let ca = verify::claimed_pck_ca(der).map_err(unreadable)?;
        Ok(Self { ppid, fmspc, ca, cpu_svn, pce_svn })
    }
}
