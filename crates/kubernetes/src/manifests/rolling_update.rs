//! Updates without interruption: the new pod is ready before the old one ends.

use k8s_openapi::api::apps::v1::{
    DaemonSetUpdateStrategy, DeploymentStrategy, RollingUpdateDaemonSet, RollingUpdateDeployment,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::KubernetesVersion;

/// The strategy of a DaemonSet. `unavailable` is the limit of nodes without a pod on versions on
/// which DaemonSets cannot surge.
pub(super) fn of_daemon_set(
    version: KubernetesVersion,
    unavailable: IntOrString,
) -> DaemonSetUpdateStrategy {
    let rolling_update = match version.has_daemon_set_surge() {
        true => RollingUpdateDaemonSet {
            max_surge: Some(IntOrString::Int(1)),
            max_unavailable: Some(IntOrString::Int(0)),
        },
        false => RollingUpdateDaemonSet { max_surge: None, max_unavailable: Some(unavailable) },
    };
    DaemonSetUpdateStrategy {
        rolling_update: Some(rolling_update),
        type_: Some("RollingUpdate".to_owned()),
    }
}

/// The strategy of a Deployment whose pods can run beside each other.
pub(super) fn of_deployment() -> DeploymentStrategy {
    DeploymentStrategy {
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: Some(IntOrString::Int(1)),
            max_unavailable: Some(IntOrString::Int(0)),
        }),
        type_: Some("RollingUpdate".to_owned()),
    }
}
