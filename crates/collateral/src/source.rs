//! The questions of the API, typed, and who answers them.

use std::error::Error;

use sgx::CpuSvn;

/// Knows the answers.
///
/// The methods are called on the server's own threads: they answer from memory and do not wait.
pub trait PcsSource: Send + Sync + 'static {
    /// The PCK certificate of a platform at a TCB.
    ///
    /// # Errors
    /// [`PcsError::UnknownPlatform`], [`PcsError::NoCertificate`].
    fn pck_certificate(&self, question: &PckQuestion) -> Result<PckAnswer, PcsError>;

    /// The CRL of a PCK CA.
    ///
    /// # Errors
    /// [`PcsError::NotFound`] when there is no such CA.
    fn pck_crl(&self, ca: PckCa) -> Result<PckCrl, PcsError>;

    /// DER: the CRL of the root.
    ///
    /// # Errors
    /// [`PcsError::NotFound`].
    fn root_ca_crl(&self) -> Result<Vec<u8>, PcsError>;

    /// The TCB info of a kind of platform.
    ///
    /// # Errors
    /// [`PcsError::NotFound`] when the FMSPC or the evaluation set is not known.
    fn tcb_info(&self, fmspc: [u8; 6], set: EvaluationSet) -> Result<SignedJson, PcsError>;

    /// The identity of the Quoting Enclave.
    ///
    /// # Errors
    /// [`PcsError::NotFound`] when the evaluation set is not known.
    fn qe_identity(&self, set: EvaluationSet) -> Result<SignedJson, PcsError>;
}

/// Which PCK certificate is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PckQuestion {
    /// QE_ID, 16 bytes.
    pub qe_id: [u8; 16],
    /// PPID, encrypted with RSA-3072-OAEP, 384 bytes. Clients of a PCCS may leave it out.
    pub encrypted_ppid: Option<[u8; 384]>,
    /// CPUSVN of the platform.
    pub cpu_svn: CpuSvn,
    /// ISVSVN of the PCE.
    pub pce_svn: u16,
    /// PCE id, little-endian.
    pub pce_id: [u8; 2],
}

/// A PCK certificate, and for what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PckAnswer {
    /// PEM: the PCK certificate.
    pub certificate: String,
    /// PEM: the PCK CA's certificate, then the root's.
    pub issuer_chain: String,
    /// Which PCK CA issued it.
    pub ca: PckCa,
    /// The kind of platform.
    pub fmspc: [u8; 6],
    /// CPUSVN that the certificate is for.
    pub cpu_svn: CpuSvn,
    /// ISVSVN of the PCE that the certificate is for.
    pub pce_svn: u16,
}

/// The CRL of a PCK CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PckCrl {
    /// DER: the CRL.
    pub crl: Vec<u8>,
    /// PEM: the PCK CA's certificate, then the root's.
    pub issuer_chain: String,
}

/// TCB info or QE identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedJson {
    /// JSON, to the byte as it was signed.
    pub json: String,
    /// ECDSA P-256 signature: r ‖ s, big-endian, 64 bytes.
    pub signature: Vec<u8>,
    /// PEM: the TCB signing certificate, then the root's.
    pub issuer_chain: String,
}

/// One of the two CAs that issue PCK certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PckCa {
    /// For single-package platforms.
    Processor,
    /// For multi-package platforms, and for the software platform.
    Platform,
}

/// Which of the TCB evaluations in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluationSet {
    /// The one that all must meet by now.
    Standard,
    /// The newest one.
    Early,
    /// The one with this TCB evaluation data number.
    Number(u32),
}

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PcsError {
    /// Status 404.
    #[error("there is no such collateral here")]
    NotFound,
    /// Status 461, of the PCCS.
    #[error("no platform with this QE id is known here")]
    UnknownPlatform,
    /// Status 462, of the PCCS.
    #[error("the platform is known here, but there is no PCK certificate for it at this TCB")]
    NoCertificate,
    /// Status 500. The cause goes to the log and not to the client.
    #[error("the collateral could not be made")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}
