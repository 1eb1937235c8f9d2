//! Runs `check --in-pod` in a pod of the quote service.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::AttachParams;
use kubernetes::manifests::QUOTE_SERVICE_CONTAINER;
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::api_server::{Cluster, QueryError, QueryResult};
use crate::finding::Finding;

pub(crate) const COMMAND: [&str; 5] = ["quote-helper", "check", "--in-pod", "--output", "json"];
const TIMEOUT: Duration = Duration::from_secs(20);
/// The maximum size of its output, in bytes: far more than the findings of a pod have.
const MAX_SIZE: u64 = 256 * 1024;

/// The findings of a pod. Other fields, of another version, are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct PodDiagnosis {
    sections: Vec<PodSection>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct PodSection {
    findings: Vec<Finding>,
}

impl PodDiagnosis {
    pub(crate) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.sections.iter().flat_map(|section| &section.findings)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.findings().find(|finding| finding.name == name)?.value.as_deref()
    }
}

pub(crate) async fn gather(cluster: &Cluster, pod: &str) -> QueryResult<PodDiagnosis> {
    let output = timeout(TIMEOUT, run(cluster, pod)).await;
    let Output { stdout, end } = output.unwrap_or_else(|_| {
        Err(QueryError::Failed(format!("the pod does not answer within {TIMEOUT:?}")))
    })?;
    serde_json::from_slice(&stdout).map_err(|_| {
        let end = end.unwrap_or_default();
        QueryError::Failed(format!(
            "cannot read the output of `quote-helper check --in-pod`: {end}"
        ))
    })
}

struct Output {
    stdout: Vec<u8>,
    end: Option<String>,
}

async fn run(cluster: &Cluster, pod: &str) -> QueryResult<Output> {
    let params = AttachParams::default().container(QUOTE_SERVICE_CONTAINER).stderr(false);
    let pods = cluster.namespaced::<Pod>();
    let process = cluster.api_server.ask(pods.exec(pod, COMMAND, &params)).await;
    let mut process = process.map_err(|error| QueryError::new("create", "pods/exec", error))?;
    let status = process.take_status();
    let mut output = Vec::new();
    if let Some(stdout) = process.stdout() {
        let read = stdout.take(MAX_SIZE).read_to_end(&mut output).await;
        read.map_err(|error| QueryError::Failed(format!("its answer was cut off: {error}")))?;
    }
    let end = match status {
        // A command whose output is not read to its end does not exit.
        Some(status) if (output.len() as u64) < MAX_SIZE => status.await,
        _ => None,
    };
    Ok(Output { stdout: output, end: end.and_then(|status| status.message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Diagnosis, Subject};
    use crate::finding::{Section, Status};

    #[test]
    fn output_of_this_program_is_parsed() {
        let findings = vec![
            Finding::ok("certificates", "good").with_value("2030-01-01T00:00:00Z"),
            Finding::failed("answer", "none", "start it"),
        ];
        let diagnosis = Diagnosis::new(Subject::Pod, vec![Section { name: "service", findings }]);
        let read: PodDiagnosis =
            serde_json::from_value(serde_json::to_value(diagnosis).unwrap()).unwrap();
        assert_eq!(read.value("certificates"), Some("2030-01-01T00:00:00Z"));
        assert_eq!(read.value("answer"), None);
        let statuses: Vec<_> = read.findings().map(|finding| finding.status).collect();
        assert_eq!(statuses, [Status::Ok, Status::Failed]);
    }
}
