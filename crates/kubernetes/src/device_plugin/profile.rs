//! The resource names of enclave memory, and its division among them.

use std::fmt;
use std::str::FromStr;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

use super::epc::Epc;

const MIB: u64 = 1 << 20;

/// Access to `/dev/sgx_enclave`, for EPC that is counted in the node's status.
pub const ENCLAVE_RESOURCE: &str = "sgx.intel.com/enclave";
/// Access to `/dev/sgx_provision`, for the quote service.
pub const PROVISION_RESOURCE: &str = "sgx.intel.com/provision";

/// A family of resource names that existing pods use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceProfile {
    /// `kubernetes.azure.com/sgx_epc_mem_in_MiB`, as on AKS.
    Azure,
    /// `sgx.intel.com/epc`, in bytes, with `sgx.intel.com/enclave` for the device.
    Intel,
    /// `alibabacloud.com/sgx_epc_MiB`, as on ACK.
    Aliyun,
}

impl ResourceProfile {
    /// All profiles.
    pub const ALL: [Self; 3] = [Self::Azure, Self::Intel, Self::Aliyun];

    /// The resource of enclave memory.
    #[must_use]
    pub fn epc_resource(self) -> &'static str {
        match self {
            Self::Azure => "kubernetes.azure.com/sgx_epc_mem_in_MiB",
            Self::Intel => "sgx.intel.com/epc",
            Self::Aliyun => "alibabacloud.com/sgx_epc_MiB",
        }
    }

    /// The size of one unit of that resource, in bytes.
    #[must_use]
    pub fn unit(self) -> u64 {
        match self {
            Self::Azure | Self::Aliyun => MIB,
            Self::Intel => 1,
        }
    }

    /// The name on the command line.
    fn name(self) -> &'static str {
        match self {
            Self::Azure => "azure",
            Self::Intel => "intel",
            Self::Aliyun => "aliyun",
        }
    }

    /// The resources of enclave memory of all profiles.
    pub(crate) fn epc_resources() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::epc_resource)
    }
}

/// The division of enclave memory among profiles. Each byte belongs to one profile: the scheduler
/// counts resources independently, and would allocate shared bytes twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shares(Vec<Share>);

/// One profile's share: a number of bytes, or the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share {
    profile: ResourceProfile,
    size: Option<u64>,
}

/// An invalid division of enclave memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SharesError {
    /// There is no such profile.
    #[error("unknown resource profile {0:?}; expected azure, intel or aliyun")]
    UnknownProfile(String),
    /// The size after the profile is invalid.
    #[error("{0:?} is not a size; write for instance azure=8GiB")]
    NotASize(String),
    /// A profile has more than one share.
    #[error("{} has two shares; give it one", .0.name())]
    Twice(ResourceProfile),
    /// More than one profile would get the rest.
    #[error(
        "{} and {} would both get the rest; give all but one a size, for instance \
         {}=8GiB", .0.name(), .1.name(), .0.name()
    )]
    SeveralRests(ResourceProfile, ResourceProfile),
}

impl FromStr for Shares {
    type Err = SharesError;

    /// Parses `PROFILE` or `PROFILE=SIZE`, separated by commas; at most one may lack the size.
    fn from_str(text: &str) -> Result<Self, SharesError> {
        let mut shares = Vec::<Share>::new();
        for share in text.split(',') {
            let share = share.parse::<Share>()?;
            if shares.iter().any(|other| other.profile == share.profile) {
                return Err(SharesError::Twice(share.profile));
            }
            let rest = shares.iter().find(|other| other.size.is_none() && share.size.is_none());
            if let Some(rest) = rest {
                return Err(SharesError::SeveralRests(rest.profile, share.profile));
            }
            shares.push(share);
        }
        Ok(Self(shares))
    }
}

impl FromStr for Share {
    type Err = SharesError;

    fn from_str(text: &str) -> Result<Self, SharesError> {
        let (name, size) = match text.split_once('=') {
            Some((name, size)) => (name, Some(size)),
            None => (text, None),
        };
        let mut profiles = ResourceProfile::ALL.into_iter();
        let profile = profiles.find(|profile| profile.name() == name);
        let profile = profile.ok_or_else(|| SharesError::UnknownProfile(name.to_owned()))?;
        let size = size.map(|size| match size.parse::<ByteSize>() {
            Ok(size) => Ok(size.as_u64()),
            Err(_) => Err(SharesError::NotASize(size.to_owned())),
        });
        Ok(Self { profile, size: size.transpose()? })
    }
}

impl TryFrom<String> for Shares {
    type Error = SharesError;

    fn try_from(text: String) -> Result<Self, SharesError> {
        text.parse()
    }
}

impl From<Shares> for String {
    fn from(shares: Shares) -> Self {
        shares.to_string()
    }
}

impl From<ResourceProfile> for Shares {
    /// All of the EPC for one profile.
    fn from(profile: ResourceProfile) -> Self {
        Self(vec![Share { profile, size: None }])
    }
}

impl fmt::Display for Shares {
    /// As parsed, with sizes in bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares = self.0.iter().map(|Share { profile, size }| match size {
            Some(size) => format!("{}={size}", profile.name()),
            None => profile.name().to_owned(),
        });
        f.write_str(&shares.collect::<Vec<_>>().join(","))
    }
}

impl Shares {
    /// The first profile.
    pub(crate) fn first(&self) -> ResourceProfile {
        // Parsing yields at least one.
        self.profiles().next().unwrap_or(ResourceProfile::Azure)
    }

    pub(crate) fn profiles(&self) -> impl Iterator<Item = ResourceProfile> {
        self.0.iter().map(|share| share.profile)
    }

    /// Divides the memory: first the shares with a size, in their order, then the rest.
    pub(crate) fn divide(&self, mut epc: Epc) -> Vec<(ResourceProfile, Epc)> {
        let sized = self.0.iter().filter_map(|share| Some((share.profile, share.size?)));
        let mut divided: Vec<_> = sized.map(|(profile, size)| (profile, epc.take(size))).collect();
        let rest = self.0.iter().find(|share| share.size.is_none());
        divided.extend(rest.map(|share| (share.profile, epc)));
        divided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn divided(text: &str, size: u64) -> Vec<(ResourceProfile, u64)> {
        let shares = text.parse::<Shares>().unwrap();
        let divided = shares.divide(Epc::of_size(size));
        divided.into_iter().map(|(profile, epc)| (profile, epc.total())).collect()
    }

    #[test]
    fn a_single_profile_gets_everything() {
        assert_eq!(divided("azure", 8 * GIB), [(ResourceProfile::Azure, 8 * GIB)]);
    }

    #[test]
    fn shares_do_not_overlap() {
        let of_both = divided("intel,azure=6GiB", 8 * GIB);
        let expected = [(ResourceProfile::Azure, 6 * GIB), (ResourceProfile::Intel, 2 * GIB)];
        assert_eq!(of_both, expected);
        for size in [0, GIB, 7 * GIB, 8 * GIB, 100 * GIB, u64::MAX] {
            let all = divided("azure=6GiB,aliyun=2Gi,intel", size);
            assert_eq!(all.iter().map(|(_, size)| size).sum::<u64>(), size);
            let some = divided("azure=6GiB,aliyun=2GiB", size);
            assert!(some.iter().map(|(_, size)| size).sum::<u64>() <= size);
        }
    }

    #[test]
    fn shares_are_displayed_as_they_are_parsed() {
        for text in ["azure", "azure=8589934592,intel", "aliyun=1048576"] {
            assert_eq!(text.parse::<Shares>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn ambiguous_shares_are_refused() {
        use ResourceProfile::{Aliyun, Azure, Intel};
        for (text, error) in [
            ("azure,intel", SharesError::SeveralRests(Azure, Intel)),
            ("aliyun,azure=1GiB,intel", SharesError::SeveralRests(Aliyun, Intel)),
            ("azure=1GiB,azure", SharesError::Twice(Azure)),
            ("", SharesError::UnknownProfile(String::new())),
            ("azure,", SharesError::UnknownProfile(String::new())),
            ("amazon", SharesError::UnknownProfile("amazon".to_owned())),
            ("azure=", SharesError::NotASize(String::new())),
            ("azure=much", SharesError::NotASize("much".to_owned())),
            ("azure=-1GiB", SharesError::NotASize("-1GiB".to_owned())),
        ] {
            assert_eq!(text.parse::<Shares>(), Err(error), "{text:?}");
        }
    }
}
