//! A diagnosis as text for people.

use std::fmt;
use std::io::{self, IsTerminal};

use diagnosis::{Diagnosis, Finding, Status, Subject};

const WIDTH: usize = 80;
/// The minimum width of the names of findings, in columns.
const NAME_WIDTH: usize = 17;

/// The text of a diagnosis. It is printable but for its own colors.
pub(super) struct Text<'a> {
    diagnosis: &'a Diagnosis,
    /// Shows all findings, section by section, rather than failures and warnings.
    verbose: bool,
    colors: bool,
}

impl<'a> Text<'a> {
    /// The text, in colors if standard output is a terminal and `NO_COLOR` is not set.
    pub(super) fn new(diagnosis: &'a Diagnosis, verbose: bool) -> Self {
        let colors = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { diagnosis, verbose, colors }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.diagnosis.subject {
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
            self.diagnosis.sections.iter().try_for_each(|section| {
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

impl Text<'_> {
    fn with(&self, status: Status) -> Vec<&Finding> {
        let findings = self.diagnosis.sections.iter().flat_map(|section| &section.findings);
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
            // A fix that consecutive findings share is written once.
            let shared = findings.peek().is_some_and(|next| next.fix == finding.fix);
            if let (Some(fix), false) = (&finding.fix, shared) {
                writeln!(f, "{}", wrapped("      fix: ", fix))?;
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
        // The mark before it has three columns.
        let lines = wrapped(&format!("    {:<width$} ", finding.name), &text);
        writeln!(f, "{}", lines.get(3..).unwrap_or_default())
    }
}

/// `text` after `head`, wrapped and indented. A word that is longer than a line, such as a URL, is
/// not broken.
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
    use diagnosis::Section;

    use super::*;

    fn diagnosis(findings: Vec<Finding>) -> Diagnosis {
        Diagnosis::new(Subject::Pod, vec![Section { name: "section", findings }])
    }

    fn text(findings: Vec<Finding>) -> String {
        Text { diagnosis: &diagnosis(findings), verbose: false, colors: false }.to_string()
    }

    fn verbose_text(findings: Vec<Finding>) -> String {
        Text { diagnosis: &diagnosis(findings), verbose: true, colors: false }.to_string()
    }

    #[test]
    fn failures_are_first_and_what_is_fine_is_one_line() {
        let findings = vec![
            Finding::ok("a", "yes"),
            Finding::warning("b", "is odd", "mend it"),
            Finding::skipped("c", "no", "look"),
            Finding::failed("d", "is missing", "get it"),
        ];
        assert_eq!(
            text(findings.clone()),
            "this container\n\n\
             failed\n  \
             ✗ d                 is missing\n      \
             fix: get it\n\n\
             warnings\n  \
             ! b                 is odd\n      \
             fix: mend it\n\n\
             failed: 1, warnings: 1, skipped: 1, fine: 1 (-v shows all)\n"
        );
        let all = serde_json::to_value(diagnosis(findings.clone())).unwrap();
        assert_eq!(all["sections"][0]["findings"].as_array().unwrap().len(), 4);
        let verbose = verbose_text(findings);
        assert!(verbose.contains("section\n  ✓ a  "), "{verbose}");
        assert!(verbose.ends_with("failed: 1, warnings: 1, skipped: 1, fine: 1\n"), "{verbose}");
    }

    #[test]
    fn a_fix_that_findings_share_is_said_once() {
        let skipped = |name| Finding::skipped(name, "no", "first the other");
        let about = skipped("b").about("node/x");
        assert_eq!(
            verbose_text(vec![skipped("a"), about, Finding::ok("c", "yes")]),
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
        let diagnosis = diagnosis(vec![Finding::failed("a", "no", "do")]);
        let shown = Text { diagnosis: &diagnosis, verbose: false, colors: true };
        assert!(shown.to_string().contains("  \x1b[31m✗\x1b[0m a  "), "{shown}");
    }

    #[test]
    fn long_text_goes_on_below_its_beginning() {
        let long = "word ".repeat(30);
        let url = format!("https://{}", "x".repeat(90));
        let shown = text(vec![Finding::failed("name", &long, format!("{long}{url}"))]);
        let lines: Vec<&str> = shown.lines().filter(|line| !line.contains("https")).collect();
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{shown}");
        assert!(shown.contains("\n                      word"), "{shown}");
        assert!(shown.contains("\n           word"), "{shown}");
        assert!(shown.contains(&url), "{shown}");
    }

    #[test]
    fn text_of_others_does_not_command_the_terminal() {
        let shown = text(vec![Finding::failed("a", "x\x1b[2J\u{9b}y\nz", "\x1b]0;t\x07")]);
        let strange = shown.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(strange, None, "{shown}");
    }
}
