//! The installation of the add-on, and its parts.

use kubernetes::manifests::{CLUSTER_PCCS, DEVICE_PLUGIN, QUOTE_SERVICE, WEBHOOK};

use super::api_server::QueryResult;
use super::facts::Facts;
use super::workload::Workload;
use super::{trust_root, versions};
use crate::finding::Finding;

pub(crate) fn findings(facts: &Facts) -> Vec<Finding> {
    let namespace = &facts.namespace;
    if facts.lacks_add_on() {
        return vec![Finding::failed(
            "installation",
            format!("the add-on is not in the namespace {namespace}"),
            "install it: `quote-helper install`, with --enable-sgxquotehelper for the quote \
             service; if it is in another namespace, pass --namespace",
        )];
    }
    let mut findings = part(DEVICE_PLUGIN, &facts.device_plugin, facts);
    // Without the quote service, the section of the quote service has the finding.
    if facts.quote_service != Ok(None) {
        findings.extend(part(QUOTE_SERVICE, &facts.quote_service, facts));
    }
    if !facts.injects_by_policy() {
        findings.extend(part(WEBHOOK, &facts.webhook, facts));
    }
    // The PCCS is optional.
    if facts.pccs != Ok(None) {
        findings.extend(part(CLUSTER_PCCS, &facts.pccs, facts));
    }
    findings.extend(facts.add_on_pods.as_ref().err().map(|it| it.finding("add-on-pods")));
    findings.push(versions::finding(facts));
    findings.extend(trust_root::findings(facts));
    findings
}

fn part<'a, W>(found: &'static str, part: &'a QueryResult<Option<W>>, facts: &Facts) -> Vec<Finding>
where
    Workload<'a>: From<&'a W>,
{
    match part {
        Err(error) => vec![error.finding(found)],
        Ok(None) => vec![Finding::failed(
            found,
            "it is missing, but other parts of the add-on are installed",
            "install it again: `quote-helper install`",
        )],
        Ok(Some(part)) => Workload::from(part).findings(found, facts.add_on_pods.as_deref().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::api_server::QueryError;
    use super::super::fixtures::{in_order, typed, workload};
    use super::*;
    use crate::finding::Status;

    #[test]
    fn all_parts_are_looked_at() {
        let found = findings(&in_order());
        let names: Vec<_> = found.iter().map(|finding| &*finding.name).collect();
        assert_eq!(names, [DEVICE_PLUGIN, QUOTE_SERVICE, WEBHOOK, "versions"]);
        assert!(found.iter().all(|finding| finding.status == Status::Ok), "{found:?}");
    }

    #[test]
    fn a_pccs_that_is_there_has_to_be_ready() {
        for (ready, status) in [(1, Status::Ok), (0, Status::Failed)] {
            let facts =
                Facts { pccs: Ok(Some(typed(workload("sgx-pccs", 1, ready)))), ..in_order() };
            let finding = findings(&facts).into_iter().find(|it| it.name == CLUSTER_PCCS).unwrap();
            assert_eq!(finding.status, status, "{finding:?}");
        }
    }

    #[test]
    fn no_part_at_all_is_one_finding() {
        let facts = Facts {
            device_plugin: Ok(None),
            quote_service: Ok(None),
            webhook: Ok(None),
            ..in_order()
        };
        let [finding] = <[Finding; 1]>::try_from(findings(&facts)).unwrap();
        assert_eq!(finding.status, Status::Failed);
        assert!(finding.fix.unwrap().contains("`quote-helper install`"));
    }

    #[test]
    fn a_part_that_is_missing_or_may_not_be_seen_is_named() {
        let forbidden = QueryError::Forbidden { verb: "get", resource: "deployments x".to_owned() };
        let facts = Facts { device_plugin: Ok(None), webhook: Err(forbidden), ..in_order() };
        let found = findings(&facts);
        assert_eq!((&*found[0].name, found[0].status), (DEVICE_PLUGIN, Status::Failed));
        assert_eq!((&*found[2].name, found[2].status), (WEBHOOK, Status::Skipped));
        assert_eq!(found[2].detail, "you may not get deployments x");
    }
}
