//! Tolerations of taints on SGX nodes.

use k8s_openapi::api::core::v1::{PodSpec, Toleration};

use super::container;
use crate::device_plugin::ResourceProfile;

const NO_SCHEDULE: &str = "NoSchedule";
const EXISTS: &str = "Exists";

/// Tolerates taints that are named after the EPC resource that the pod requests.
pub(crate) fn tolerate(spec: &mut PodSpec) {
    for profile in ResourceProfile::ALL {
        let key = profile.epc_resource();
        let asks = container::all(spec).any(|it| container::has_epc_of(it, profile));
        if asks && !spec.tolerations.iter().flatten().any(|other| covers(other, key)) {
            spec.tolerations.get_or_insert_default().push(Toleration {
                key: Some(key.to_owned()),
                operator: Some(EXISTS.to_owned()),
                effect: Some(NO_SCHEDULE.to_owned()),
                ..Toleration::default()
            });
        }
    }
}

/// True if a toleration covers every NoSchedule taint with this key. Without a key it covers all
/// taints, without an effect all effects.
fn covers(toleration: &Toleration, key: &str) -> bool {
    let is_for = |field: &Option<String>, value| {
        field.as_deref().is_none_or(|field| field.is_empty() || field == value)
    };
    toleration.operator.as_deref() == Some(EXISTS)
        && is_for(&toleration.key, key)
        && is_for(&toleration.effect, NO_SCHEDULE)
}
