//! The code inside the enclave: its key pair, and the quote over it.

use aws_lc_rs::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{self, SystemRandom};
use quoting::{QuoteRequest, Quoter, QuotingError};
use sgx::{MrEnclave, QeReportInfo, Report, TargetInfo};
use software_platform::{EnclaveIdentity, ReportError, SoftwareEnclave};

use crate::conversation::Conversation;
use crate::offer::sha256;
use crate::{Offer, PublicKey};

/// An enclave with a fresh key pair for one conversation.
pub struct Application {
    enclave: SoftwareEnclave,
    private_key: EphemeralPrivateKey,
    public_key: PublicKey,
}

/// Errors of getting a quote or agreeing on a key.
#[derive(Debug, thiserror::Error)]
pub enum AttestationError {
    /// No random bytes, or a failure of the crypto library.
    #[error("the system gives no random bytes to make a key of")]
    NoKey,
    /// No quote.
    #[error(transparent)]
    Quoting(#[from] QuotingError),
    /// The Quoter has no attestation key.
    #[error("the quote service has no attestation key")]
    NoAttestationKey,
    /// The reply does not prove that the QE made the quote.
    #[error("the quote is not from the Quoting Enclave of this machine: {0}")]
    NotFromQe(&'static str),
    /// The QE's REPORT is for another enclave, of another machine, or modified.
    #[error("the quote is not from the Quoting Enclave of this machine: {0}")]
    QeReport(#[from] ReportError),
    /// The peer's public key is invalid.
    #[error("the peer's public key is invalid")]
    NoAgreement,
}

impl Application {
    /// An enclave with this code and a fresh key pair.
    ///
    /// # Errors
    /// [`AttestationError::NoKey`].
    pub fn start(code: &str) -> Result<Self, AttestationError> {
        let identity =
            EnclaveIdentity { mr_enclave: mr_enclave(code), ..EnclaveIdentity::default() };
        let private_key = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new())
            .map_err(|_| AttestationError::NoKey)?;
        let public_key = private_key.compute_public_key().map_err(|_| AttestationError::NoKey)?;
        let public_key = public_key.as_ref().try_into().map_err(|_| AttestationError::NoKey)?;
        Ok(Self {
            enclave: SoftwareEnclave::new(identity),
            private_key,
            public_key: PublicKey(public_key),
        })
    }

    /// Gets a quote over the public key, and checks that the QE of this machine made it.
    ///
    /// # Errors
    /// [`AttestationError`].
    pub fn offer(&self, quoter: &dyn Quoter) -> Result<Offer, AttestationError> {
        let key_ids = quoter.attestation_key_ids()?;
        let key_id = *key_ids.first().ok_or(AttestationError::NoAttestationKey)?;
        // Only the target of a REPORT can check it: here the QE.
        let qe = quoter.initialize(&key_id)?.target_info;
        let report = self.report(&qe);
        let request = self.qe_report_request()?;
        let reply =
            quoter.quote(&QuoteRequest { report, key_id, qe_report_info: Some(request) })?;
        let qe_report_info =
            reply.qe_report_info.ok_or(AttestationError::NotFromQe("its REPORT is missing"))?;
        self.check(&request, &qe_report_info.qe_report, &reply.quote)?;
        Ok(Offer { public_key: self.public_key, quote: reply.quote })
    }

    /// The REPORT with the hash of the public key, by EREPORT on SGX.
    fn report(&self, qe: &TargetInfo) -> Report {
        self.enclave.report(qe, self.public_key.binding())
    }

    /// Asks the QE to prove its identity by a REPORT for this enclave and nonce.
    fn qe_report_request(&self) -> Result<QeReportInfo, AttestationError> {
        let mut nonce = [0; 16];
        rand::fill(&mut nonce).map_err(|_| AttestationError::NoKey)?;
        let target_info = self.enclave.target_info();
        Ok(QeReportInfo { nonce, target_info, ..QeReportInfo::default() })
    }

    /// Checks that the QE's REPORT contains SHA-256(nonce ‖ quote).
    fn check(
        &self,
        request: &QeReportInfo,
        qe_report: &Report,
        quote: &[u8],
    ) -> Result<(), AttestationError> {
        self.enclave.verify_report(qe_report)?;
        let expected = digest(&SHA256, &[&request.nonce[..], quote].concat());
        match qe_report.body.report_data.0.starts_with(expected.as_ref()) {
            true => Ok(()),
            false => Err(AttestationError::NotFromQe("its REPORT is about another quote")),
        }
    }

    /// Agrees on a key with the peer. Call it only after its quote is trusted: anybody can send a
    /// public key.
    ///
    /// # Errors
    /// [`AttestationError::NoAgreement`].
    pub fn agree(self, other: &PublicKey) -> Result<Conversation, AttestationError> {
        let public_key = UnparsedPublicKey::new(&X25519, other.0);
        let no_agreement = AttestationError::NoAgreement;
        agree_ephemeral(self.private_key, public_key, no_agreement, |secret| {
            Conversation::new(secret).ok_or(AttestationError::NoKey)
        })
    }
}

/// MRENCLAVE of the software enclave with this code: the SHA-256 of the name of the code.
#[must_use]
pub fn mr_enclave(code: &str) -> MrEnclave {
    MrEnclave(sha256(code.as_bytes()))
}
