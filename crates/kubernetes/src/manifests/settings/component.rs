//! The components, and their CPU and memory.

use serde::{Deserialize, Serialize};

use super::named::by_name;

/// A component that runs pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// The device plugin.
    DevicePlugin,
    /// The quote service.
    QuoteService,
    /// The cluster's PCCS.
    Pccs,
    /// The admission webhook.
    Webhook,
}

/// CPU and memory of a component's container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ComputeResources {
    /// The amounts that its node reserves.
    pub requests: Quantities,
    /// The amounts that it cannot exceed.
    pub limits: Quantities,
}

/// Amounts of CPU and memory, in the notation of Kubernetes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quantities {
    /// CPUs, such as `50m`.
    pub cpu: Option<String>,
    /// Bytes of memory, such as `64Mi`.
    pub memory: Option<String>,
}

impl Component {
    /// All values.
    pub const ALL: [Self; 4] = [Self::DevicePlugin, Self::QuoteService, Self::Pccs, Self::Webhook];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DevicePlugin => "device-plugin",
            Self::QuoteService => "quote-service",
            Self::Pccs => "pccs",
            Self::Webhook => "webhook",
        }
    }
}

by_name!(Component);

impl Quantities {
    /// These amounts, with `others` for those that are not given.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self { cpu: self.cpu.or(others.cpu), memory: self.memory.or(others.memory) }
    }

    /// The given amounts, each with its resource.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let amounts = [("cpu", self.cpu.as_deref()), ("memory", self.memory.as_deref())];
        amounts.into_iter().filter_map(|(resource, amount)| Some((resource, amount?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_the_command_line_and_in_the_settings() {
        for component in Component::ALL {
            assert_eq!(component.to_string().parse(), Ok(component));
            assert_eq!(serde_json::to_value(component).unwrap(), component.name());
        }
    }
}
