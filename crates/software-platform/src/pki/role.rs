//! Roles of certificates in the tree.

use rcgen::{BasicConstraints, IsCa, KeyUsagePurpose};
use time::{Duration, OffsetDateTime, macros::datetime};

use super::PcsUrl;

/// The last second of the root's certificate, as of Intel's. No other certificate outlives it.
pub(crate) const ROOT_END: OffsetDateTime = datetime!(2049-12-31 23:59:59 UTC);

/// The place of a certificate in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Root,
    PlatformCa,
    ProcessorCa,
    TcbSigning,
    Pck,
}

impl Role {
    /// The end of the common name, by which verifiers tell the roles apart.
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::Root => "SGX Root CA",
            Self::PlatformCa => "SGX PCK Platform CA",
            Self::ProcessorCa => "SGX PCK Processor CA",
            Self::TcbSigning => "SGX TCB Signing",
            Self::Pck => "SGX PCK Certificate",
        }
    }

    /// The end of a certificate that begins at `start`, with the life of Intel's certificates.
    pub(crate) fn end(self, start: OffsetDateTime) -> OffsetDateTime {
        let years = match self {
            Self::Root => return ROOT_END,
            Self::PlatformCa | Self::ProcessorCa => 15,
            Self::TcbSigning | Self::Pck => 7,
        };
        start.saturating_add(Duration::days(365).saturating_mul(years)).min(ROOT_END)
    }

    pub(crate) fn basic_constraints(self) -> IsCa {
        match self {
            Self::Root => IsCa::Ca(BasicConstraints::Constrained(1)),
            Self::PlatformCa | Self::ProcessorCa => IsCa::Ca(BasicConstraints::Constrained(0)),
            Self::TcbSigning | Self::Pck => IsCa::ExplicitNoCa,
        }
    }

    pub(crate) fn key_usages(self) -> Vec<KeyUsagePurpose> {
        match self {
            Self::Root | Self::PlatformCa | Self::ProcessorCa => {
                vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign]
            }
            Self::TcbSigning | Self::Pck => {
                vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment]
            }
        }
    }

    /// The URL of the CRL of the certificate's issuer.
    pub(crate) fn crl_url(self, pcs_url: &PcsUrl) -> String {
        match self {
            Self::Root | Self::PlatformCa | Self::ProcessorCa | Self::TcbSigning => {
                pcs_url.root_crl()
            }
            Self::Pck => pcs_url.pck_crl(),
        }
    }
}
