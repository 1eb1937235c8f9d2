//! All findings about a subject.

use serde::Serialize;

use crate::finding::{Section, Status};

/// The subject of a check. In JSON `{"kind": "machine"}`, `{"kind": "pod"}` or
/// `{"kind": "cluster", "server", "namespace"}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Subject {
    /// The machine that this program runs on.
    Machine,
    /// The container that it runs in.
    Pod,
    /// A cluster of Kubernetes.
    Cluster {
        /// The URL of its API server.
        server: String,
        /// The namespace of the add-on.
        namespace: String,
    },
}

/// The result of a check. In JSON `{"subject", "passed", "sections"}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Diagnosis {
    /// The subject.
    pub subject: Subject,
    /// True if nothing failed.
    pub passed: bool,
    /// All findings.
    pub sections: Vec<Section>,
}

impl Diagnosis {
    /// The diagnosis that these findings make.
    #[must_use]
    pub fn new(subject: Subject, sections: Vec<Section>) -> Self {
        let mut findings = sections.iter().flat_map(|section| &section.findings);
        let passed = findings.all(|finding| finding.status != Status::Failed);
        Self { subject, passed, sections }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Finding;

    #[test]
    fn only_a_failure_fails_a_diagnosis() {
        let passed = |findings| {
            Diagnosis::new(Subject::Pod, vec![Section { name: "section", findings }]).passed
        };
        let ok = Finding::ok("a", "is there");
        let warning = Finding::warning("b", "is odd", "mend it");
        let skipped = Finding::skipped("c", "is not looked at", "look");
        let failed = Finding::failed("d", "is missing", "get it");
        assert!(passed(vec![ok, warning.clone(), skipped]));
        assert!(!passed(vec![failed, warning]));
    }
}
