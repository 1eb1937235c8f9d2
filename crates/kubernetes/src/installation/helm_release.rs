//! A release of the Helm chart.

use std::fmt;

/// A release, for messages.
#[derive(Debug)]
pub struct HelmRelease {
    /// Its name.
    pub(super) name: String,
    /// Its namespace.
    pub(super) namespace: String,
}

/// For instance `sgx-quote-helper in the namespace sgx`.
impl fmt::Display for HelmRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [name, namespace] = [&self.name, &self.namespace].map(|it| printable::line(it));
        write!(f, "{name} in the namespace {namespace}")
    }
}
