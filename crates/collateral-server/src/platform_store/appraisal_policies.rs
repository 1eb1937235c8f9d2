//! Appraisal policies, by kind of platform.

use redb::ReadableDatabase;
use redb::ReadableTable;

use super::tables::APPRAISAL_POLICIES;
use super::{PlatformStore, StoreError};

/// An appraisal policy for platforms of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppraisalPolicy {
    pub(crate) fmspc: [u8; 6],
    /// SHA-384 of the text, in hexadecimal.
    pub(crate) id: String,
    /// Whether verifiers get it, in place of the default before.
    pub(crate) is_default: bool,
    /// The JWT.
    pub(crate) text: String,
}

impl PlatformStore {
    /// Keeps a policy. At most one of a kind of platform is the default.
    pub(crate) fn put_policy(&self, policy: &AppraisalPolicy) -> Result<(), StoreError> {
        let AppraisalPolicy { fmspc, id, is_default, text } = policy;
        self.file.run(|database| {
            let write = database.begin_write()?;
            {
                let mut table = write.open_table(APPRAISAL_POLICIES)?;
                if *is_default {
                    let mut others = Vec::new();
                    for entry in table.range((fmspc, "")..)? {
                        let (key, value) = entry?;
                        let ((of, id), (is_default, text)) = (key.value(), value.value());
                        if of != fmspc {
                            break;
                        }
                        if is_default {
                            others.push((id.to_owned(), text.to_owned()));
                        }
                    }
                    for (id, text) in others {
                        table.insert((fmspc, id.as_str()), (false, text.as_str()))?;
                    }
                }
                table.insert((fmspc, id.as_str()), (*is_default, text.as_str()))?;
            }
            Ok(write.commit()?)
        })
    }

    /// The default policy of this kind of platform.
    pub(crate) fn default_policy(&self, fmspc: [u8; 6]) -> Result<Option<String>, StoreError> {
        self.file.run(|database| {
            let table = database.begin_read()?.open_table(APPRAISAL_POLICIES)?;
            for entry in table.range((&fmspc, "")..)? {
                let (key, value) = entry?;
                if key.value().0 != &fmspc {
                    break;
                }
                let (is_default, text) = value.value();
                if is_default {
                    return Ok(Some(text.to_owned()));
                }
            }
            Ok(None)
        })
    }
}
