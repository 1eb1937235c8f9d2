//! The readiness of the plugin's components.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::{info, warn};

/// A component that must be ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Component {
    /// The kubelet accepts all registrations and watches the devices.
    Kubelet,
    /// The node's status has its resources.
    NodeStatus,
    /// The CDI specification is written.
    Cdi,
}

/// The current problems. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<Component, String>>>);

impl Readiness {
    /// The problems as text; empty if the plugin is ready.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let problems = self.0.lock();
        problems.iter().map(|(component, problem)| format!("{component}: {problem}")).collect()
    }

    /// Marks a component ready. The change is logged.
    pub(crate) fn ready(&self, component: Component) {
        if self.0.lock().remove(&component).is_some() {
            info!("{component}: ready");
        }
    }

    /// Records a component's problem. Each new problem is logged.
    pub(crate) fn not_ready(&self, component: Component, problem: impl fmt::Display) {
        let problem = problem.to_string();
        let mut problems = self.0.lock();
        if problems.get(&component) != Some(&problem) {
            warn!("{component}: {problem}");
            problems.insert(component, problem);
        }
    }

    /// Marks a component not ready yet.
    pub(crate) fn expect(&self, component: Component) {
        let mut problems = self.0.lock();
        problems.insert(component, "not yet".to_owned());
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kubelet => "kubelet",
            Self::NodeStatus => "node status",
            Self::Cdi => "CDI",
        })
    }
}
