//! Whether the plugin does its work, and if not, why.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::{info, warn};

/// What must go well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Component {
    /// The kubelet has taken all registrations, and listens.
    Kubelet,
    /// The node's status has the resources that stand there.
    NodeStatus,
    /// The description of devices is written.
    Cdi,
}

/// What does not go well at the moment. Clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<Component, String>>>);

impl Readiness {
    /// What keeps the plugin from its work, in words; nothing if it is ready.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let problems = self.0.lock();
        problems.iter().map(|(component, problem)| format!("{component}: {problem}")).collect()
    }

    /// All is well with this component. The log hears of it once.
    pub(crate) fn ready(&self, component: Component) {
        if self.0.lock().remove(&component).is_some() {
            info!("{component}: ready");
        }
    }

    /// All is not well with this component. The log hears of each problem once.
    pub(crate) fn not_ready(&self, component: Component, problem: impl fmt::Display) {
        let problem = problem.to_string();
        let mut problems = self.0.lock();
        if problems.get(&component) != Some(&problem) {
            warn!("{component}: {problem}");
            problems.insert(component, problem);
        }
    }

    /// This component has yet to become ready.
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
