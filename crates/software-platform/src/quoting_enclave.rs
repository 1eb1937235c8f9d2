//! The Quoting Enclave (QE), which turns REPORTs into quotes.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use sgx::{
    CertificationData, QeReportInfo, Quote, QuoteHeader, QuoteSignature, Report, ReportBody,
    TargetInfo, U16, U32,
};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, Unaligned};

use crate::attestation_key::{AUTHENTICATION_DATA, AttestationKey};
use crate::hash::{report_data, sha256};
use crate::machine::Machine;
use crate::{PlatformError, ReportError, SoftwareEnclave};

/// The QE cannot make a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// The REPORT is not for the QE of this platform.
    #[error("no quote: {0}")]
    Report(#[from] ReportError),
    /// The signature failed without random bytes.
    #[error("no quote: the system gives no random bytes for the signature")]
    Random,
}

/// The Quoting Enclave of one machine, with its attestation key.
pub(crate) struct QuotingEnclave {
    enclave: SoftwareEnclave,
    attestation_key: EcdsaKeyPair,
    public_key_id: [u8; 32],
    /// The beginning of a quote, with report body and signature still zero.
    head: QuoteHead,
    /// The rest of every quote.
    tail: Vec<u8>,
}

/// The beginning of a quote, 500 bytes: up to the last byte that differs between two quotes.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
struct QuoteHead {
    signed: SignedPart,
    signature_data_length: U32,
    signature: [u8; 64],
}

/// The data signed by the attestation key, 432 bytes.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, Unaligned)]
#[repr(C)]
struct SignedPart {
    header: QuoteHeader,
    report_body: ReportBody,
}

impl QuotingEnclave {
    pub(crate) fn new(
        machine: &Machine,
        key: &AttestationKey,
        certification_data: CertificationData,
    ) -> Result<Self, PlatformError> {
        let public_key = key.key.public_key();
        let empty = empty_quote(machine, key, certification_data).to_bytes();
        let (start, tail) = empty.split_at(size_of::<QuoteHead>());
        let mut head = QuoteHead::new_zeroed();
        head.as_mut_bytes().copy_from_slice(start);
        Ok(Self {
            enclave: machine.qe.clone(),
            attestation_key: signing_key(key)?,
            public_key_id: sha256(&[&public_key, &AUTHENTICATION_DATA]),
            head,
            tail: tail.to_vec(),
        })
    }

    /// The target info of the QE.
    pub(crate) fn target_info(&self) -> TargetInfo {
        self.enclave.target_info()
    }

    /// SHA-256 of attestation public key and authentication data.
    pub(crate) fn public_key_id(&self) -> [u8; 32] {
        self.public_key_id
    }

    /// Size of every quote in bytes.
    pub(crate) fn quote_size(&self) -> usize {
        size_of::<QuoteHead>().saturating_add(self.tail.len())
    }

    /// Checks the REPORT and signs the quote; with QE report info, also proves that it did.
    pub(crate) fn quote(
        &self,
        report: &Report,
        qe_report_info: Option<QeReportInfo>,
    ) -> Result<(Vec<u8>, Option<QeReportInfo>), QuoteError> {
        self.enclave.verify_report(report)?;
        let quote = self.sign(report.body)?;
        let qe_report_info = qe_report_info.map(|info| self.prove(info, &quote));
        Ok((quote, qe_report_info))
    }

    fn sign(&self, report_body: ReportBody) -> Result<Vec<u8>, QuoteError> {
        let mut head = self.head;
        head.signed.report_body = report_body;
        let signature = self
            .attestation_key
            .sign(&SystemRandom::new(), head.signed.as_bytes())
            .map_err(|_| QuoteError::Random)?;
        head.signature.copy_from_slice(signature.as_ref());
        Ok([head.as_bytes(), &self.tail].concat())
    }

    fn prove(&self, mut info: QeReportInfo, quote: &[u8]) -> QeReportInfo {
        let report_data = report_data(&[&info.nonce, quote]);
        info.qe_report = self.enclave.report(&info.target_info, report_data);
        info
    }
}

fn signing_key(key: &AttestationKey) -> Result<EcdsaKeyPair, PlatformError> {
    let mut uncompressed = vec![4];
    uncompressed.extend(key.key.public_key());
    EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        key.key.scalar().as_slice(),
        &uncompressed,
    )
    .map_err(|_| PlatformError::AttestationKey)
}

/// The quote of an all-zero report body, with an all-zero signature.
fn empty_quote(
    machine: &Machine,
    key: &AttestationKey,
    certification_data: CertificationData,
) -> Quote {
    Quote {
        header: QuoteHeader {
            version: U16::new(QuoteHeader::VERSION),
            attestation_key_type: U16::new(QuoteHeader::ECDSA_P256),
            tee_type: U32::new(QuoteHeader::SGX),
            qe_svn: key.tcb.qe_svn,
            pce_svn: key.tcb.pce_svn,
            qe_vendor_id: QuoteHeader::INTEL_QE_VENDOR_ID,
            user_data: user_data(machine.secret.qe_id()),
        },
        body: ReportBody::default().into(),
        signature: QuoteSignature {
            signature: [0; 64],
            attestation_public_key: key.key.public_key(),
            qe_report: key.qe_report,
            qe_report_signature: key.qe_report_signature,
            authentication_data: AUTHENTICATION_DATA.to_vec(),
            certification_data,
        },
    }
}

fn user_data(qe_id: [u8; 16]) -> [u8; 20] {
    let mut user_data = [0; 20];
    let (first, _) = user_data.split_at_mut(16);
    first.copy_from_slice(&qe_id);
    user_data
}
