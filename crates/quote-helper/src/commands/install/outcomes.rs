//! What has become of each object, for people and for programs.

use std::fmt;

use kubernetes::installation::{Done, ObjectName, Outcome, Preview};
use serde::Serialize;

/// What has become of each object.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Outcomes(Vec<Row>);

/// How each object would change.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Previews(Vec<Row>);

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Row {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    difference: String,
}

impl Row {
    fn new(object: ObjectName, outcome: &'static str, difference: String) -> Self {
        let ObjectName { kind, namespace, name } = object;
        Self { kind: kind.name(), namespace, name, outcome, difference }
    }

    /// The object as people read it.
    fn object(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }
}

impl From<Vec<Done>> for Outcomes {
    fn from(done: Vec<Done>) -> Self {
        let row = |done: Done| Row::new(done.object, past(done.outcome), String::new());
        Self(done.into_iter().map(row).collect())
    }
}

impl From<Vec<Preview>> for Previews {
    fn from(previews: Vec<Preview>) -> Self {
        let row = |it: Preview| Row::new(it.object, future(it.outcome), it.difference);
        Self(previews.into_iter().map(row).collect())
    }
}

impl Outcomes {
    /// Objects that would be removed.
    pub(crate) fn to_remove(objects: Vec<ObjectName>) -> Self {
        let row = |object| Row::new(object, future(Outcome::Removed), String::new());
        Self(objects.into_iter().map(row).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn past(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Changed => "changed",
        Outcome::Unchanged => "unchanged",
        Outcome::Removed => "removed",
        Outcome::NotOurs => "used, made by others",
        Outcome::InUse => "kept, in use by others",
    }
}

fn future(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "to be created",
        Outcome::Changed => "to be changed",
        Outcome::Unchanged => "unchanged",
        Outcome::Removed => "to be removed",
        Outcome::NotOurs => "used, made by others",
        Outcome::InUse => "kept, in use by others",
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        table(f, &self.0)
    }
}

/// The changes, and all objects in a table.
impl fmt::Display for Previews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in self.0.iter().filter(|row| !row.difference.is_empty()) {
            writeln!(f, "{}", row.difference)?;
        }
        table(f, &self.0)
    }
}

fn table(f: &mut fmt::Formatter<'_>, rows: &[Row]) -> fmt::Result {
    let width = rows.iter().map(|row| row.object().len()).max().unwrap_or(0);
    for row in rows {
        writeln!(f, "{:width$}  {}", printable::line(&row.object()), row.outcome)?;
    }
    Ok(())
}

/// The schemas of what it prints as JSON.
#[cfg(test)]
pub(crate) fn schemas() -> Vec<(&'static str, schemars::Schema)> {
    use crate::schemas;
    vec![("install", schemas::of::<Outcomes>()), ("install-diff", schemas::of::<Previews>())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemas::assert_valid;

    #[test]
    fn results_are_as_their_schemas_say() {
        let row = |outcome| Row {
            kind: "DaemonSet",
            namespace: Some("sgx-quote-helper".to_owned()),
            name: "sgx-device-plugin".to_owned(),
            outcome,
            difference: String::new(),
        };
        let changed = Row { difference: "-a\n+b\n".to_owned(), ..row(future(Outcome::Changed)) };
        assert_valid(&Outcomes(vec![row(past(Outcome::Created)), row(past(Outcome::Unchanged))]));
        assert_valid(&Previews(vec![row(future(Outcome::Removed)), changed]));
    }
}
