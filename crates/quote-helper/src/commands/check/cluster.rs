//! The sections about a cluster: its nodes, the add-on, the quote service of each node.

mod add_on;
mod api_server;
mod epc;
mod facts;
mod nodes;
mod placement;
mod pods;
mod quote_service;
#[cfg(test)]
mod recorded;
mod report;
mod versions;
mod webhook;
mod workload;

use std::path::Path;
use std::time::SystemTime;

use clap::Args;
use kubernetes::manifests::DEFAULT_NAMESPACE;

use self::api_server::Cluster;
use self::facts::Facts;
use super::diagnosis::{Diagnosis, Subject};
use super::finding::{Finding, Section};
use crate::cluster::api_server;
use crate::runtime::runtime;

/// So many nodes or pods in the same trouble are named.
const NAMED: usize = 10;

/// Which cluster.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The namespace of the add-on.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NAMESPACE)]
    namespace: String,

    /// The context of the kubeconfig [default: the current one].
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

impl Which {
    /// Whether a certain cluster is asked for.
    pub(crate) fn is_given(&self) -> bool {
        self.context.is_some()
    }
}

/// Whether kubectl would find a cluster.
pub(crate) fn has_kubeconfig() -> bool {
    let is_set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    is_set("KUBECONFIG").is_some()
        || is_set("HOME").is_some_and(|home| Path::new(&home).join(".kube/config").is_file())
}

/// Looks at a cluster. Nothing in it is changed.
///
/// # Errors
/// If there is nothing that says where the cluster is. A cluster that does not answer is a finding.
pub(crate) fn diagnose(which: &Which) -> anyhow::Result<Diagnosis> {
    let Which { namespace, context } = which;
    runtime()?.block_on(async {
        let api_server = api_server(context.as_deref()).await?;
        let cluster = Cluster { api_server, namespace: namespace.clone() };
        let server = cluster.api_server.url().to_owned();
        let subject = Subject::Cluster { server, namespace: namespace.clone() };
        Ok(Diagnosis::new(subject, sections(&cluster).await))
    })
}

async fn sections(cluster: &Cluster) -> Vec<Section> {
    let version = cluster.version().await;
    let is_away = version.as_ref().is_err_and(|unanswered| !unanswered.is_no_right());
    let found = version.map_or_else(
        |unanswered| unanswered.finding("api-server"),
        |version| {
            let detail = format!("{}, Kubernetes {version}", cluster.api_server.url());
            Finding::ok("api-server", detail)
        },
    );
    let mut sections = vec![Section { name: "cluster", findings: vec![found] }];
    if !is_away {
        let facts = Facts::gather(cluster, pods::matters).await;
        let reports = quote_service::gather(cluster, &facts).await;
        sections.extend(of_facts(&facts, &reports, SystemTime::now()));
    }
    sections
}

fn of_facts(facts: &Facts, reports: &[quote_service::Report], now: SystemTime) -> Vec<Section> {
    let mut sections = vec![
        Section { name: "nodes", findings: nodes::findings(facts) },
        Section { name: "add-on", findings: add_on::findings(facts) },
    ];
    if !facts.lacks_add_on() {
        sections.extend([
            Section { name: "webhook", findings: webhook::findings(facts, now) },
            Section { name: "quote service", findings: quote_service::findings(facts, reports) },
        ]);
    }
    sections.push(Section { name: "pods", findings: pods::findings(facts) });
    sections
}
