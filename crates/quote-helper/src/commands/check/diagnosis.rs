//! All findings together, and how people see them.

use std::fmt;
use std::io::{self, IsTerminal};

use serde::Serialize;

use super::finding::{Finding, Section, Status};

/// The result of a check. In JSON `{"passed", "sections"}`.
#[derive(Debug, Serialize)]
pub(crate) struct Diagnosis {
    /// Whether nothing failed.
    pub(crate) passed: bool,
    sections: Vec<Section>,
    #[serde(skip)]
    colors: bool,
}

impl Diagnosis {
    /// The diagnosis of these findings, in colors if standard output shows them.
    pub(crate) fn new(sections: Vec<Section>) -> Self {
        let colors = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let mut findings = sections.iter().flat_map(|section| &section.findings);
        let passed = findings.all(|finding| finding.status != Status::Failed);
        Self { passed, sections, colors }
    }

    fn count(&self, status: Status) -> usize {
        let findings = self.sections.iter().flat_map(|section| &section.findings);
        findings.filter(|finding| finding.status == status).count()
    }

    fn write_section(&self, f: &mut fmt::Formatter<'_>, section: &Section) -> fmt::Result {
        writeln!(f, "{}", section.name)?;
        let mut findings = section.findings.iter().peekable();
        while let Some(finding) = findings.next() {
            self.write_finding(f, finding)?;
            // Said once for those in a row that share it.
            let shared = findings.peek().is_some_and(|next| next.fix == finding.fix);
            if let (Some(fix), false) = (&finding.fix, shared) {
                writeln!(f, "      fix: {fix}")?;
            }
        }
        writeln!(f)
    }

    fn write_finding(&self, f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
        let (mark, color) = match finding.status {
            Status::Ok => ('✓', 32),
            Status::Warning => ('!', 33),
            Status::Failed => ('✗', 31),
            Status::Skipped => ('–', 2),
        };
        let Finding { name, detail, .. } = finding;
        if self.colors {
            writeln!(f, "  \x1b[{color}m{mark}\x1b[0m {name:<17} {detail}")
        } else {
            writeln!(f, "  {mark} {name:<17} {detail}")
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sections.iter().try_for_each(|section| self.write_section(f, section))?;
        let [failed, warnings, skipped] =
            [Status::Failed, Status::Warning, Status::Skipped].map(|status| self.count(status));
        writeln!(f, "failed: {failed}, warnings: {warnings}, skipped: {skipped}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnosis(findings: Vec<Finding>) -> Diagnosis {
        Diagnosis::new(vec![Section { name: "section", findings }])
    }

    #[test]
    fn warnings_and_what_was_skipped_do_not_fail() {
        let ok = Finding::ok("a", "is there");
        let warning = Finding::warning("b", "is odd", "mend it");
        let skipped = Finding::skipped("c", "is not looked at", "look");
        let failed = Finding::failed("d", "is missing", "get it");
        assert!(diagnosis(vec![ok, warning.clone(), skipped]).passed);
        assert!(!diagnosis(vec![failed, warning]).passed);
    }

    #[test]
    fn a_fix_that_findings_share_is_said_once() {
        let skipped = |name| Finding::skipped(name, "no", "first the other");
        let shown = diagnosis(vec![skipped("a"), skipped("b"), Finding::ok("c", "yes")]);
        assert_eq!(
            shown.to_string(),
            "section\n  \
             – a                 no\n  \
             – b                 no\n      \
             fix: first the other\n  \
             ✓ c                 yes\n\n\
             failed: 0, warnings: 0, skipped: 2\n"
        );
    }

    #[test]
    fn colors_are_for_the_mark_only() {
        let mut shown = diagnosis(vec![Finding::failed("a", "no", "do")]);
        shown.colors = true;
        assert!(shown.to_string().contains("  \x1b[31m✗\x1b[0m a  "), "{shown}");
    }
}
