//! Items as people know them.

use std::fmt;

use collateral::{CollateralId, TcbUpdate};
use verify::EnclaveId;

/// An item in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemWords {
    /// What it is: `TCB info`.
    pub(super) what: String,
    /// What of: `FMSPC 00906ed50000`. Empty for what there is one of.
    pub(super) of: String,
}

impl From<&CollateralId> for ItemWords {
    fn from(item: &CollateralId) -> Self {
        let (what, of) = match item {
            CollateralId::PckCertificate(question) => {
                ("PCK certificate".to_owned(), format!("QE {}", hex::encode(question.qe_id)))
            }
            CollateralId::PckCrl(ca) => ("PCK CRL".to_owned(), format!("{ca} CA")),
            CollateralId::RootCaCrl => ("root CRL".to_owned(), String::new()),
            CollateralId::TcbInfo { tee, fmspc, set } => {
                let what = format!("TCB info ({tee}{})", unless_standard(*set));
                (what, format!("FMSPC {}", hex::encode(fmspc)))
            }
            CollateralId::EnclaveIdentity { enclave, set } => {
                let (name, tee) = match enclave {
                    EnclaveId::Qe => ("QE", "SGX"),
                    EnclaveId::Qve => ("QvE", "SGX"),
                    EnclaveId::TdQe => ("QE", "TDX"),
                };
                (format!("{name} identity ({tee}{})", unless_standard(*set)), String::new())
            }
        };
        Self { what, of }
    }
}

fn unless_standard(set: TcbUpdate) -> String {
    match set {
        TcbUpdate::Standard => String::new(),
        TcbUpdate::Early => ", early".to_owned(),
        TcbUpdate::Number(number) => format!(", evaluation {number}"),
    }
}

impl fmt::Display for ItemWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of.is_empty() {
            true => f.write_str(&self.what),
            false => write!(f, "{} of {}", self.what, self.of),
        }
    }
}
