//! The names in the certificates.

use std::str::FromStr;

use rcgen::{DistinguishedName, DnType, DnValue, string::PrintableString};
use serde::{Deserialize, Serialize};

use super::Role;

/// The subject names in the certificates. Nothing else depends on it. The root is named INSECURE in
/// either case, so that nobody takes it for Intel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectNames {
    /// Unmistakable names: "INSECURE Software SGX Root CA" and so on.
    Software,
    /// Intel's names below the root, for verifiers that compare those whole.
    Intel,
}

impl SubjectNames {
    /// The subject name of this role.
    pub(crate) fn of(self, role: Role) -> Result<DistinguishedName, rcgen::Error> {
        let phrase = role.phrase();
        let mut name = DistinguishedName::new();
        match (self, role) {
            (Self::Software, _) | (Self::Intel, Role::Root) => {
                name.push(DnType::CommonName, format!("INSECURE Software {phrase}"));
                if self == Self::Intel {
                    name.push(DnType::OrganizationalUnitName, "what is below has Intel's names");
                }
                name.push(DnType::OrganizationName, "sgx-quote-helper software platform");
            }
            (Self::Intel, _) => {
                name.push(DnType::CommonName, format!("Intel {phrase}"));
                name.push(DnType::OrganizationName, "Intel Corporation");
                name.push(DnType::LocalityName, "Santa Clara");
                name.push(DnType::StateOrProvinceName, "CA");
                let country = PrintableString::from_str("US")?;
                name.push(DnType::CountryName, DnValue::PrintableString(country));
            }
        }
        Ok(name)
    }
}
