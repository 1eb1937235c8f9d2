//! The whole software platform of one machine.

use sgx::{
    AttestationKeyId, CertificationData, CertificationDataType, Collateral, QeReportInfo, Report,
    TargetInfo,
};
use time::OffsetDateTime;

use crate::attestation_key::AttestationKey;
use crate::machine::Machine;
use crate::platform_error::PlatformError;
use crate::quoting_enclave::QuotingEnclave;
use crate::{
    Certificate, CollateralIssue, Deployment, MachineSecret, Microcode, PckCertificate, PckSubject,
    PcsCollateral, PkiError, PublishedTcb, QuoteError, TcbLevel,
};

/// The certification data in quotes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CertificationKind {
    /// The quote carries the certificates (certification data of type 5).
    #[default]
    PckCertificateChain,
    /// The quote carries the encrypted PPID, with which the verifier fetches the certificates
    /// (certification data of type 3).
    EncryptedPpid,
}

/// An SGX platform in software: one machine below the root of a deployment.
///
/// [`SoftwarePlatform::open`] and its companions keep it in a directory.
pub struct SoftwarePlatform {
    deployment: Deployment,
    published_tcb: PublishedTcb,
    machine: Machine,
    attestation_key: AttestationKey,
    pck_certificate: PckCertificate,
    quoting_enclave: QuotingEnclave,
}

impl SoftwarePlatform {
    /// The machine with this secret, in memory only. Everything but the quotes' signatures and the
    /// encrypted PPID follows from the two arguments, to the byte.
    ///
    /// # Errors
    /// [`PlatformError`]; with a valid deployment only when the system gives no random bytes.
    pub fn new(deployment: Deployment, secret: MachineSecret) -> Result<Self, PlatformError> {
        let machine = Machine::new(Microcode::default(), secret)?;
        let attestation_key = AttestationKey::make(&machine)?;
        Self::assemble(deployment, PublishedTcb::default(), machine, attestation_key)
    }

    pub(crate) fn assemble(
        deployment: Deployment,
        published_tcb: PublishedTcb,
        machine: Machine,
        attestation_key: AttestationKey,
    ) -> Result<Self, PlatformError> {
        let pck_certificate =
            deployment.certify_pck(&machine.pck_subject(), &machine.pce.pck_public_key())?;
        let chain = certificate_chain(&pck_certificate);
        let quoting_enclave = QuotingEnclave::new(&machine, &attestation_key, chain)?;
        Ok(Self {
            deployment,
            published_tcb,
            machine,
            attestation_key,
            pck_certificate,
            quoting_enclave,
        })
    }

    /// The same platform, with this certification data in its quotes.
    ///
    /// # Errors
    /// Only [`PlatformError::AttestationKey`], which does not happen in practice.
    pub fn certified_by(mut self, kind: CertificationKind) -> Result<Self, PlatformError> {
        let certification_data = match kind {
            CertificationKind::PckCertificateChain => certificate_chain(&self.pck_certificate),
            CertificationKind::EncryptedPpid => self.attestation_key.encrypted_ppid_data(),
        };
        self.quoting_enclave =
            QuotingEnclave::new(&self.machine, &self.attestation_key, certification_data)?;
        Ok(self)
    }

    /// The only attestation key: ECDSA P-256.
    #[must_use]
    pub fn attestation_key_id(&self) -> AttestationKeyId {
        AttestationKeyId::ecdsa_p256()
    }

    /// The QE's target info, for the REPORTs of applications.
    #[must_use]
    pub fn target_info(&self) -> TargetInfo {
        self.quoting_enclave.target_info()
    }

    /// The public key id, 32 bytes: SHA-256 of attestation public key and authentication data.
    #[must_use]
    pub fn public_key_id(&self) -> [u8; 32] {
        self.quoting_enclave.public_key_id()
    }

    /// QE_ID, 16 bytes: identifies this platform in its quotes at every TCB.
    #[must_use]
    pub fn qe_id(&self) -> [u8; 16] {
        self.machine.secret.qe_id()
    }

    /// Size of every quote in bytes.
    #[must_use]
    pub fn quote_size(&self) -> usize {
        self.quoting_enclave.quote_size()
    }

    /// Makes a quote of the REPORT, [`Self::quote_size`] bytes.
    ///
    /// With QE report info, its REPORT is filled in: for the enclave that its target info names,
    /// with the report data SHA-256(nonce ‖ quote) ‖ 32 zero bytes.
    ///
    /// # Errors
    /// [`QuoteError::Report`] when the REPORT was not made for [`Self::target_info`] on this kind
    /// of CPU, or was changed.
    pub fn quote(
        &self,
        report: &Report,
        qe_report_info: Option<QeReportInfo>,
    ) -> Result<(Vec<u8>, Option<QeReportInfo>), QuoteError> {
        self.quoting_enclave.quote(report, qe_report_info)
    }

    /// The contents of the PCK certificate of this machine.
    #[must_use]
    pub fn pck_subject(&self) -> PckSubject {
        self.machine.pck_subject()
    }

    /// The PCK certificate of this machine at its TCB.
    #[must_use]
    pub fn pck_certificate(&self) -> &PckCertificate {
        &self.pck_certificate
    }

    /// The PPID as the provisioning service gets it, 384 bytes: RSA-3072-OAEP with SHA-256.
    #[must_use]
    pub fn encrypted_ppid(&self) -> [u8; 384] {
        self.attestation_key.encrypted_ppid
    }

    /// The deployment, with its root of trust.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The certificate that verifiers must be told to trust.
    #[must_use]
    pub fn root_certificate(&self) -> &Certificate {
        self.deployment.root_certificate()
    }

    /// The microcode of this machine.
    #[must_use]
    pub fn microcode(&self) -> Microcode {
        self.machine.microcode
    }

    /// The TCB that the deployment has published for its machines.
    #[must_use]
    pub fn published_tcb(&self) -> &PublishedTcb {
        &self.published_tcb
    }

    /// The TCB level of this machine, with its status.
    #[must_use]
    pub fn tcb_level(&self) -> TcbLevel {
        self.published_tcb.level(self.machine.microcode, self.deployment.created())
    }

    /// The contents of collateral issued now, as the deployment has published them.
    #[must_use]
    pub fn issue(&self, now: OffsetDateTime) -> CollateralIssue {
        self.published_tcb.issue(self.deployment.created(), now)
    }

    /// Collateral as the deployment issues it.
    ///
    /// # Errors
    /// As [`Deployment::collateral`].
    pub fn collateral(&self, issue: &CollateralIssue) -> Result<Collateral, PkiError> {
        self.deployment.collateral(issue)
    }

    /// The additional collateral of a PCS, issued by the deployment.
    ///
    /// # Errors
    /// As [`Deployment::collateral`].
    pub fn pcs_collateral(&self, issue: &CollateralIssue) -> Result<PcsCollateral, PkiError> {
        self.deployment.pcs_collateral(issue)
    }
}

/// Certification data of type 5; like Intel's, it ends with a zero byte.
fn certificate_chain(pck_certificate: &PckCertificate) -> CertificationData {
    CertificationData {
        data_type: CertificationDataType::PCK_CERTIFICATE_CHAIN,
        data: [pck_certificate.chain_pem().as_bytes(), &[0]].concat(),
    }
}
