//! Why a pod is not ready.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodStatus};

use super::facts::name;

/// What keeps a pod from being ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) detail: String,
    pub(crate) fix: String,
}

/// Why the pod is not ready; `None` if it is.
pub(crate) fn reason(pod: &Pod) -> Option<Reason> {
    let status = pod.status.as_ref();
    if status.is_some_and(|status| condition(status, "Ready").is_some_and(|(is, _)| is)) {
        return None;
    }
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let kubectl =
        |command: &str| format!("`kubectl -n {namespace} {command} {}`", name(&pod.metadata));
    if pod.metadata.deletion_timestamp.is_some() {
        return Some(Reason {
            detail: "it is being deleted".to_owned(),
            fix: kubectl("describe pod"),
        });
    }
    let (detail, fix) = status
        .and_then(|status| unscheduled(status).or_else(|| of_containers(status)))
        .or_else(|| status.and_then(whole))
        .unwrap_or_else(|| ("nothing is known of it yet".to_owned(), Fix::Describe));
    let fix = match fix {
        Fix::Describe => format!("{} tells more", kubectl("describe pod")),
        Fix::Log => format!("see its log: {}", kubectl("logs")),
        Fix::EarlierLog => {
            format!("see the log of its last run: {}", kubectl("logs --all-containers --previous"))
        }
        Fix::Image => {
            "see that the image is there by that name and that nodes may get it: `quote-helper \
                       upgrade --image NAME`"
                .to_owned()
        }
        Fix::Nodes => {
            "free what the scheduler misses, such as EPC (see `nodes` above), or add nodes"
                .to_owned()
        }
    };
    Some(Reason { detail, fix })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fix {
    Describe,
    Log,
    EarlierLog,
    Image,
    Nodes,
}

/// Whether the condition is so, and what is said of it.
fn condition<'a>(status: &'a PodStatus, name: &str) -> Option<(bool, &'a str)> {
    let condition = status.conditions.iter().flatten().find(|it| it.type_ == name)?;
    Some((condition.status == "True", condition.message.as_deref().unwrap_or_default()))
}

fn unscheduled(status: &PodStatus) -> Option<(String, Fix)> {
    match condition(status, "PodScheduled") {
        Some((false, message)) => Some((format!("no node takes it: {message}"), Fix::Nodes)),
        _ => None,
    }
}

/// The first of its containers that does not run, else the first that is not ready.
fn of_containers(status: &PodStatus) -> Option<(String, Fix)> {
    let containers = || {
        let init = status.init_container_statuses.iter().flatten();
        init.chain(status.container_statuses.iter().flatten())
    };
    let runs = status.container_statuses.iter().flatten();
    containers().find_map(stopped).or_else(|| runs.into_iter().find_map(probed))
}

fn stopped(container: &ContainerStatus) -> Option<(String, Fix)> {
    let (name, state) = (&container.name, container.state.as_ref()?);
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or("waiting");
        let message = waiting.message.as_deref().unwrap_or_default();
        let fix = match reason {
            "CrashLoopBackOff" => Fix::EarlierLog,
            "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
                Fix::Image
            }
            // It waits for the one that is named here already.
            "PodInitializing" => return None,
            _ => Fix::Describe,
        };
        return Some((said(&format!("container {name}: {reason}"), message), fix));
    }
    let terminated = state.terminated.as_ref().filter(|it| it.exit_code != 0)?;
    let reason = terminated.reason.as_deref().unwrap_or("ended");
    let message = terminated.message.as_deref().unwrap_or_default();
    let ended = format!("container {name}: {reason}, exit code {}", terminated.exit_code);
    Some((said(&ended, message), Fix::Log))
}

/// A container that runs and is not ready.
fn probed(container: &ContainerStatus) -> Option<(String, Fix)> {
    container.state.as_ref()?.running.as_ref()?;
    let name = &container.name;
    Some((format!("container {name} runs, and its readiness probe does not succeed"), Fix::Log))
}

/// What is said of the pod as a whole, as after an eviction.
fn whole(status: &PodStatus) -> Option<(String, Fix)> {
    let said_of_it = said(
        status.reason.as_deref().or(status.phase.as_deref())?,
        status.message.as_deref().unwrap_or_default(),
    );
    Some((said_of_it, Fix::Describe))
}

fn said(what: &str, message: &str) -> String {
    if message.is_empty() { what.to_owned() } else { format!("{what}: {message}") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::recorded::{pod, typed};
    use super::*;

    fn unready(status: &Value) -> Reason {
        let mut pod = pod("p", "pod-1", "n1");
        pod.status = Some(typed(status.clone()));
        reason(&pod).unwrap()
    }

    fn container(state: &Value) -> Value {
        json!([{
            "name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 3, "state": state,
        }])
    }

    #[test]
    fn each_reason_is_said_with_what_to_do() {
        let waiting = |reason: &str| {
            let state = json!({ "waiting": { "reason": reason, "message": "the message" } });
            json!({ "containerStatuses": container(&state) })
        };
        let init = json!({
            "initContainerStatuses":
                container(&json!({ "terminated": { "exitCode": 2, "reason": "Error" } })),
            "containerStatuses": container(&json!({ "waiting": { "reason": "PodInitializing" } })),
        });
        let unscheduled = json!({ "conditions": [
            { "type": "PodScheduled", "status": "False", "message": "Insufficient EPC" },
        ] });
        let evicted = json!({ "phase": "Failed", "reason": "Evicted", "message": "disk" });
        for (status, detail, fix) in [
            (waiting("CrashLoopBackOff"), "CrashLoopBackOff: the message", "--previous pod-1"),
            (waiting("ErrImagePull"), "ErrImagePull", "upgrade --image"),
            (waiting("CreateContainerError"), "the message", "describe pod pod-1"),
            (init, "container main: Error, exit code 2", "logs pod-1"),
            (unscheduled, "Insufficient EPC", "EPC"),
            (evicted, "Evicted: disk", "describe pod"),
            (json!({ "phase": "Pending" }), "Pending", "describe pod"),
            (json!({}), "nothing is known", "describe pod"),
        ] {
            let reason = unready(&status);
            assert!(reason.detail.contains(detail), "{reason:?}");
            assert!(reason.fix.contains(fix), "{reason:?}");
        }
    }

    #[test]
    fn a_ready_pod_has_no_reason() {
        assert_eq!(reason(&pod("p", "pod-1", "n1")), None);
    }
}
