//! A configuration in TOML, with messages about all problems in it.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::SECTION;
use super::error::redact_urls;

/// The name of a setting, and the format of its value, which follows "write " in messages.
pub type Form = (&'static str, &'static str);

/// Maximum length of a value in a message, in characters.
const MAX_SHOWN: usize = 80;
/// Minimum similarity (Jaro-Winkler) of a suggested name.
const SIMILAR: f64 = 0.8;

/// A configuration in valid TOML.
pub struct ConfigText<'a> {
    text: &'a str,
    values: Table,
    spans: DeTable<'a>,
}

/// A problem of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ConfigProblem {
    /// From 1.
    pub line: usize,
    /// The setting, its value, and the required format.
    pub problem: String,
}

impl<'a> ConfigText<'a> {
    /// Parses the text.
    ///
    /// # Errors
    /// The first place at which it is not TOML.
    pub fn parse(text: &'a str) -> Result<Self, ConfigProblem> {
        let wrong = |error| syntax(text, &error);
        let values = text.parse().map_err(wrong)?;
        let spans = DeTable::parse(text).map_err(wrong)?.into_inner();
        Ok(Self { text, values, spans })
    }

    /// The problems of the settings in a section, or outside of sections. Each is read as a `T` of
    /// its own; those of `elsewhere` belong in another place, which it names.
    #[must_use]
    pub fn problems<T: DeserializeOwned>(
        &self,
        section: Option<&str>,
        forms: &[Form],
        elsewhere: (&str, &[Form]),
    ) -> Vec<ConfigProblem> {
        let Some((spans, values)) = self.table(section) else { return Vec::new() };
        let mut problems = Vec::new();
        for (key, value) in spans {
            let name = key.get_ref().as_ref();
            let line = self.line(key.span().start);
            // The settings of a section are checked separately.
            let is_section = name == SECTION && matches!(value.get_ref(), DeValue::Table(_));
            let problem = match forms.iter().find(|(known, _)| *known == name) {
                Some(_) if is_section => None,
                Some((_, form)) => self.wrong_value::<T>(name, value, values.get(name), form),
                None => Some(unknown(name, forms, elsewhere)),
            };
            problems.extend(problem.map(|problem| ConfigProblem { line, problem }));
        }
        problems.sort();
        problems
    }

    /// The settings of a section, or those outside of sections with the sections among them.
    fn table(&self, section: Option<&str>) -> Option<(&DeTable<'a>, &Table)> {
        let Some(section) = section else { return Some((&self.spans, &self.values)) };
        let DeValue::Table(spans) = self.spans.get(section)?.get_ref() else { return None };
        Some((spans, self.values.get(section)?.as_table()?))
    }

    fn wrong_value<T: DeserializeOwned>(
        &self,
        name: &str,
        span: &Spanned<DeValue<'a>>,
        value: Option<&Value>,
        form: &str,
    ) -> Option<String> {
        let alone: BTreeMap<_, _> = [(name, value?)].into();
        let alone = Table::try_from(alone).ok()?;
        let error = alone.try_into::<T>().err()?;
        let written = redact_urls(self.text.get(span.span())?);
        let shown = printable::beginning(&written, MAX_SHOWN);
        // The format says more than these messages of serde.
        let message = redact_urls(error.message());
        let reason = match message.starts_with("invalid ") || message.starts_with("unknown variant")
        {
            true => String::new(),
            false => format!("{message}; "),
        };
        Some(format!("{name} = {shown}: {reason}write {form}"))
    }

    fn line(&self, offset: usize) -> usize {
        line(self.text, offset)
    }
}

/// The most similar of the known names, if it is similar enough.
#[must_use]
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let similarity = |known| (strsim::jaro_winkler(name, known), known);
    let similar = known.into_iter().map(similarity).filter(|(similarity, _)| *similarity > SIMILAR);
    similar.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, known)| known)
}

fn unknown(name: &str, forms: &[Form], (elsewhere, others): (&str, &[Form])) -> String {
    if others.iter().any(|(known, _)| *known == name) {
        return format!("the setting {name} belongs {elsewhere}");
    }
    match nearest(name, forms.iter().map(|(known, _)| *known)) {
        Some(near) => format!("unknown setting {name}; did you mean {near}?"),
        None => format!("unknown setting {name}; deploy/config.toml shows all of them"),
    }
}

/// The error without the line itself, which may hold a secret.
fn syntax(text: &str, error: &toml::de::Error) -> ConfigProblem {
    let line = line(text, error.span().map_or(0, |span| span.start));
    let written = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let key = written.split_once('=').map_or(written, |(key, _)| key).trim();
    let is_key =
        |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let message = redact_urls(error.message());
    let problem = match key {
        key if is_key(key) => format!("{key}: {message}; write {key} = VALUE, text in quotes"),
        _ => format!("{message}; write KEY = VALUE, text in quotes"),
    };
    ConfigProblem { line, problem }
}

fn line(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    before.matches('\n').count().saturating_add(1)
}
