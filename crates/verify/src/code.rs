//! The codes of verdicts: the reason for programs.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{CollateralError, Decision, Step};

macro_rules! codes {
    ($($variant:ident $name:literal $decision:ident $meaning:literal;)+) => {
        /// The reason for a verdict, which implies its [`Decision`]. In JSON and in text it is a
        /// stable name in snake_case, such as `untrusted_root`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum VerdictCode {
            $(
                #[doc = $meaning]
                $variant,
            )+
            /// The evidence holds, and this step of the policy refuses: `policy_` and the name of
            /// the step, such as `policy_mr_enclave`.
            Policy(Step),
        }

        impl VerdictCode {
            /// All codes except those of the policy.
            pub const EVIDENCE: &[Self] = &[$(Self::$variant,)+];

            /// The decision that this code implies.
            #[must_use]
            pub fn decision(self) -> Decision {
                match self {
                    $(Self::$variant => Decision::$decision,)+
                    Self::Policy(_) => Decision::Refused,
                }
            }

            /// The meaning of the code, in one line.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)+
                    Self::Policy(step) => step.meaning(),
                }
            }
        }

        impl fmt::Display for VerdictCode {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($name),)+
                    Self::Policy(step) => write!(f, "policy_{}", step.name().replace('-', "_")),
                }
            }
        }
    };
}

codes! {
    Trusted "trusted" Trusted "the evidence holds, and the policy accepts";
    UntrustedRoot "untrusted_root" Refused
        "the quote's certificates lead to a root that is not trusted";
    InvalidSignature "invalid_signature" Refused
        "a certificate, CRL, TCB info or QE identity is not signed by its issuer";
    CertificateRevoked "certificate_revoked" Refused "a certificate is on its issuer's CRL";
    QuoteModified "quote_modified" Refused "a signature or hash within the quote does not hold";
    QuotingEnclaveMismatch "quoting_enclave_mismatch" Refused
        "the Quoting Enclave is not the published one";
    TcbTooLow "tcb_too_low" Refused
        "the platform, its QE or TDX module is below every published TCB level";
    TcbRevoked "tcb_revoked" Refused
        "the TCB level of the platform, its QE or TDX module is revoked";
    TdxModuleMismatch "tdx_module_mismatch" Refused "the TDX module is not the published one";
    TdAttributes "td_attributes" Refused
        "the TD can be migrated or served by others, or has reserved attributes";
    NotAQuote "not_a_quote" Undecided "the bytes are not a complete quote";
    UnsupportedQuote "unsupported_quote" Undecided
        "the quote is of a version, kind or vendor that is not supported";
    NoPckCertificate "no_pck_certificate" Undecided
        "neither the quote nor the collateral has a PCK certificate";
    CollateralUnavailable "collateral_unavailable" Undecided
        "the collateral cannot be read or fetched";
    ForeignCollateral "foreign_collateral" Undecided
        "the collateral is of another root than the quote";
    MismatchedCollateral "mismatched_collateral" Undecided
        "the collateral is of another kind of platform than the quote";
    Expired "expired" Undecided "a certificate or piece of collateral has expired";
    NotYetValid "not_yet_valid" Undecided "a certificate or piece of collateral is not valid yet";
    UnreadableEvidence "unreadable_evidence" Undecided
        "a certificate or piece of collateral cannot be read";
}

impl Serialize for VerdictCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<&CollateralError> for VerdictCode {
    fn from(error: &CollateralError) -> Self {
        match error {
            CollateralError::Unreadable { .. } => Self::UnreadableEvidence,
            CollateralError::NotYetValid { .. } => Self::NotYetValid,
            CollateralError::Expired { .. } => Self::Expired,
            CollateralError::UntrustedRoot { .. } => Self::ForeignCollateral,
            CollateralError::WronglySigned { .. } => Self::InvalidSignature,
            CollateralError::Revoked { .. } => Self::CertificateRevoked,
        }
    }
}
