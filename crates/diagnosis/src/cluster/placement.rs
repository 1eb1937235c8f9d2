//! The reason why a node does not accept a pod, by its labels and taints.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{
    Node, NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Taint, Toleration,
};

/// The fit of a pod to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placement {
    /// The node accepts them.
    Fits,
    /// The node lacks this label.
    LacksLabel { key: String, value: String },
    /// The node has this taint, as kubectl writes it, which they do not tolerate.
    Tainted(String),
    /// The node is closed to new pods.
    Cordoned,
}

/// The taint of a node that is closed to new pods.
const CORDONED: &str = "node.kubernetes.io/unschedulable:NoSchedule";

/// The fit of a DaemonSet's pods, which tolerate the taints of node conditions.
pub(crate) fn of(daemon_set: &DaemonSet, node: &Node) -> Placement {
    let pod = daemon_set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let Some(pod) = pod else { return Placement::Fits };
    by(pod, node, |taint| !taint.key.starts_with("node.kubernetes.io/"))
}

/// The fit of a pod.
pub(crate) fn of_pod(pod: &PodSpec, node: &Node) -> Placement {
    by(pod, node, |_| true)
}

/// The fit of a pod, of the taints with those that `count`.
fn by(pod: &PodSpec, node: &Node, counts: fn(&Taint) -> bool) -> Placement {
    let missing = selector_label(pod, node).or_else(|| affinity_label(pod, node));
    match (missing, taint(pod, node, counts)) {
        (Some((key, value)), _) => Placement::LacksLabel { key, value },
        (None, Some(taint)) if taint == CORDONED => Placement::Cordoned,
        (None, Some(taint)) => Placement::Tainted(taint),
        (None, None) => Placement::Fits,
    }
}

fn label<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.metadata.labels.as_ref()?.get(key).map(String::as_str)
}

/// The first label of the node selector that the node lacks.
fn selector_label(pod: &PodSpec, node: &Node) -> Option<(String, String)> {
    let mut wanted = pod.node_selector.iter().flatten();
    let missing = wanted.find(|(key, value)| label(node, key) != Some(value))?;
    Some((missing.0.clone(), missing.1.clone()))
}

/// A label that the first term requires, if the node matches no term.
fn affinity_label(pod: &PodSpec, node: &Node) -> Option<(String, String)> {
    let affinity = pod.affinity.as_ref()?.node_affinity.as_ref()?;
    let required = affinity.required_during_scheduling_ignored_during_execution.as_ref()?;
    let terms = &required.node_selector_terms;
    if terms.iter().any(|term| expressions(term).all(|it| is_met(it, node))) {
        return None;
    }
    let missing = expressions(terms.first()?).find(|it| !is_met(it, node))?;
    let value = missing.values.as_ref().and_then(|values| values.first());
    Some((missing.key.clone(), value.map_or("true", String::as_str).to_owned()))
}

fn expressions(term: &NodeSelectorTerm) -> impl Iterator<Item = &NodeSelectorRequirement> {
    term.match_expressions.iter().flatten()
}

/// Numbers are not compared: an unknown operator counts as met.
fn is_met(requirement: &NodeSelectorRequirement, node: &Node) -> bool {
    let label = label(node, &requirement.key);
    let mut values = requirement.values.iter().flatten();
    match requirement.operator.as_str() {
        "In" => values.any(|value| label == Some(value)),
        "NotIn" => !values.any(|value| label == Some(value)),
        "Exists" => label.is_some(),
        "DoesNotExist" => label.is_none(),
        _ => true,
    }
}

/// A taint that the pod does not tolerate.
fn taint(pod: &PodSpec, node: &Node, counts: fn(&Taint) -> bool) -> Option<String> {
    let mut taints = node.spec.as_ref()?.taints.iter().flatten();
    let taint = taints.find(|taint| {
        matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute")
            && counts(taint)
            && !pod.tolerations.iter().flatten().any(|toleration| tolerates(toleration, taint))
    })?;
    let Taint { key, value, effect, .. } = taint;
    Some(match value.as_deref() {
        None | Some("") => format!("{key}:{effect}"),
        Some(value) => format!("{key}={value}:{effect}"),
    })
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let effect = toleration.effect.as_deref().filter(|effect| !effect.is_empty());
    let key = toleration.key.as_deref().filter(|key| !key.is_empty());
    let value = toleration.value.as_deref().unwrap_or_default();
    effect.is_none_or(|effect| effect == taint.effect)
        && key.is_none_or(|key| key == taint.key)
        && (toleration.operator.as_deref() == Some("Exists")
            || value == taint.value.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::fixtures::typed;
    use super::*;

    fn place(pod: Value, node: Value) -> Placement {
        let mut daemon_set = super::super::fixtures::workload("d", 1, 1);
        daemon_set["spec"]["template"]["spec"] = pod;
        daemon_set["spec"]["template"]["spec"]["containers"] = json!([]);
        of(&typed(daemon_set), &typed(node))
    }

    fn any_of(keys: [&str; 2]) -> Value {
        let terms = keys.map(|key| {
            json!({ "matchExpressions": [{ "key": key, "operator": "In", "values": ["true"] }] })
        });
        let required = json!({
            "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": terms },
        });
        json!({ "affinity": { "nodeAffinity": required } })
    }

    fn labelled(key: &str, value: &str) -> Value {
        json!({ "metadata": { "labels": { key: value } } })
    }

    #[test]
    fn one_term_of_the_affinity_is_enough() {
        let lacking = Placement::LacksLabel { key: "a".to_owned(), value: "true".to_owned() };
        assert_eq!(place(any_of(["a", "b"]), json!({})), lacking);
        assert_eq!(place(any_of(["a", "b"]), labelled("a", "false")), lacking);
        assert_eq!(place(any_of(["a", "b"]), labelled("a", "true")), Placement::Fits);
        assert_eq!(place(any_of(["a", "b"]), labelled("b", "true")), Placement::Fits);
    }

    #[test]
    fn taints_count_unless_they_are_tolerated() {
        let taint = |key: &str| {
            let taint = json!({ "key": key, "value": "x", "effect": "NoSchedule" });
            json!({ "spec": { "taints": [taint] } })
        };
        let tolerating = |toleration: Value| json!({ "tolerations": [toleration] });
        let tainted = Placement::Tainted("pool=x:NoSchedule".to_owned());
        assert_eq!(place(json!({}), taint("pool")), tainted);
        assert_eq!(place(json!({}), taint("node.kubernetes.io/not-ready")), Placement::Fits);
        for (toleration, is_enough) in [
            (json!({ "operator": "Exists" }), true),
            (json!({ "key": "pool", "operator": "Exists" }), true),
            (json!({ "key": "pool", "value": "x" }), true),
            (json!({ "key": "pool", "value": "y" }), false),
            (json!({ "key": "other", "operator": "Exists" }), false),
            (json!({ "key": "pool", "operator": "Exists", "effect": "NoExecute" }), false),
        ] {
            let placement = place(tolerating(toleration.clone()), taint("pool"));
            assert_eq!(placement == Placement::Fits, is_enough, "{toleration}");
        }
    }
}
