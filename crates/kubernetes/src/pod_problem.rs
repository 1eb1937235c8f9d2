//! The reason why a pod is not ready, and a fix.

mod cause;

use std::fmt;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::ResourceExt;

use self::cause::Cause;

/// The approximate maximum length of quoted text in characters: a probe's output may be long.
const BRIEF: usize = 160;
/// The mark of a failure in the output of `quote-helper check`, the quote service's readiness
/// probe.
const FAILED: char = '✗';

/// A pod that is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodProblem {
    /// Its name.
    pub pod: String,
    /// Its node, if it has one.
    pub node: Option<String>,
    /// The reason, in one line.
    pub reason: String,
    /// The fix.
    pub fix: String,
    /// True if it usually resolves itself: the pod is new or terminating.
    is_transient: bool,
}

/// For instance `sgx-plugin-x7f on node-2: ErrImagePull: not found`.
impl fmt::Display for PodProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reason, fix) = (printable::line(&self.reason), printable::line(&self.fix));
        write!(f, "{}: {reason}\n      -> {fix}", self.place())
    }
}

impl PodProblem {
    /// The problem of this pod, or `None` if it is ready. `events` are those of the pod; outdated
    /// ones are ignored.
    #[must_use]
    pub fn of(pod: &Pod, events: &[Event]) -> Option<Self> {
        if is_ready(pod) {
            return None;
        }
        let cause = Cause::of(pod);
        let event = cause.latest(events);
        let reason = match &event {
            Some(event) => format!("{cause}; {event}"),
            None => cause.to_string(),
        };
        Some(Self {
            pod: pod.name_any(),
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            reason: one_line(&reason),
            fix: cause.fix(pod),
            is_transient: cause.is_transient() && event.is_none(),
        })
    }

    pub(crate) fn is_transient(&self) -> bool {
        self.is_transient
    }

    /// The pod and its node.
    pub(crate) fn place(&self) -> String {
        match &self.node {
            Some(node) => format!("{} on {node}", self.pod),
            None => self.pod.clone(),
        }
    }
}

/// Joins the lines and cuts the text. Lines before the first failure are dropped, except the first.
pub(crate) fn one_line(text: &str) -> String {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let rest = rest.find(FAILED).and_then(|at| rest.get(at..)).unwrap_or(rest);
    let words: Vec<_> = first.split_whitespace().chain(rest.split_whitespace()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(BRIEF) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// True if the pod is ready.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|it| it.type_ == "Ready" && it.status == "True")
}

#[cfg(test)]
mod tests;
