//! Parses metrics in the OpenMetrics text format, and rejects any deviation.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, ensure};

/// The last line.
const END: &str = "# EOF";
/// The maximum number of samples: several times those of a service with the maximum number of
/// callers.
const MAX_SAMPLES: usize = 20_000;
/// The maximum number of labels of a sample: twice those of a caller.
const MAX_LABELS: usize = 16;

pub(super) type Labels = BTreeMap<String, String>;

/// The samples of one scrape, by name and labels.
#[derive(Debug, Default)]
pub(super) struct Samples(HashMap<String, BTreeMap<Labels, f64>>);

impl Samples {
    /// Parses a scrape.
    ///
    /// # Errors
    /// If the last line is missing, a line is malformed, or two lines have the same name and
    /// labels.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let lines = text.strip_suffix(END).context("there is no \"# EOF\" at the end")?;
        let mut samples = Self::default();
        let mut count: usize = 0;
        for (line, number) in lines.lines().zip(1..) {
            let what = || format!("line {number} is no OpenMetrics: {}", beginning(line));
            if line == END || !line.starts_with('#') {
                let (name, labels, value) = sample(line).with_context(what)?;
                let before = samples.0.entry(name).or_default().insert(labels, value);
                ensure!(before.is_none(), "line {number} says again: {}", beginning(line));
                count = count.saturating_add(1);
                ensure!(count <= MAX_SAMPLES, "there are more than {MAX_SAMPLES} samples");
            }
        }
        Ok(samples)
    }

    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = (&Labels, f64)> {
        self.0.get(name).into_iter().flatten().map(|(labels, value)| (labels, *value))
    }

    pub(super) fn at(&self, name: &str, labels: &Labels) -> Option<f64> {
        self.0.get(name)?.get(labels).copied()
    }

    pub(super) fn value(&self, name: &str) -> Option<f64> {
        self.named(name).next().map(|(_, value)| value)
    }
}

/// Name, labels and value. A time and an exemplar after them are ignored.
fn sample(line: &str) -> Option<(String, Labels, f64)> {
    let (name, rest) = name(line)?;
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Labels::new(), rest),
    };
    let mut words = rest.strip_prefix(' ')?.split(' ');
    let value = words.next()?.parse().ok()?;
    match words.next() {
        None | Some("#") => {}
        Some(time) => drop(time.parse::<f64>().ok()?),
    }
    Some((name.to_owned(), labels, value))
}

/// The labels up to the closing brace, and the rest.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::new();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (label, after) = name(rest)?;
        let (value, after) = quoted(after.strip_prefix("=\"")?)?;
        if labels.insert(label.to_owned(), value).is_some() || labels.len() > MAX_LABELS {
            return None;
        }
        rest = match after.strip_prefix(',') {
            Some(next) => next,
            None if after.starts_with('}') => after,
            None => return None,
        };
    }
}

fn name(text: &str) -> Option<(&str, &str)> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "_:".contains(character);
    let length = text.find(|character| !is_part(character)).unwrap_or(text.len());
    let is_name = !text.starts_with(|character: char| character.is_ascii_digit());
    text.split_at_checked(length).filter(|_| length > 0 && is_name)
}

/// The text up to the closing quotation mark, and the rest.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(match characters.next()? {
                'n' => '\n',
                character @ ('\\' | '"') => character,
                _ => return None,
            }),
            character => value.push(character),
        }
    }
}

/// The beginning of a line, for messages.
fn beginning(line: &str) -> String {
    printable::beginning(line, 60).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> anyhow::Result<Samples> {
        Samples::parse(&format!("{text}\n# EOF\n"))
    }

    fn labels(labels: &[(&str, &str)]) -> Labels {
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn names_labels_and_values_are_read() {
        let samples = parse(
            "# HELP a What it is\n# TYPE a gauge\na 3\na_total{x=\"1\",y=\"\"} 4.5\n\
             a_total{x=\"2\",y=\"\",} 7 1700000000.5\n\
             b_bucket{le=\"+Inf\"} 8 # {trace=\"t\"} 0.5\nn NaN\ni +Inf",
        )
        .unwrap();
        assert_eq!(samples.value("a"), Some(3.0));
        assert_eq!(samples.value("nothing"), None);
        assert_eq!(samples.at("a_total", &labels(&[("x", "1"), ("y", "")])), Some(4.5));
        assert_eq!(samples.at("a_total", &labels(&[("y", ""), ("x", "2")])), Some(7.0));
        assert_eq!(samples.at("a_total", &labels(&[("x", "2")])), None);
        assert_eq!(samples.named("a_total").count(), 2);
        assert_eq!(samples.at("b_bucket", &labels(&[("le", "+Inf")])), Some(8.0));
        assert!(samples.value("n").unwrap().is_nan());
        assert_eq!(samples.value("i"), Some(f64::INFINITY));
    }

    #[test]
    fn escapes_are_undone() {
        let samples = parse(r#"a{pod="a\"b\\c\nd}é,"} 1"#).unwrap();
        let pods: Vec<_> = samples.named("a").map(|(labels, _)| labels["pod"].as_str()).collect();
        assert_eq!(pods, ["a\"b\\c\nd}é,"]);
    }

    #[test]
    fn damaged_samples_are_refused_with_their_line() {
        for line in [
            "",
            " a 1",
            "a",
            "a ",
            "a  1",
            "a one",
            "a 1 then",
            "1a 1",
            "é 1",
            "a{ 1",
            "a{x} 1",
            "a{x=1} 1",
            "a{x=\"1} 1",
            "a{x=\"1\"1} 1",
            "a{x=\"1\" y=\"2\"} 1",
            "a{x=\"1\",x=\"2\"} 1",
            "a{,} 1",
            "a{x=\"\\t\"} 1",
            "a{x=\"\\",
            "a{x=\"1\"}1",
            "\u{1b}[2J 1",
            "# EOF",
        ] {
            let error = parse(&format!("b 1\n{line}\nc 1")).unwrap_err().to_string();
            assert!(error.starts_with("line 2 is no OpenMetrics: "), "{line}: {error}");
            assert!(!error.contains('\u{1b}'), "{error:?}");
        }
        let twice = parse("a{x=\"1\"} 1\na{x=\"1\"} 2").unwrap_err().to_string();
        assert_eq!(twice, "line 2 says again: a{x=\"1\"} 2");
    }

    #[test]
    fn truncated_samples_are_refused() {
        let whole = "a{x=\"\\\"é\"} 1 2 # {y=\"z\"} 3\n# EOF";
        assert!(Samples::parse(whole).is_ok());
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            assert!(Samples::parse(&whole[..end]).is_err(), "{end}");
        }
        assert!(Samples::parse("<!DOCTYPE html>").is_err());
    }
}
