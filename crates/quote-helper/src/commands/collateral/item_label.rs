//! Labels of items in tables and messages.

use std::fmt;

use collateral::{CollateralId, TcbUpdate};
use verify::EnclaveId;

/// The label of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemLabel {
    /// The kind, such as `TCB info`.
    pub(super) what: String,
    /// The subject, such as `FMSPC 00906ed50000`; empty if there is only one.
    pub(super) of: String,
}

impl From<&CollateralId> for ItemLabel {
    fn from(item: &CollateralId) -> Self {
        let (what, of) = match item {
            CollateralId::PckCertificate(request) => {
                ("PCK certificate".to_owned(), format!("QE {}", hex::encode(request.qe_id)))
            }
            CollateralId::PckCrl(ca) => ("PCK CRL".to_owned(), format!("{ca} CA")),
            CollateralId::RootCaCrl => ("root CRL".to_owned(), String::new()),
            CollateralId::TcbInfo { tee, fmspc, set } => {
                let what = format!("TCB info ({tee}{})", evaluation_suffix(*set));
                (what, format!("FMSPC {}", hex::encode(fmspc)))
            }
            CollateralId::EnclaveIdentity { enclave, set } => {
                let (name, tee) = match enclave {
                    EnclaveId::Qe => ("QE", "SGX"),
                    EnclaveId::Qve => ("QvE", "SGX"),
                    EnclaveId::TdQe => ("QE", "TDX"),
                };
                (format!("{name} identity ({tee}{})", evaluation_suffix(*set)), String::new())
            }
        };
        Self { what, of }
    }
}

fn evaluation_suffix(set: TcbUpdate) -> String {
    match set {
        TcbUpdate::Standard => String::new(),
        TcbUpdate::Early => ", early".to_owned(),
        TcbUpdate::Number(number) => format!(", evaluation {number}"),
    }
}

impl fmt::Display for ItemLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of.is_empty() {
            true => f.write_str(&self.what),
            false => write!(f, "{} of {}", self.what, self.of),
        }
    }
}
