//! Failures of a call, as text and as a number of Intel's.

use std::convert::Infallible;

use collateral::QuoteCollateralError;
use sgx::Quote3Error;
use verify::{Step, VerdictCode};

/// A failed call.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// An argument is invalid.
    #[error("{0}")]
    Argument(String),
    /// It takes an enclave of Intel's.
    #[error(
        "{0} runs in an enclave of Intel's, which this library does not load; verify without it, \
         with p_qve_report_info NULL"
    )]
    Enclave(&'static str),
    /// It takes tokens or their appraisal.
    #[error(
        "verification result tokens and their appraisal are not part of this library; use \
         tee_verify_quote, and compare its results"
    )]
    Tokens,
    /// An enclave load policy is unknown, or was set before.
    #[error("the enclave load policy {0} is unknown, or one was set before in this process")]
    LoadPolicy(u32),
    /// Supplemental data of a later version.
    #[error("there is no supplemental data of version {0}; the latest is 3")]
    SupplementalVersion(u16),
    /// Collateral of an unknown version.
    #[error("the collateral is of version {major}.{minor}; expected 1.0, 3.0, 3.1 or 4.0")]
    CollateralVersion {
        /// Major version.
        major: u32,
        /// Minor version.
        minor: u32,
    },
    /// A piece of the collateral or of a certificate cannot be read.
    #[error("{what} is missing or cannot be read")]
    Unreadable {
        /// The piece.
        what: &'static str,
        /// The number that says so.
        error: Quote3Error,
    },
    /// The quote is not of Intel's QE.
    #[error("the quote is of a QE of another vendor than Intel")]
    Vendor,
    /// The platform of the quote cannot be read.
    #[error(transparent)]
    Platform(#[from] QuoteCollateralError<Infallible>),
    /// The quote does not have its PCK certificate, only the platform's identifiers.
    #[error("the quote has no PCK certificate: install a quote provider library where it is made")]
    NoPckCertificate,
    /// This machine's sources have no collateral.
    #[error(transparent)]
    Provider(#[from] quote_provider::Failure),
    /// The application's quote provider library cannot be used.
    #[error("{0}")]
    Library(String),
    /// A function of that library failed.
    #[error("{function} of the quote provider library returned {error}")]
    LibraryFunction {
        /// Its name.
        function: &'static str,
        /// Its result.
        error: Quote3Error,
    },
    /// The quote does not verify.
    #[error("{}", .0.reason)]
    Evidence(verify::Failure),
    /// A number of the evidence does not fit into supplemental data.
    #[error("{0} does not fit into supplemental data")]
    OutOfRange(&'static str),
}

impl Failure {
    pub(crate) fn argument(reason: &str) -> Self {
        Self::Argument(reason.to_owned())
    }

    /// A required argument is NULL.
    pub(crate) fn null(name: &str) -> Self {
        Self::Argument(format!("{name} is NULL"))
    }

    /// The number that Intel's library returns for it.
    pub(crate) fn quote3_error(&self) -> Quote3Error {
        match self {
            Self::Argument(_) => Quote3Error::INVALID_PARAMETER,
            // Of a machine without Intel's runtime for enclaves.
            Self::Enclave(_) | Self::OutOfRange(_) => Quote3Error::UNEXPECTED,
            Self::Tokens => Quote3Error::INTERFACE_UNAVAILABLE,
            Self::LoadPolicy(_) => Quote3Error::UNSUPPORTED_LOADING_POLICY,
            Self::SupplementalVersion(_) => Quote3Error::SUPPLEMENTAL_DATA_VERSION_NOT_SUPPORTED,
            Self::CollateralVersion { .. } => Quote3Error::COLLATERAL_VERSION_NOT_SUPPORTED,
            Self::Unreadable { error, .. } | Self::LibraryFunction { error, .. } => *error,
            Self::Vendor => Quote3Error::QUOTE_FORMAT_UNSUPPORTED,
            Self::Platform(error) => of_platform(error),
            Self::NoPckCertificate => Quote3Error::QUOTE_CERTIFICATION_DATA_UNSUPPORTED,
            Self::Provider(failure) => failure.quote3_error(),
            Self::Library(_) => Quote3Error::PLATFORM_LIB_UNAVAILABLE,
            Self::Evidence(failure) => of_evidence(failure),
        }
    }
}

fn of_platform(error: &QuoteCollateralError<Infallible>) -> Quote3Error {
    match error {
        QuoteCollateralError::Quote(_) => Quote3Error::QUOTE_FORMAT_UNSUPPORTED,
        QuoteCollateralError::Platform(_) => Quote3Error::QUOTE_CERTIFICATION_DATA_UNSUPPORTED,
        QuoteCollateralError::Pck(_) => Quote3Error::PCK_CERT_UNSUPPORTED_FORMAT,
        QuoteCollateralError::Malformed(_) => Quote3Error::UNEXPECTED,
        QuoteCollateralError::Item(never) => match *never {},
    }
}

/// The number of Intel's library for this step and reason.
fn of_evidence(failure: &verify::Failure) -> Quote3Error {
    match (failure.step, failure.code) {
        (_, VerdictCode::NoPckCertificate) => Quote3Error::QUOTE_CERTIFICATION_DATA_UNSUPPORTED,
        (_, VerdictCode::CertificateRevoked) => Quote3Error::PCK_REVOKED,
        (_, VerdictCode::TcbRevoked) => Quote3Error::TCB_REVOKED,
        (_, VerdictCode::TcbTooLow) => Quote3Error::TCB_NOT_SUPPORTED,
        (_, VerdictCode::TdxModuleMismatch) => Quote3Error::TDX_MODULE_MISMATCH,
        (Step::QuoteFormat, _) => Quote3Error::QUOTE_FORMAT_UNSUPPORTED,
        (Step::TrustedRoot, _) => Quote3Error::PCK_CERT_CHAIN_ERROR,
        (Step::PckCertificate, VerdictCode::UnreadableEvidence) if !failure.is_of_crl => {
            Quote3Error::PCK_CERT_CHAIN_ERROR
        }
        (Step::RootCrl, VerdictCode::UnreadableEvidence) => Quote3Error::CRL_UNSUPPORTED_FORMAT,
        (_, VerdictCode::InvalidSignature) if failure.is_of_crl => {
            Quote3Error::RESULT_INVALID_SIGNATURE
        }
        (Step::QuoteSignature, _) => Quote3Error::RESULT_INVALID_SIGNATURE,
        (Step::TcbInfo, VerdictCode::UnreadableEvidence) => Quote3Error::TCBINFO_UNSUPPORTED_FORMAT,
        (Step::TcbInfo | Step::TcbLevel, VerdictCode::MismatchedCollateral) => {
            Quote3Error::TCBINFO_MISMATCH
        }
        (Step::TcbInfo, _) => Quote3Error::TCBINFO_CHAIN_ERROR,
        (Step::QeIdentity, VerdictCode::UnreadableEvidence) => {
            Quote3Error::QEIDENTITY_UNSUPPORTED_FORMAT
        }
        (Step::QeIdentity, VerdictCode::InvalidSignature) => Quote3Error::QEIDENTITY_CHAIN_ERROR,
        (Step::QeIdentity, VerdictCode::MismatchedCollateral) | (Step::QeMatch, _) => {
            Quote3Error::QEIDENTITY_MISMATCH
        }
        // As of the TCB info: there is no number of its own.
        (Step::QeIdentity, _) => Quote3Error::TCBINFO_CHAIN_ERROR,
        (Step::QeReportSignature, _) => Quote3Error::QE_REPORT_INVALID_SIGNATURE,
        _ => Quote3Error::UNEXPECTED,
    }
}
