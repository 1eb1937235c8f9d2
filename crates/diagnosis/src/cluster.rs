//! The sections about a cluster: its nodes, the add-on, the quote service of each node.

mod add_on;
mod api_server;
mod epc;
mod facts;
#[cfg(test)]
mod fixtures;
mod injection_settings;
mod nodes;
mod pending;
mod placement;
mod pod_check;
mod pod_sockets;
mod pods;
mod quote_service;
mod trust_root;
mod versions;
mod webhook;
mod workload;

use std::time::SystemTime;

use kubernetes::api_server::ApiServer;

use self::api_server::Cluster;
use self::facts::Facts;
use crate::diagnosis::{Diagnosis, Subject};
use crate::finding::{Finding, Section};

/// The maximum number of nodes or pods with the same problem that are named.
const NAMED: usize = 10;

/// Checks a cluster: its nodes, the add-on in `namespace`, the quote service of each node. An API
/// server that does not answer is a finding.
pub async fn check_cluster(api_server: ApiServer, namespace: String) -> Diagnosis {
    let cluster = Cluster { api_server, namespace: namespace.clone() };
    let server = cluster.api_server.url().to_owned();
    Diagnosis::new(Subject::Cluster { server, namespace }, sections(&cluster).await)
}

async fn sections(cluster: &Cluster) -> Vec<Section> {
    let version = cluster.version().await;
    let is_away = version.as_ref().is_err_and(|error| !error.is_forbidden());
    let found = version.map_or_else(
        |error| error.finding("api-server"),
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

fn of_facts(facts: &Facts, reports: &[quote_service::PodCheck], now: SystemTime) -> Vec<Section> {
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
