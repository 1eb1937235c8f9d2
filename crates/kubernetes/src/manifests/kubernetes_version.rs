//! Versions of Kubernetes.

use std::str::FromStr;

/// A minor release of Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KubernetesVersion {
    /// 1 of 1.33.
    pub major: u16,
    /// 33 of 1.33.
    pub minor: u16,
}

/// Text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a version of Kubernetes; write for instance 1.33")]
pub struct KubernetesVersionError(String);

impl KubernetesVersion {
    /// DaemonSets can start a new pod before the old one ends.
    pub(super) fn has_daemon_set_surge(self) -> bool {
        self >= Self { major: 1, minor: 22 }
    }

    /// ClusterTrustBundles have the version v1, and are on by default.
    pub(super) fn has_cluster_trust_bundles(self) -> bool {
        self >= Self { major: 1, minor: 37 }
    }

    /// Mutating admission policies have the version v1, and are on by default.
    pub(super) fn has_mutating_policies(self) -> bool {
        self >= Self { major: 1, minor: 36 }
    }

    /// Kubelets report the health of devices in the status of pods, by default.
    pub(super) fn reports_device_health(self) -> bool {
        self >= Self { major: 1, minor: 36 }
    }

    /// Webhooks have conditions in CEL.
    pub(super) fn has_match_conditions(self) -> bool {
        self >= Self { major: 1, minor: 28 }
    }

    /// Disruption budgets have the version v1.
    pub(super) fn has_disruption_budgets(self) -> bool {
        self >= Self { major: 1, minor: 21 }
    }
}

impl Default for KubernetesVersion {
    /// The oldest version with admission policies.
    fn default() -> Self {
        Self { major: 1, minor: 36 }
    }
}

impl FromStr for KubernetesVersion {
    type Err = KubernetesVersionError;

    /// Parses `1.33`, `v1.33.2` and provider versions such as `1.33+`.
    fn from_str(text: &str) -> Result<Self, KubernetesVersionError> {
        let mut numbers = text.trim_start_matches('v').split('.').map(|number| {
            let end = number.find(|digit: char| !digit.is_ascii_digit());
            number.get(..end.unwrap_or(number.len()))?.parse().ok()
        });
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(major), Some(minor)) => Ok(Self { major, minor }),
            _ => Err(KubernetesVersionError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::KubernetesVersion;

    #[test]
    fn versions_are_parsed() {
        for (text, minor) in [("1.20", 20), ("v1.33.2", 33), ("1.29+", 29), ("v1.30.1-gke.2", 30)] {
            assert_eq!(text.parse(), Ok(KubernetesVersion { major: 1, minor }), "{text}");
        }
        for text in ["", "1", "v", "one.two", "1.", ".20", "-1.20", "1.99999"] {
            assert!(text.parse::<KubernetesVersion>().is_err(), "{text}");
        }
    }
}
