//! The progress of a DaemonSet or a Deployment.

use std::fmt;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

/// The number of its pods by state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rollout {
    /// The number of pods; `None` if not known yet.
    desired: Option<i32>,
    updated: i32,
    ready: i32,
    /// Ready for long enough.
    available: i32,
    /// Old pods that still exist.
    old: i32,
    /// The reason why pods cannot be created.
    refusal: Option<String>,
    /// The selector of its pods.
    pub(super) selector: String,
}

impl Rollout {
    pub(super) fn of_daemon_set(daemon_set: &DaemonSet) -> Self {
        let spec = daemon_set.spec.as_ref();
        let selector = spec.map(|spec| selector(&spec.selector)).unwrap_or_default();
        let status = daemon_set.status.clone().unwrap_or_default();
        let is_seen = is_seen(&daemon_set.metadata, status.observed_generation);
        Self {
            desired: is_seen.then_some(status.desired_number_scheduled),
            updated: status.updated_number_scheduled.unwrap_or(0),
            ready: status.number_ready,
            available: status.number_available.unwrap_or(0),
            old: 0,
            refusal: None,
            selector,
        }
    }

    pub(super) fn of_deployment(deployment: &Deployment) -> Self {
        let spec = deployment.spec.clone().unwrap_or_default();
        let status = deployment.status.clone().unwrap_or_default();
        let is_seen = is_seen(&deployment.metadata, status.observed_generation);
        let updated = status.updated_replicas.unwrap_or(0);
        let mut conditions = status.conditions.iter().flatten();
        let failure = conditions.find(|it| it.type_ == "ReplicaFailure" && it.status == "True");
        Self {
            desired: is_seen.then_some(spec.replicas.unwrap_or(1)),
            updated,
            ready: status.ready_replicas.unwrap_or(0),
            available: status.available_replicas.unwrap_or(0),
            old: status.replicas.unwrap_or(0).saturating_sub(updated),
            refusal: failure.and_then(|failure| failure.message.clone()),
            selector: selector(&spec.selector),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.desired.is_some_and(|desired| {
            self.updated >= desired
                && self.ready >= desired
                && self.available >= desired
                && self.old <= 0
        })
    }
}

/// For instance `1 of 3 pods ready`.
impl fmt::Display for Rollout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(desired) = self.desired else {
            return write!(f, "not processed by Kubernetes yet");
        };
        match desired {
            0 => return write!(f, "no pods, since no node matches"),
            1 => write!(f, "{} of 1 pod ready", self.ready)?,
            _ => write!(f, "{} of {desired} pods ready", self.ready)?,
        }
        if self.updated < desired {
            write!(f, ", {} up to date", self.updated)?;
        } else if self.old > 0 {
            write!(f, ", {} old still running", self.old)?;
        } else if self.ready >= desired && self.available < desired {
            write!(f, ", {} available", self.available)?;
        }
        match &self.refusal {
            Some(refusal) => write!(f, "; pods cannot be created: {refusal}"),
            None => Ok(()),
        }
    }
}

/// True if the status is about the current specification.
fn is_seen(metadata: &ObjectMeta, observed: Option<i64>) -> bool {
    observed.is_some_and(|observed| observed >= metadata.generation.unwrap_or(0))
}

fn selector(selector: &LabelSelector) -> String {
    let labels = selector.match_labels.iter().flatten();
    labels.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn daemon_set(generation: i64, status: &Value) -> Rollout {
        let object = json!({ "metadata": { "generation": generation }, "status": status });
        Rollout::of_daemon_set(&serde_json::from_value(object).unwrap())
    }

    fn deployment(status: &Value) -> Rollout {
        let selector = json!({ "matchLabels": { "a": "b", "c": "d" } });
        let spec = json!({ "replicas": 2, "selector": selector, "template": {} });
        let object = json!({ "metadata": { "generation": 1 }, "spec": spec, "status": status });
        Rollout::of_deployment(&serde_json::from_value(object).unwrap())
    }

    fn status(desired: i32, updated: i32, ready: i32, available: i32) -> Value {
        json!({
            "observedGeneration": 2, "currentNumberScheduled": desired, "numberMisscheduled": 0,
            "desiredNumberScheduled": desired, "updatedNumberScheduled": updated,
            "numberReady": ready, "numberAvailable": available,
        })
    }

    #[test]
    fn a_daemon_set_is_done_when_all_its_pods_are_new_ready_and_available() {
        assert!(daemon_set(2, &status(3, 3, 3, 3)).is_done());
        for status in [status(3, 2, 3, 3), status(3, 3, 2, 2), status(3, 3, 3, 2)] {
            assert!(!daemon_set(2, &status).is_done(), "{status}");
        }
    }

    #[test]
    fn a_status_of_an_older_generation_is_ignored() {
        let rollout = daemon_set(3, &status(3, 3, 3, 3));
        assert!(!rollout.is_done());
        assert_eq!(rollout.to_string(), "not processed by Kubernetes yet");
        let newborn = daemon_set(1, &json!(null));
        assert!(!newborn.is_done());
    }

    #[test]
    fn a_daemon_set_that_no_node_matches_is_done_and_says_so() {
        let rollout = daemon_set(2, &status(0, 0, 0, 0));
        assert!(rollout.is_done());
        assert!(rollout.to_string().contains("no node matches"));
    }

    #[test]
    fn a_deployment_is_done_when_its_old_pods_are_gone_too() {
        let status = json!({
            "observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
            "availableReplicas": 2,
        });
        assert!(deployment(&status).is_done());
        let mut with_old = status.clone();
        with_old["replicas"] = json!(3);
        assert!(!deployment(&with_old).is_done());
        assert_eq!(deployment(&with_old).to_string(), "2 of 2 pods ready, 1 old still running");
        let mut refused = status;
        refused["readyReplicas"] = json!(0);
        refused["conditions"] =
            json!([{ "type": "ReplicaFailure", "status": "True", "message": "exceeded quota" }]);
        let refused = deployment(&refused);
        assert!(!refused.is_done());
        assert_eq!(
            refused.to_string(),
            "0 of 2 pods ready; pods cannot be created: exceeded quota"
        );
        assert_eq!(refused.selector, "a=b,c=d");
    }

    #[test]
    fn progress_is_displayed_in_a_few_words() {
        for (status, text) in [
            (status(3, 3, 1, 1), "1 of 3 pods ready"),
            (status(1, 1, 0, 0), "0 of 1 pod ready"),
            (status(3, 1, 3, 3), "3 of 3 pods ready, 1 up to date"),
            (status(3, 3, 3, 1), "3 of 3 pods ready, 1 available"),
        ] {
            assert_eq!(daemon_set(2, &status).to_string(), text);
        }
    }
}
