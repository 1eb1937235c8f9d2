//! Items as people know them.

use std::fmt;

use collateral::{EvaluationSet, Item};
use verify::EnclaveId;

/// An item in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemWords {
    /// What it is: `TCB info`.
    pub(super) what: String,
    /// What of: `FMSPC 00906ed50000`. Empty for what there is one of.
    pub(super) of: String,
}

impl From<&Item> for ItemWords {
    fn from(item: &Item) -> Self {
        let (what, of) = match item {
            Item::PckCertificate(question) => {
                ("PCK certificate".to_owned(), format!("QE {}", hex::encode(question.qe_id)))
            }
            Item::PckCrl(ca) => ("PCK CRL".to_owned(), format!("{ca} CA")),
            Item::RootCaCrl => ("root CRL".to_owned(), String::new()),
            Item::TcbInfo { tee, fmspc, set } => {
                let what = format!("TCB info ({tee}{})", unless_standard(*set));
                (what, format!("FMSPC {}", hex::encode(fmspc)))
            }
            Item::EnclaveIdentity { enclave, set } => {
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

fn unless_standard(set: EvaluationSet) -> String {
    match set {
        EvaluationSet::Standard => String::new(),
        EvaluationSet::Early => ", early".to_owned(),
        EvaluationSet::Number(number) => format!(", evaluation {number}"),
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
