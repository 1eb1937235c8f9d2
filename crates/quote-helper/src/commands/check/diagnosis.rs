//! All findings together, and how people see them.

use std::fmt;
use std::io::{self, IsTerminal};

use serde::Serialize;

use super::finding::{Finding, Section, Status};

/// The width of the text, in columns.
const WIDTH: usize = 80;
/// The width of the names of findings, in columns, unless one is longer.
const NAME_WIDTH: usize = 17;

/// What was looked at. In JSON `{"kind": "machine"}`, `{"kind": "pod"}` or `{"kind": "cluster", "server",
/// "namespace"}`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Subject {
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Diagnosis {
    subject: Subject,
    /// Whether nothing failed.
    pub(crate) passed: bool,
    sections: Vec<Section>,
    #[serde(skip)]
    colors: bool,
    /// Shows people what is fine and what was skipped, too.
    #[serde(skip)]
    verbose: bool,
}

impl Diagnosis {
    /// The diagnosis of these findings, in colors if standard output shows them.
    pub(crate) fn new(subject: Subject, sections: Vec<Section>) -> Self {
        let colors = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let mut findings = sections.iter().flat_map(|section| &section.findings);
        let passed = findings.all(|finding| finding.status != Status::Failed);
        Self { subject, passed, sections, colors, verbose: false }
    }

    /// The same; people see all findings, section by section.
    pub(crate) fn verbose(self, verbose: bool) -> Self {
        Self { verbose, ..self }
    }

    fn with(&self, status: Status) -> Vec<&Finding> {
        let findings = self.sections.iter().flat_map(|section| &section.findings);
        findings.filter(|finding| finding.status == status).collect()
    }

    fn write_findings(
        &self,
        f: &mut fmt::Formatter<'_>,
        head: &str,
        findings: &[&Finding],
    ) -> fmt::Result {
        if findings.is_empty() {
            return Ok(());
        }
        writeln!(f, "{head}")?;
        let widths = findings.iter().map(|finding| finding.name.len());
        let width = widths.max().unwrap_or_default().max(NAME_WIDTH);
        let mut findings = findings.iter().peekable();
        while let Some(finding) = findings.next() {
            self.write_finding(f, finding, width)?;
            // Said once for those in a row that share it.
            let shared = findings.peek().is_some_and(|next| next.fix == finding.fix);
            if let (Some(fix), false) = (&finding.fix, shared) {
                write_wrapped(f, "      fix: ", fix)?;
            }
        }
        writeln!(f)
    }

    fn write_finding(
        &self,
        f: &mut fmt::Formatter<'_>,
        finding: &Finding,
        width: usize,
    ) -> fmt::Result {
        let (mark, color) = match finding.status {
            Status::Ok => ('✓', 32),
            Status::Warning => ('!', 33),
            Status::Failed => ('✗', 31),
            Status::Skipped => ('–', 2),
        };
        match self.colors {
            true => write!(f, "  \x1b[{color}m{mark}\x1b[0m")?,
            false => write!(f, "  {mark}")?,
        }
        let text = match &finding.object {
            Some(object) => format!("{object}: {}", finding.detail),
            None => finding.detail.clone(),
        };
        // What is before it has three columns.
        let lines = wrapped(&format!("    {:<width$} ", finding.name), &text);
        writeln!(f, "{}", lines.get(3..).unwrap_or_default())
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::Machine => writeln!(f, "this machine (a cluster: --cluster)\n")?,
            Subject::Pod => writeln!(f, "this container\n")?,
            Subject::Cluster { server, namespace } => {
                let server = printable::line(server);
                writeln!(f, "the cluster at {server} (this machine: --machine)")?;
                writeln!(f, "the add-on in its namespace {namespace}\n")?;
            }
        }
        let all = [Status::Failed, Status::Warning, Status::Skipped, Status::Ok];
        let [failed, warnings, skipped, fine] = all.map(|status| self.with(status));
        if self.verbose {
            self.sections.iter().try_for_each(|section| {
                self.write_findings(f, section.name, &section.findings.iter().collect::<Vec<_>>())
            })?;
        } else {
            self.write_findings(f, "failed", &failed)?;
            self.write_findings(f, "warnings", &warnings)?;
        }
        let [failed, warnings, skipped, fine] =
            [failed, warnings, skipped, fine].map(|findings| findings.len());
        write!(f, "failed: {failed}, warnings: {warnings}, skipped: {skipped}, fine: {fine}")?;
        let is_hidden = !self.verbose && (skipped > 0 || fine > 0);
        writeln!(f, "{}", if is_hidden { " (-v shows all)" } else { "" })
    }
}

fn write_wrapped(f: &mut fmt::Formatter<'_>, head: &str, text: &str) -> fmt::Result {
    writeln!(f, "{}", wrapped(head, text))
}

/// `text` after `head`, and its further lines below its beginning. A word that is longer than a line, such
/// as a URL, stays whole.
fn wrapped(head: &str, text: &str) -> String {
    let printable = printable::line(text.trim());
    let indent = " ".repeat(head.chars().count());
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(head)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(&printable, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnosis(findings: Vec<Finding>) -> Diagnosis {
        Diagnosis::new(Subject::Pod, vec![Section { name: "section", findings }])
    }

    #[test]
    fn failures_are_first_and_what_is_fine_is_one_line() {
        let findings = vec![
            Finding::ok("a", "yes"),
            Finding::warning("b", "is odd", "mend it"),
            Finding::skipped("c", "no", "look"),
            Finding::failed("d", "is missing", "get it"),
        ];
        let shown = diagnosis(findings);
        assert_eq!(
            shown.to_string(),
            "this container\n\n\
             failed\n  \
             ✗ d                 is missing\n      \
             fix: get it\n\n\
             warnings\n  \
             ! b                 is odd\n      \
             fix: mend it\n\n\
             failed: 1, warnings: 1, skipped: 1, fine: 1 (-v shows all)\n"
        );
        let all = serde_json::to_value(&shown).unwrap();
        assert_eq!(all["sections"][0]["findings"].as_array().unwrap().len(), 4);
        let verbose = shown.verbose(true).to_string();
        assert!(verbose.contains("section\n  ✓ a  "), "{verbose}");
        assert!(verbose.ends_with("failed: 1, warnings: 1, skipped: 1, fine: 1\n"), "{verbose}");
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
        let about = skipped("b").about("node/x");
        let shown = diagnosis(vec![skipped("a"), about, Finding::ok("c", "yes")]).verbose(true);
        assert_eq!(
            shown.to_string(),
            "this container\n\n\
             section\n  \
             – a                 no\n  \
             – b                 node/x: no\n      \
             fix: first the other\n  \
             ✓ c                 yes\n\n\
             failed: 0, warnings: 0, skipped: 2, fine: 1\n"
        );
    }

    #[test]
    fn colors_are_for_the_mark_only() {
        let mut shown = diagnosis(vec![Finding::failed("a", "no", "do")]);
        shown.colors = true;
        assert!(shown.to_string().contains("  \x1b[31m✗\x1b[0m a  "), "{shown}");
    }

    #[test]
    fn long_text_goes_on_below_its_beginning() {
        let long = "word ".repeat(30);
        let url = format!("https://{}", "x".repeat(90));
        let shown = diagnosis(vec![Finding::failed("name", &long, format!("{long}{url}"))]);
        let shown = shown.to_string();
        let lines: Vec<&str> = shown.lines().filter(|line| !line.contains("https")).collect();
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{shown}");
        assert!(shown.contains("\n                      word"), "{shown}");
        assert!(shown.contains("\n           word"), "{shown}");
        assert!(shown.contains(&url), "{shown}");
    }

    #[test]
    fn text_of_others_does_not_command_the_terminal() {
        let shown = diagnosis(vec![Finding::failed("a", "x\x1b[2J\u{9b}y\nz", "\x1b]0;t\x07")]);
        let strange = shown.to_string().chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(strange, None, "{shown}");
    }
}
