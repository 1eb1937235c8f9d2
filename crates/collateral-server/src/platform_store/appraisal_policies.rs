//! The default appraisal policy of each kind of platform.

use redb::{ReadableDatabase, ReadableTable};

use super::tables::DEFAULT_POLICIES;
use super::{PlatformStore, StoreError};

impl PlatformStore {
    /// The default policy of this kind of platform, a JWT.
    pub(crate) fn default_policy(&self, fmspc: [u8; 6]) -> Result<Option<String>, StoreError> {
        self.file.run(|database| {
            let policies = database.begin_read()?.open_table(DEFAULT_POLICIES)?;
            Ok(policies.get(&fmspc)?.map(|policy| policy.value().to_owned()))
        })
    }

    /// Makes a policy the default one of this kind of platform.
    pub(crate) fn set_default_policy(
        &self,
        fmspc: [u8; 6],
        policy: &str,
    ) -> Result<(), StoreError> {
        self.file.run(|database| {
            let write = database.begin_write()?;
            write.open_table(DEFAULT_POLICIES)?.insert(&fmspc, policy)?;
            Ok(write.commit()?)
        })
    }

    /// Forgets the default policy of this kind of platform, if it is this one.
    pub(crate) fn unset_default_policy(
        &self,
        fmspc: [u8; 6],
        policy: &str,
    ) -> Result<(), StoreError> {
        self.file.run(|database| {
            let write = database.begin_write()?;
            {
                let mut policies = write.open_table(DEFAULT_POLICIES)?;
                let is_it = policies.get(&fmspc)?.is_some_and(|kept| kept.value() == policy);
                if is_it {
                    policies.remove(&fmspc)?;
                }
            }
            Ok(write.commit()?)
        })
    }
}
