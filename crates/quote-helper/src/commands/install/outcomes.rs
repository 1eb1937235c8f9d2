//! What has become of each object, for people and for programs.

use std::fmt;

use kubernetes::installation::{Done, ObjectName, Outcome, Preview};
use serde::Serialize;

/// What has become of each object.
#[derive(Serialize)]
pub(crate) struct Outcomes(Vec<Row>);

/// How each object would change.
#[derive(Serialize)]
pub(crate) struct Previews(Vec<Row>);

#[derive(Serialize)]
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
