//! The webhook as the API server reaches and trusts it.

use std::time::SystemTime;

use k8s_openapi::api::admissionregistration::v1::MutatingWebhook;
use k8s_openapi::api::core::v1::Secret;
use kubernetes::manifests::{INJECTION_POLICY, WEBHOOK};

use super::facts::Facts;
use crate::expiry::Expiry;
use crate::finding::Finding;

/// A shorter validity is a warning, in days. The webhook renews the certificate when a third of its
/// 90 days is left.
const WARNING_DAYS: u32 = 20;

pub(crate) fn findings(facts: &Facts, now: SystemTime) -> Vec<Finding> {
    if facts.injects_by_policy() {
        let detail = format!("{INJECTION_POLICY}, which the API server evaluates by itself");
        return vec![Finding::ok("injection-policy", detail)];
    }
    let mut findings = configuration(facts);
    findings.push(endpoints(facts));
    findings.push(certificate(facts, now));
    findings
}

fn configuration(facts: &Facts) -> Vec<Finding> {
    let name = "webhook-configuration";
    let configuration = match &facts.webhook_configuration {
        Err(error) => return vec![error.finding(name)],
        Ok(None) => {
            return vec![Finding::failed(
                name,
                format!(
                    "there is no MutatingWebhookConfiguration {WEBHOOK}: pods get no injected \
                     settings"
                ),
                "install it again: `quote-helper install`; or inject pods in advance: \
                 `quote-helper inject`",
            )];
        }
        Ok(Some(configuration)) => configuration,
    };
    let webhooks = configuration.webhooks.as_deref().unwrap_or_default();
    let found = Finding::ok(name, format!("{WEBHOOK}, with {} webhook(s)", webhooks.len()));
    vec![found, authority(webhooks, &facts.namespace), failure_policy(webhooks)]
}

/// The fix for certificates, which the webhook renews and publishes.
fn see_log(namespace: &str) -> String {
    format!("see the log of the webhook: `kubectl -n {namespace} logs deployment/{WEBHOOK}`")
}

/// The CA of the webhook's certificate, in its configuration.
fn authority(webhooks: &[MutatingWebhook], namespace: &str) -> Finding {
    let name = "webhook-authority";
    let has_authority = |webhook: &MutatingWebhook| {
        webhook.client_config.ca_bundle.as_ref().is_some_and(|bundle| !bundle.0.is_empty())
    };
    match webhooks.iter().all(has_authority) && !webhooks.is_empty() {
        true => Finding::ok(name, "the API server has the CA of the webhook's certificate"),
        false => Finding::failed(
            name,
            "caBundle is empty: the API server does not trust the webhook, and does not call it",
            see_log(namespace),
        ),
    }
}

fn failure_policy(webhooks: &[MutatingWebhook]) -> Finding {
    let name = "failure-policy";
    // Fail is the API server's default.
    let strict = webhooks.iter().position(|it| {
        it.failure_policy.as_deref() != Some("Ignore") && it.match_conditions.is_none()
    });
    match strict {
        None if webhooks.iter().any(|it| it.match_conditions.is_some()) => {
            Finding::ok(name, "Fail for pods with EPC only: others do not need the webhook")
        }
        None => Finding::ok(name, "Ignore: without the webhook pods start as they are"),
        Some(index) => Finding::warning(
            name,
            "Fail: while the webhook is down, pods that it handles cannot be created",
            format!(
                "kubectl patch mutatingwebhookconfiguration {WEBHOOK} --type=json \
                 -p='[{{\"op\":\"replace\",\
                 \"path\":\"/webhooks/{index}/failurePolicy\",\"value\":\"Ignore\"}}]'"
            ),
        ),
    }
}

fn endpoints(facts: &Facts) -> Finding {
    let name = "webhook-endpoints";
    let endpoints = match &facts.webhook_endpoints {
        Err(error) => return error.finding(name),
        Ok(endpoints) => endpoints.as_ref(),
    };
    let subsets = endpoints.and_then(|endpoints| endpoints.subsets.as_deref()).unwrap_or_default();
    let addresses = subsets.iter().flat_map(|subset| subset.addresses.iter().flatten()).count();
    match addresses {
        0 => Finding::failed(
            name,
            format!(
                "the Service {WEBHOOK} has no ready pod: the API server cannot call the webhook"
            ),
            "see `sgx-webhook`",
        ),
        count => Finding::ok(name, format!("pods that the API server can call: {count}")),
    }
}

fn certificate(facts: &Facts, now: SystemTime) -> Finding {
    let (name, fix) = ("serving-certificate", see_log(&facts.namespace));
    match &facts.webhook_certificates {
        Err(error) => error.finding(name),
        Ok(secret) => match secret.as_ref().and_then(expiry) {
            Some(expiry) => expiry.finding(name, now, WARNING_DAYS, "", &fix),
            None => {
                Finding::failed(name, "the Secret of the webhook has no readable certificate", fix)
            }
        },
    }
}

fn expiry(secret: &Secret) -> Option<Expiry> {
    let certificate = secret.data.as_ref()?.get("tls.crt")?;
    Expiry::of_certificate("the certificate", pem::parse(&certificate.0).ok()?.contents())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use k8s_openapi::ByteString;
    use serde_json::json;

    use super::super::api_server::QueryError;
    use super::super::fixtures::{in_order, typed};
    use super::*;
    use crate::finding::Status;
    use crate::fixtures::{by_name, software_platform};

    fn has(facts: &Facts, name: &str, status: Status, fix: &str) {
        let finding = by_name(&findings(facts, SystemTime::now()), name);
        assert_eq!(finding.status, status, "{finding:?}");
        assert!(finding.fix.as_deref().unwrap_or_default().contains(fix), "{finding:?}");
    }

    fn certificates(pem: &str) -> Facts {
        let secret = Secret {
            data: Some([("tls.crt".to_owned(), ByteString(pem.into()))].into()),
            ..Secret::default()
        };
        Facts { webhook_certificates: Ok(Some(secret)), ..in_order() }
    }

    #[test]
    fn in_order_is_ok() {
        let root = software_platform().root_certificate().pem().to_owned();
        let findings = findings(&certificates(&root), SystemTime::now());
        assert!(findings.iter().all(|finding| finding.status == Status::Ok), "{findings:?}");
    }

    #[test]
    fn a_policy_needs_no_webhook() {
        let binding = typed(json!({ "metadata": { "name": INJECTION_POLICY } }));
        let injection_policy = Ok(Some(binding));
        let facts = Facts {
            webhook: Ok(None),
            webhook_configuration: Ok(None),
            injection_policy: injection_policy.clone(),
            ..in_order()
        };
        let found = findings(&facts, SystemTime::now());
        let found: Vec<_> = found.iter().map(|it| (&*it.name, it.status)).collect();
        assert_eq!(found, [("injection-policy", Status::Ok)]);
        // The webhook is still installed.
        let facts = Facts { injection_policy, ..in_order() };
        has(&facts, "webhook-configuration", Status::Ok, "");
    }

    #[test]
    fn a_webhook_that_is_required_by_few_pods_is_in_order() {
        let mut facts = in_order();
        let configuration = facts.webhook_configuration.as_mut().unwrap().as_mut().unwrap();
        let webhook = &mut configuration.webhooks.as_mut().unwrap()[0];
        webhook.failure_policy = Some("Fail".to_owned());
        webhook.match_conditions = Some(Vec::new());
        has(&facts, "failure-policy", Status::Ok, "");
    }

    #[test]
    fn each_part_of_the_way_to_the_webhook_is_looked_at() {
        let facts = Facts { webhook_configuration: Ok(None), ..in_order() };
        has(&facts, "webhook-configuration", Status::Failed, "quote-helper inject");

        let mut facts = in_order();
        let configuration = facts.webhook_configuration.as_mut().unwrap().as_mut().unwrap();
        let webhook = &mut configuration.webhooks.as_mut().unwrap()[0];
        webhook.client_config.ca_bundle = None;
        webhook.failure_policy = Some("Fail".to_owned());
        has(&facts, "webhook-authority", Status::Failed, "log of the webhook");
        has(&facts, "failure-policy", Status::Warning, "/webhooks/0/failurePolicy");

        let unready = json!({ "subsets": [{ "notReadyAddresses": [{ "ip": "10.0.0.1" }] }] });
        for endpoints in [None, Some(typed(unready))] {
            let facts = Facts { webhook_endpoints: Ok(endpoints), ..in_order() };
            has(&facts, "webhook-endpoints", Status::Failed, "`sgx-webhook`");
        }
    }

    #[test]
    fn the_certificate_is_there_and_lasts() {
        has(&in_order(), "serving-certificate", Status::Failed, "log of the webhook");
        has(&certificates("no certificate"), "serving-certificate", Status::Failed, "log");
        let root = software_platform().root_certificate().pem().to_owned();
        let (facts, now) = (certificates(&root), SystemTime::now());
        let end =
            expiry(facts.webhook_certificates.as_ref().unwrap().as_ref().unwrap()).unwrap().at;
        let status = |time| by_name(&findings(&facts, time), "serving-certificate").status;
        assert_eq!(status(now), Status::Ok);
        assert_eq!(status(end - Duration::from_secs(19 * 24 * 60 * 60)), Status::Warning);
        assert_eq!(status(end + Duration::from_secs(1)), Status::Failed);
    }

    #[test]
    fn a_forbidden_secret_skips_its_finding() {
        let resource = "secrets sgx-webhook-certificates".to_owned();
        let forbidden = QueryError::Forbidden { verb: "get", resource };
        let facts = Facts { webhook_certificates: Err(forbidden), ..in_order() };
        has(&facts, "serving-certificate", Status::Skipped, "permission to get secrets");
    }
}
