//! CPU and memory of the components.

use k8s_openapi::api::core::v1::ResourceRequirements;

use super::pod::resources;
use super::{AddOn, Component, ComputeResources, Quantities};
use crate::injection::quantity;

/// A request above the limit of the same component, which the API server would reject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{component} would request {resource}={request}, more than its limit of {limit}: set both with \
     --requests {component}={resource}=… and --limits {component}={resource}=…"
)]
pub struct RequestAboveLimit {
    component: Component,
    resource: String,
    request: String,
    limit: String,
}

impl AddOn {
    /// CPU and memory of the component: the chosen amounts, else the defaults.
    #[must_use]
    pub fn compute_resources(&self, component: Component) -> ComputeResources {
        let chosen = self.resources.get(&component).cloned().unwrap_or_default();
        let default = defaults(component);
        ComputeResources {
            requests: chosen.requests.or(default.requests),
            limits: chosen.limits.or(default.limits),
        }
    }

    /// Checks that no component requests more than its limit.
    ///
    /// # Errors
    /// The first one that does.
    pub fn check_compute_resources(&self) -> Result<(), RequestAboveLimit> {
        for component in Component::ALL {
            let ComputeResources { requests, limits } = self.compute_resources(component);
            for (resource, request) in requests.pairs() {
                let limit = limits.pairs().find(|(limited, _)| *limited == resource);
                let Some((_, limit)) = limit else { continue };
                if quantity::parse_milli(request) > quantity::parse_milli(limit) {
                    return Err(RequestAboveLimit {
                        component,
                        resource: resource.to_owned(),
                        request: request.to_owned(),
                        limit: limit.to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Requests and limits of the component's container, with further limits.
    pub(super) fn requirements(
        &self,
        component: Component,
        limits: &[(&str, &str)],
    ) -> ResourceRequirements {
        let chosen = self.compute_resources(component);
        let requested: Vec<_> = chosen.requests.pairs().collect();
        let limited: Vec<_> = chosen.limits.pairs().chain(limits.iter().copied()).collect();
        resources(&requested, &limited)
    }
}

fn defaults(component: Component) -> ComputeResources {
    let (cpu, memory, limit) = match component {
        Component::DevicePlugin => ("5m", "32Mi", "128Mi"),
        Component::QuoteService | Component::Pccs => ("10m", "64Mi", "512Mi"),
        Component::Webhook => ("10m", "32Mi", "128Mi"),
    };
    ComputeResources {
        requests: Quantities { cpu: Some(cpu.to_owned()), memory: Some(memory.to_owned()) },
        limits: Quantities { cpu: None, memory: Some(limit.to_owned()) },
    }
}
