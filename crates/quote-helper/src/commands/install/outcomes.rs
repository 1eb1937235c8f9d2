//! The result for each object, as text and as JSON.

use std::fmt;

use kubernetes::installation::{AppliedObject, ObjectName, ObjectOutcome, Preview};
use serde::Serialize;

use crate::output::table;

/// The result for each object.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Outcomes(Vec<Row>);

/// The expected change of each object.
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

    /// The object's kind and name.
    fn object(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }
}

impl From<Vec<AppliedObject>> for Outcomes {
    fn from(done: Vec<AppliedObject>) -> Self {
        let row = |done: AppliedObject| Row::new(done.object, past(done.outcome), String::new());
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
        let row = |object| Row::new(object, future(ObjectOutcome::Removed), String::new());
        Self(objects.into_iter().map(row).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn past(outcome: ObjectOutcome) -> &'static str {
    match outcome {
        ObjectOutcome::Created => "created",
        ObjectOutcome::Changed => "changed",
        ObjectOutcome::Unchanged => "unchanged",
        ObjectOutcome::Removed => "removed",
        ObjectOutcome::Unmanaged => "used, made by others",
        ObjectOutcome::InUse => "kept, in use by others",
    }
}

fn future(outcome: ObjectOutcome) -> &'static str {
    match outcome {
        ObjectOutcome::Created => "to be created",
        ObjectOutcome::Changed => "to be changed",
        ObjectOutcome::Removed => "to be removed",
        other => past(other),
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_table(f, &self.0)
    }
}

/// The changes, then a table of all objects.
impl fmt::Display for Previews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in self.0.iter().filter(|row| !row.difference.is_empty()) {
            writeln!(f, "{}", row.difference)?;
        }
        write_table(f, &self.0)
    }
}

fn write_table(f: &mut fmt::Formatter<'_>, rows: &[Row]) -> fmt::Result {
    let rows: Vec<_> = rows.iter().map(|row| [row.object(), row.outcome.to_string()]).collect();
    table(f, &rows)
}

/// The schemas of the JSON output.
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
    fn results_match_their_schemas() {
        let row = |outcome| Row {
            kind: "DaemonSet",
            namespace: Some("sgx-quote-helper".to_owned()),
            name: "sgx-device-plugin".to_owned(),
            outcome,
            difference: String::new(),
        };
        let changed =
            Row { difference: "-a\n+b\n".to_owned(), ..row(future(ObjectOutcome::Changed)) };
        assert_valid(&Outcomes(vec![
            row(past(ObjectOutcome::Created)),
            row(past(ObjectOutcome::Unchanged)),
        ]));
        assert_valid(&Previews(vec![row(future(ObjectOutcome::Removed)), changed]));
    }
}
