//! JSON with a quote in any field: requests and responses of attestation services, and evidence of
//! Confidential Containers.

use serde_json::Value;

use crate::Evidence;
use crate::error::{Problem, ReadError};
use crate::forms::json_binding;
use crate::reader::Reader;
use crate::wrapping::Wrapping;

/// Shorter fields hold no quote: the smallest one has 1,020 bytes.
const MIN_LENGTH: usize = 400;

/// The maximum number of quotes to collect: two prove that there are several.
const MAX_FOUND: usize = 2;

/// The maximum length of a field's name in messages, in characters, and the number of fields.
const MAX_NAME_LENGTH: usize = 40;
const NAMED_FIELDS: usize = 8;

/// Reads the document; `None` if the text does not begin like one.
pub(crate) fn read(reader: Reader, text: &str) -> Option<Result<Evidence, ReadError>> {
    text.starts_with(['{', '[', '"']).then(|| match serde_json::from_str(text) {
        Ok(document) => {
            Search { reader, path: Vec::new(), found: Vec::new(), damaged: None }.run(&document)
        }
        Err(error) => {
            Err(Problem::Malformed { form: "the JSON", reason: printable::json_error(&error) }
                .into())
        }
    })
}

/// The search for a quote in a document.
struct Search<'a> {
    reader: Reader,
    /// The names of the fields around the current value.
    path: Vec<&'a str>,
    /// Distinct quotes, with their paths.
    found: Vec<(String, Evidence)>,
    /// The error of the first field that looks like a quote and cannot be read.
    damaged: Option<ReadError>,
}

impl<'a> Search<'a> {
    fn run(mut self, document: &'a Value) -> Result<Evidence, ReadError> {
        self.value(document, None);
        let paths: Vec<_> = self.found.iter().map(|(path, _)| path.as_str()).collect();
        if paths.len() > 1 {
            return Err(Problem::Several(paths.join(" and ")).into());
        }
        match self.found.pop() {
            Some((path, evidence)) => Ok(evidence.within(Wrapping::Json(path))),
            None => Err(self.damaged.unwrap_or_else(|| no_quote(document))),
        }
    }

    /// Searches a value; serde_json limits the depth.
    fn value(&mut self, value: &'a Value, parent: Option<&Value>) {
        match value {
            Value::String(text) if text.len() >= MIN_LENGTH => self.field(text.as_bytes(), parent),
            Value::Array(items) => match bytes(items) {
                Some(bytes) => self.field(&bytes, parent),
                None => items.iter().for_each(|item| self.value(item, Some(value))),
            },
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.path.push(name);
                    self.value(field, Some(value));
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    fn field(&mut self, bytes: &[u8], parent: Option<&Value>) {
        match self.reader.field().and_then(|field| field.read(bytes)) {
            Ok(mut evidence) => {
                let binding = parent.and_then(|parent| json_binding::check(parent, &evidence));
                evidence.bindings.extend(binding);
                self.keep(evidence);
            }
            Err(error) if !error.is_no_quote() && self.damaged.is_none() => {
                self.damaged = Some(error.within(Wrapping::Json(self.path())));
            }
            Err(_) => {}
        }
    }

    /// The same quote in two fields counts once, with the bindings of both.
    fn keep(&mut self, evidence: Evidence) {
        if let Some((_, found)) =
            self.found.iter_mut().find(|(_, found)| found.bytes == evidence.bytes)
        {
            found.bindings.extend(evidence.bindings);
        } else if self.found.len() < MAX_FOUND {
            self.found.push((self.path(), evidence));
        }
    }

    /// The path with truncated names, for messages.
    fn path(&self) -> String {
        let names = self.path.iter().map(|name| name.chars().take(MAX_NAME_LENGTH).collect());
        names.collect::<Vec<String>>().join(".")
    }
}

/// The items as bytes, if there are enough of them and all are numbers from 0 to 255.
fn bytes(items: &[Value]) -> Option<Vec<u8>> {
    if items.len() < MIN_LENGTH {
        return None;
    }
    items.iter().map(|item| u8::try_from(item.as_u64()?).ok()).collect()
}

fn no_quote(document: &Value) -> ReadError {
    let kind = match document {
        Value::Object(fields) => {
            let shown = |name: &String| name.chars().take(MAX_NAME_LENGTH).collect();
            let names: Vec<String> = fields.keys().take(NAMED_FIELDS).map(shown).collect();
            let more = if fields.len() > NAMED_FIELDS { ", …" } else { "" };
            format!("JSON without a quote, with the fields {}{more}", names.join(", "))
        }
        _ => "JSON without a quote".to_owned(),
    };
    Problem::NoQuote(kind).into()
}
