//! The nodes: SGX, free EPC, missing quote services.

use k8s_openapi::api::core::v1::{Node, Pod};
use kubernetes::manifests::{AZURE_SGX_SIZES, INSTANCE_TYPE_LABEL, SGX_NODE_LABELS};

use super::NAMED;
use super::epc::Epc;
use super::facts::{Facts, is_on, name};
use super::placement::{self, Placement};
use super::workload::Workload;
use crate::finding::Finding;

pub(crate) fn findings(facts: &Facts) -> Vec<Finding> {
    let nodes = match &facts.nodes {
        Ok(nodes) => nodes,
        Err(error) => return vec![error.finding("node")],
    };
    let (sgx, plain): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| has_sgx(node));
    let pods = facts.pods.as_deref().ok();
    let is_software = facts.has_software_epc();
    let mut findings: Vec<_> = sgx.iter().map(|node| sgx_node(node, pods, is_software)).collect();
    findings.extend(facts.pods.as_ref().err().map(|error| error.finding("epc-allocation")));
    findings.extend(without_sgx(&plain, sgx.len()));
    findings.extend(sgx.iter().filter_map(|node| lacks_quote_service(node, facts)));
    findings
}

fn sgx_node(node: &Node, pods: Option<&[Pod]>, is_software: bool) -> Finding {
    let (found, object) = ("node", format!("node/{}", name(&node.metadata)));
    let epc = Epc::of_node(node);
    let is_software = is_software && !epc.is_empty();
    let kind = kind(node, is_software);
    let offers: Vec<_> = epc.iter().map(|epc| described(*epc, node, pods)).collect();
    let detail = format!("{kind}; {}", offers.join("; "));
    let finding = if !is_ready(node) {
        let fix = format!("`kubectl describe node {}` tells why", name(&node.metadata));
        Finding::warning(found, format!("the node is not ready; {detail}"), fix)
    } else if epc.is_empty() {
        let fix = "see `sgx-plugin` below; on the node, `quote-helper check --machine` checks its \
                   driver and firmware";
        Finding::warning(found, format!("{kind}, but it offers no EPC"), fix)
    } else if epc.iter().any(|epc| epc.allocatable < epc.capacity) {
        let fix = "see `sgx-plugin` below: it does not run on this node, or reports EPC as \
                   unhealthy, most often since a device node is missing, as its log says";
        Finding::warning(found, format!("not all of its EPC is usable: {detail}"), fix)
    } else if is_software {
        let fix = "nothing, to try, develop and test; for real quotes, on nodes with SGX, \
                   `quote-helper upgrade --platform dcap`";
        Finding::warning(found, detail, fix)
    } else {
        Finding::ok(found, detail)
    };
    finding.about(object)
}

/// The origin of the node's EPC, and the evidence of SGX.
fn kind(node: &Node, is_software: bool) -> String {
    match sgx_signs(node) {
        _ if is_software => "its EPC is software, INSECURE".to_owned(),
        none if none.is_empty() => "SGX, known by its EPC only".to_owned(),
        signs => format!("SGX, known by {}", signs.join(", ")),
    }
}

fn described(epc: Epc, node: &Node, pods: Option<&[Pod]>) -> String {
    let Epc { profile, allocatable, .. } = epc;
    let (unit, resource) = (epc.unit(), profile.epc_resource());
    let Some(pods) = pods else { return format!("EPC {allocatable} {unit} ({resource})") };
    let allocated = epc.allocated(pods.iter().filter(|pod| is_on(pod, node)));
    let free = allocatable.saturating_sub(allocated);
    format!("EPC {allocatable} {unit}: {allocated} allocated, {free} free ({resource})")
}

fn without_sgx(nodes: &[&Node], with_sgx: usize) -> Option<Finding> {
    let found = "nodes-without-sgx";
    let named = named(nodes.iter().map(|node| name(&node.metadata)));
    match (nodes.len(), with_sgx) {
        (0, 0) => Some(Finding::warning(found, "the cluster has no nodes", "add some")),
        (0, _) => None,
        (_, 0) => Some(Finding::warning(
            found,
            format!("no node has SGX: {named}"),
            "add nodes with SGX (on Azure, of a type such as Standard_DC4s_v3); to try and test, \
             `quote-helper install --platform software` needs none. Label nodes whose SGX is not \
             detected: `kubectl label node NAME sgx.intel.com/capable=true`",
        )),
        (count, _) => Some(Finding::ok(found, format!("{count}: {named}"))),
    }
}

/// The first names, and the number of the others.
fn named<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let mut named: Vec<_> = names.take(NAMED).map(str::to_owned).collect();
    named.extend((more > 0).then(|| format!("and {more} more")));
    named.join(", ")
}

/// The finding of a node that offers EPC and has no pod of the quote service.
fn lacks_quote_service(node: &Node, facts: &Facts) -> Option<Finding> {
    let (Ok(Some(daemon_set)), Ok(pods)) = (&facts.quote_service, &facts.add_on_pods) else {
        return None;
    };
    let has_pod = Workload::from(daemon_set).pods(pods).any(|pod| is_on(pod, node));
    if Epc::of_node(node).is_empty() || has_pod {
        return None;
    }
    let (reason, fix) = match placement::of(daemon_set, node) {
        Placement::LacksLabel { key, value } => (
            format!("it lacks the label {key}={value}"),
            format!("kubectl label node {} {key}={value}", name(&node.metadata)),
        ),
        Placement::Tainted(taint) => (
            format!("it has the taint {taint}"),
            format!("kubectl taint node {} {taint}-", name(&node.metadata)),
        ),
        Placement::Cordoned | Placement::Fits => (
            "the reason is not visible from here".to_owned(),
            format!(
                "kubectl -n {} describe daemonset {}",
                facts.namespace,
                name(&daemon_set.metadata)
            ),
        ),
    };
    let detail = format!("the node offers EPC and has no quote service: {reason}");
    let finding = Finding::warning("no-quote-service", detail, fix);
    Some(finding.about(format!("node/{}", name(&node.metadata))))
}

fn is_ready(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|it| it.type_ == "Ready" && it.status == "True")
}

fn has_sgx(node: &Node) -> bool {
    !sgx_signs(node).is_empty() || !Epc::of_node(node).is_empty()
}

/// The evidence of SGX besides EPC.
fn sgx_signs(node: &Node) -> Vec<String> {
    let label = |key: &str| node.metadata.labels.as_ref()?.get(key).map(String::as_str);
    let labels = SGX_NODE_LABELS.into_iter().filter(|key| label(key) == Some("true"));
    let instance_type = label(INSTANCE_TYPE_LABEL).filter(|it| AZURE_SGX_SIZES.contains(it));
    let labels = labels.map(|key| format!("its label {key}"));
    labels.chain(instance_type.map(|it| format!("its type {it}"))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::api_server::QueryError;
    use super::super::fixtures::{EPC, in_order, node, plain_node, typed};
    use super::*;
    use crate::finding::Status;
    use crate::fixtures::by_name;

    fn pod(node: &str, phase: &str, epc: u32) -> Pod {
        typed(json!({
            "spec": {
                "nodeName": node,
                "containers": [{
                    "name": "c", "resources": { "requests": { EPC: epc.to_string() } },
                }],
            },
            "status": { "phase": phase },
        }))
    }

    #[test]
    fn epc_is_what_pods_of_the_node_leave() {
        let pods = vec![
            pod("n1", "Running", 10),
            pod("n1", "Pending", 5),
            pod("n1", "Succeeded", 20),
            pod("n2", "Running", 20),
        ];
        let facts = Facts { pods: Ok(pods), ..in_order() };
        let finding = by_name(&findings(&facts), "node");
        assert_eq!(finding.status, Status::Ok);
        assert_eq!(finding.object.as_deref(), Some("node/n1"));
        assert!(finding.detail.contains("EPC 64 MiB: 15 allocated, 49 free"), "{finding:?}");
        assert!(
            finding.detail.contains("SGX, known by its label sgx.intel.com/capable"),
            "{finding:?}"
        );
    }

    #[test]
    fn epc_alone_is_no_proof_of_sgx() {
        let mut node = node("n1");
        node.metadata.labels = None;
        let finding = by_name(&findings(&Facts { nodes: Ok(vec![node]), ..in_order() }), "node");
        assert_eq!(finding.status, Status::Ok);
        assert!(finding.detail.starts_with("SGX, known by its EPC only"), "{finding:?}");
    }

    #[test]
    fn software_epc_is_said_to_be_insecure_whatever_the_node_says() {
        let mut facts = in_order();
        let plugin = facts.device_plugin.as_mut().unwrap().as_mut().unwrap();
        let template = &mut plugin.spec.as_mut().unwrap().template;
        template.spec = Some(typed(json!({
            "containers": [{ "name": "c", "args": ["device-plugin", "--software-epc=256MiB"] }],
        })));
        let finding = by_name(&findings(&facts), "node");
        assert_eq!(finding.status, Status::Warning);
        assert!(finding.detail.starts_with("its EPC is software, INSECURE; EPC 64"), "{finding:?}");
        assert!(finding.fix.unwrap().contains("--platform dcap"));
    }

    #[test]
    fn without_the_right_to_see_pods_the_total_is_left() {
        let pods = Err(QueryError::Forbidden { verb: "list", resource: "pods".to_owned() });
        let found = findings(&Facts { pods, ..in_order() });
        assert!(by_name(&found, "node").detail.contains("EPC 64 MiB (kubernetes"));
        let allocation = by_name(&found, "epc-allocation");
        assert_eq!(allocation.status, Status::Skipped);
        assert_eq!(allocation.detail, "you may not list pods");
    }

    #[test]
    fn a_node_with_sgx_that_offers_none_or_less_is_a_warning() {
        let mut bare = node("bare");
        bare.status.as_mut().unwrap().capacity = None;
        let mut half = node("half");
        half.status.as_mut().unwrap().allocatable = Some(typed(json!({ EPC: "32" })));
        let mut away = node("away");
        away.status.as_mut().unwrap().conditions = None;
        for (node, text) in [(bare, "offers no EPC"), (half, "not all"), (away, "not ready")] {
            let facts = Facts { nodes: Ok(vec![node]), ..in_order() };
            let finding = by_name(&findings(&facts), "node");
            assert_eq!(finding.status, Status::Warning);
            assert!(finding.detail.contains(text), "{finding:?}");
        }
    }

    #[test]
    fn nodes_without_sgx_are_named_and_not_all_of_many() {
        let mut nodes = vec![node("n1")];
        nodes.extend((0..12).map(|number| plain_node(&format!("p{number}"))));
        let facts = Facts { nodes: Ok(nodes.clone()), ..in_order() };
        let finding = by_name(&findings(&facts), "nodes-without-sgx");
        assert_eq!(finding.status, Status::Ok);
        assert!(finding.detail.starts_with("12: p0, "), "{finding:?}");
        assert!(finding.detail.ends_with("p9, and 2 more"), "{finding:?}");
        let facts = Facts { nodes: Ok(nodes.split_off(1)), ..in_order() };
        let finding = by_name(&findings(&facts), "nodes-without-sgx");
        assert_eq!(finding.status, Status::Warning);
        assert!(finding.fix.unwrap().contains("--platform software"));
    }

    #[test]
    fn azures_types_with_sgx_are_known() {
        for (instance_type, has_sgx) in [
            ("Standard_DC4s_v3", true),
            ("Standard_DC8ds_v3", true),
            ("Standard_DC2s_v2", true),
            ("Standard_DC8_v2", true),
            ("Standard_DC4as_v5", false),
            ("Standard_DC2es_v6", false),
            ("Standard_D4s_v3", false),
        ] {
            let mut node = plain_node("n");
            let label = json!({ "node.kubernetes.io/instance-type": instance_type });
            node.metadata.labels = Some(typed(label));
            assert_eq!(super::has_sgx(&node), has_sgx, "{instance_type}");
        }
    }

    #[test]
    fn a_node_without_a_quote_service_gets_the_command_that_gives_it_one() {
        let mut facts = in_order();
        facts.add_on_pods = Ok(Vec::new());
        let found = |facts: &Facts| by_name(&findings(facts), "no-quote-service");
        assert_eq!(found(&facts).status, Status::Warning);
        assert!(found(&facts).fix.unwrap().contains("describe daemonset"));

        let template = &mut facts.quote_service.as_mut().unwrap().as_mut().unwrap();
        let spec = template.spec.as_mut().unwrap().template.spec.as_mut().unwrap();
        spec.node_selector = Some(typed(json!({ "pool": "sgx" })));
        assert_eq!(found(&facts).fix.as_deref(), Some("kubectl label node n1 pool=sgx"));
    }

    #[test]
    fn a_node_with_a_quote_service_lacks_none() {
        let findings = findings(&in_order());
        assert!(findings.iter().all(|finding| finding.name != "no-quote-service"));
    }
}
