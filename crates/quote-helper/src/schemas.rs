//! The JSON Schemas of results and of the log, in `docs/schemas`, generated from the types by
//! `just schemas`.

mod tests;

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::commands::{
    check, collateral, conformance, inspect, install, load, platform, top, verify,
};

/// The version of all schemas. A removed or changed field needs a new one.
const VERSION: &str = "v1";

/// The schema of a type as it is serialized.
pub(crate) fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// Validates a value against the schema of its type.
#[track_caller]
pub(crate) fn assert_valid<T: JsonSchema + Serialize>(value: &T) {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("schema.json", of::<T>().to_value()).unwrap();
    let schema = compiler.compile("schema.json", &mut schemas).unwrap();
    let value = serde_json::to_value(value).unwrap();
    if let Err(error) = schemas.validate(&value, schema) {
        panic!("{error:#}");
    }
}

/// The schema of a type whose optional fields may be absent.
fn of_lines<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}

/// A line of the log of `serve`, `collateral serve`, `webhook` or `device-plugin` with the log
/// format `json`.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is of use")]
struct LogLine {
    /// RFC 3339, in UTC.
    timestamp: String,
    level: Level,
    fields: LogFields,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "UPPERCASE")]
#[allow(dead_code, reason = "only its schema is of use")]
enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is of use")]
struct LogFields {
    /// Identifies the event. Other fields depend on it.
    message: String,
}

/// A line of the audit log, for one or several requests for a quote that are alike. These are the
/// lines of the log with the message `quote`.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is of use")]
struct AuditLine {
    /// RFC 3339, in UTC.
    timestamp: String,
    level: Level,
    fields: AuditFields,
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is of use")]
struct AuditFields {
    #[schemars(extend("const" = "quote"))]
    message: String,
    /// The effective user of the process when it connected; `others` for all beyond the budget.
    uid: Option<Id>,
    /// The first user of a range that counts as one caller.
    first_uid: Option<Id>,
    /// The effective group.
    gid: Option<Id>,
    /// The process, if it is visible to the service.
    pid: Option<Id>,
    /// The UID of the pod.
    pod: Option<String>,
    /// The id of the container.
    container: Option<String>,
    /// MRENCLAVE in hexadecimal; `others` for all beyond the budget. Absent without a quote.
    mrenclave: Option<String>,
    /// MRSIGNER in hexadecimal. Absent without a quote, as the following fields are.
    mrsigner: Option<String>,
    isv_prod_id: Option<u16>,
    isv_svn: Option<u16>,
    /// True for a debug enclave.
    debug: Option<bool>,
    /// `SUCCESS`, or the name of the AESM error without `AESM_`; `others` beyond the budget.
    outcome: String,
    /// The reason of a failure.
    reason: Option<String>,
    /// Microseconds from the request to the reply; of several quotes the longest.
    latency_us: u64,
    /// The number of requests.
    quotes: u64,
}

/// A number or a name.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "only its schema is of use")]
enum Id {
    Number(u64),
    Name(String),
}

/// Each schema by its name.
fn all() -> BTreeMap<&'static str, Schema> {
    let of_commands = [
        check::schemas(),
        inspect::schemas(),
        verify::schemas(),
        collateral::schemas(),
        install::outcomes::schemas(),
        conformance::schemas(),
        load::schemas(),
        platform::schemas(),
        top::schemas(),
    ];
    let of_log = [("log", of_lines::<LogLine>()), ("audit", of_lines::<AuditLine>())];
    of_commands.into_iter().flatten().chain(of_log).collect()
}
