//! The quote service of each node, by the check that runs in its pod.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kubernetes::pod_problem::PodProblem;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::NAMED;
use super::api_server::{Cluster, QueryError, QueryResult};
use super::facts::{Facts, name};
use super::pod_check::{self, PodDiagnosis};
use super::workload::Workload;
use crate::finding::{Finding, Status};

const NAME: &str = "quote-service";
const AT_A_TIME: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PodCheck {
    node: String,
    pod: String,
    diagnosis: QueryResult<PodDiagnosis>,
}

/// Checks all pods of the quote service whose container runs.
pub(crate) async fn gather(cluster: &Cluster, facts: &Facts) -> Vec<PodCheck> {
    let slots = Arc::new(Semaphore::new(AT_A_TIME));
    let mut asked = JoinSet::new();
    for pod in pods(facts).into_iter().filter(|pod| runs(pod)) {
        let (slots, cluster) = (Arc::clone(&slots), cluster.clone());
        let (node, pod) = (node(pod).to_owned(), name(&pod.metadata).to_owned());
        asked.spawn(async move {
            // The semaphore is never closed.
            let _slot = slots.acquire().await;
            let diagnosis = pod_check::gather(&cluster, &pod).await;
            PodCheck { node, pod, diagnosis }
        });
    }
    let mut reports = asked.join_all().await;
    reports.sort_by(|one, other| one.node.cmp(&other.node));
    reports
}

/// The pods of the quote service that are not being deleted.
fn pods(facts: &Facts) -> Vec<&Pod> {
    let pods = facts.add_on_pods.as_deref().unwrap_or_default();
    let stays = |pod: &&Pod| pod.metadata.deletion_timestamp.is_none();
    match &facts.quote_service {
        Ok(Some(daemon_set)) => Workload::from(daemon_set).pods(pods).filter(stays).collect(),
        _ => Vec::new(),
    }
}

fn node(pod: &Pod) -> &str {
    pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default()
}

fn runs(pod: &Pod) -> bool {
    let containers = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    let running = |state: &k8s_openapi::api::core::v1::ContainerState| state.running.is_some();
    containers.into_iter().flatten().any(|it| it.state.as_ref().is_some_and(running))
}

pub(crate) fn findings(facts: &Facts, reports: &[PodCheck]) -> Vec<Finding> {
    match &facts.quote_service {
        Err(error) => return vec![error.finding(NAME)],
        Ok(None) => return vec![switched_off()],
        Ok(Some(_)) => {}
    }
    let silent = pods(facts).into_iter().filter(|pod| !runs(pod)).map(not_running);
    reports.iter().flat_map(|report| of_node(report, &facts.namespace)).chain(silent).collect()
}

fn switched_off() -> Finding {
    Finding::warning(
        NAME,
        "the quote service is switched off: pods find no socket at /var/run/aesmd, and those with \
         SGX_AESM_ADDR get no quotes",
        "switch it on: `quote-helper upgrade --enable-sgxquotehelper`; nothing, if all \
         applications quote in their own process",
    )
}

fn not_running(pod: &Pod) -> Finding {
    let reason = PodProblem::of(pod, &[]).map(|problem| format!(": {}", problem.reason));
    let detail = format!("its pod does not run{}", reason.unwrap_or_default());
    Finding::failed(NAME, detail, "see `sgx-quote-helper`").about(object(node(pod)))
}

/// One finding if all is in order, else one for each problem.
fn of_node(PodCheck { node, pod, diagnosis }: &PodCheck, namespace: &str) -> Vec<Finding> {
    let diagnosis = match diagnosis {
        Ok(diagnosis) => diagnosis,
        Err(QueryError::Failed(reason)) => {
            let fix = format!(
                "see its output: `kubectl -n {namespace} exec {pod} -- {}`",
                pod_check::COMMAND.join(" ")
            );
            return vec![Finding::failed(NAME, reason, fix).about(object(node))];
        }
        Err(error) => return vec![error.finding(NAME).about(object(node))],
    };
    let wrong =
        diagnosis.findings().filter(|it| !matches!(it.status, Status::Ok | Status::Skipped));
    let wrong: Vec<_> = wrong.take(NAMED).map(|it| detailed(it).about(object(node))).collect();
    match wrong.is_empty() {
        true => vec![Finding::ok(NAME, summary(diagnosis)).about(object(node))],
        false => wrong,
    }
}

fn object(node: &str) -> String {
    format!("node/{node}")
}

fn detailed(finding: &Finding) -> Finding {
    let detail = format!("{}: {}", finding.name, finding.detail);
    let fix = finding.fix.clone().unwrap_or_default();
    Finding { status: finding.status, ..Finding::failed(NAME, detail, fix) }
}

/// Certificates, collateral and TCB status, as far as known.
fn summary(diagnosis: &PodDiagnosis) -> String {
    let day = |name| diagnosis.value(name).map(|time| time.split('T').next().unwrap_or(time));
    let parts = [
        day("certificates").map(|date| format!("certificates until {date}")),
        day("collateral").map(|date| format!("collateral until {date}")),
        diagnosis
            .value("verification")
            .or_else(|| diagnosis.value("tcb"))
            .map(|status| format!("TCB {status}")),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => "it answers; its quotes cannot be checked from there".to_owned(),
        false => parts.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::fixtures::{in_order, pod, typed};
    use super::*;

    fn report(findings: &Value) -> PodCheck {
        let diagnosis = typed(json!({ "passed": true, "sections": [{ "findings": findings }] }));
        PodCheck { diagnosis: Ok(diagnosis), ..silent(String::new()) }
    }

    /// A pod whose check failed.
    fn silent(reason: String) -> PodCheck {
        let diagnosis = Err(QueryError::Failed(reason));
        PodCheck { node: "n1".to_owned(), pod: "p1".to_owned(), diagnosis }
    }

    fn found(name: &str, status: &str, value: Option<&str>) -> Value {
        let (detail, fix) = (format!("the {name}"), format!("mend the {name}"));
        json!({ "name": name, "status": status, "detail": detail, "value": value, "fix": fix })
    }

    #[test]
    fn a_switched_off_service_explains_the_missing_socket() {
        let facts = Facts { quote_service: Ok(None), ..in_order() };
        let [finding] = <[Finding; 1]>::try_from(findings(&facts, &[])).unwrap();
        assert_eq!(finding.status, Status::Warning);
        assert!(finding.detail.contains("no socket"), "{finding:?}");
        assert!(finding.fix.unwrap().contains("quote-helper upgrade --enable-sgxquotehelper"));
    }

    #[test]
    fn a_node_in_order_is_one_line() {
        let report = report(&json!([
            found("answer", "ok", None),
            found("certificates", "ok", Some("2032-01-02T03:04:05Z")),
            found("collateral", "ok", Some("2026-01-02T03:04:05Z")),
            found("verification", "ok", Some("UpToDate")),
        ]));
        let [finding] = <[Finding; 1]>::try_from(findings(&in_order(), &[report])).unwrap();
        assert_eq!(finding.status, Status::Ok);
        assert_eq!(finding.object.as_deref(), Some("node/n1"));
        assert_eq!(
            finding.detail,
            "certificates until 2032-01-02, collateral until 2026-01-02, TCB UpToDate"
        );
    }

    #[test]
    fn problems_of_a_node_have_their_fix() {
        let report = report(&json!([
            found("answer", "ok", None),
            found("verification", "skipped", None),
            found("certificates", "warning", None),
            found("self-quote", "failed", None),
        ]));
        let [warning, failed] = <[Finding; 2]>::try_from(findings(&in_order(), &[report])).unwrap();
        assert_eq!((warning.status, failed.status), (Status::Warning, Status::Failed));
        assert_eq!(failed.detail, "self-quote: the self-quote");
        assert_eq!(failed.fix.as_deref(), Some("mend the self-quote"));
    }

    #[test]
    fn a_pod_that_does_not_run_or_may_not_be_asked_is_told() {
        let mut pending = pod("sgx-quote-helper", "p", "n2");
        pending.status = Some(typed(json!({ "phase": "Pending" })));
        let facts = Facts { add_on_pods: Ok(vec![pending]), ..in_order() };
        let [finding] = <[Finding; 1]>::try_from(findings(&facts, &[])).unwrap();
        assert_eq!((finding.status, finding.object.as_deref()), (Status::Failed, Some("node/n2")));
        let forbidden = QueryError::Forbidden { verb: "create", resource: "pods/exec".to_owned() };
        let refused = PodCheck { diagnosis: Err(forbidden), ..silent(String::new()) };
        let found = findings(&in_order(), &[refused]);
        assert_eq!(found[0].status, Status::Skipped);
        assert_eq!(found[0].detail, "you may not create pods/exec");
        let found = findings(&in_order(), &[silent("the reason".to_owned())]);
        assert_eq!((found[0].status, found[0].detail.as_str()), (Status::Failed, "the reason"));
        let command = "kubectl -n sgx-quote-helper exec p1 -- quote-helper check --in-pod";
        assert!(found[0].fix.as_ref().unwrap().contains(command), "{found:?}");
    }
}
