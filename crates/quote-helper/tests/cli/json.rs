//! Results in JSON match their schemas in `docs/schemas`, and those of earlier releases, by an
//! independent validator.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;
use test_support::release::releases;

use crate::check_cluster::{ApiServer, Reply};
use crate::support::{Machine, RunResult, Serve};

/// Results that need a cluster; unit tests beside their types cover them.
const ELSEWHERE: [&str; 2] = ["install", "install-diff"];

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas/v1")
}

/// Validates results against schemas, and records the schemas that had a result.
#[derive(Default)]
struct Checked(BTreeSet<String>);

impl Checked {
    #[track_caller]
    fn check(&mut self, name: &str, value: &Value) {
        let earlier = releases().into_iter().map(|release| release.join("schemas"));
        for directory in earlier.chain([schemas()]) {
            let file = directory.join(format!("{name}.json"));
            // A release lacks the schemas of later commands.
            if file.exists() {
                is_valid(value, &file);
            }
        }
        self.0.insert(name.to_owned());
    }
}

#[track_caller]
fn is_valid(value: &Value, file: &Path) {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    let schema = compiler.compile(file.to_str().unwrap(), &mut schemas).unwrap();
    if let Err(error) = schemas.validate(value, schema) {
        panic!("{}: {error:#}\n{value:#}", file.display());
    }
}

#[test]
fn each_result_matches_its_schema() {
    let mut checked = Checked::default();
    let machine = Machine::new();
    let line = "serve --platform software --socket aesm.socket --state-dir state \
         --collateral-listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 --log-format json";
    let serve = Serve::start(&mut machine.command(line));
    machine.succeed("platform root --state-dir state --out root.pem");
    machine.quote("07");
    let sources = format!("--cache-dir cache --trusted-root root.pem --source {}", serve.pccs());
    let json =
        |line: &str| RunResult::of(&mut machine.command(&format!("{line} --output json"))).json();

    checked.check("platform-show", &json("platform show --state-dir state"));
    checked.check("platform-tcb", &json("platform tcb --state-dir state"));
    checked.check("platform-tcb", &json("platform tcb --state-dir state --raise"));
    checked.check("load", &json("load --socket aesm.socket --duration 200ms --clients 1"));
    checked.check("conformance", &json("conformance --socket aesm.socket"));
    checked.check("check", &json("check --machine --socket aesm.socket"));
    checked.check("check", &json("check --in-pod --socket nobody.socket"));
    let quote = format!("--trusted-root root.pem --source {}", serve.pccs());
    checked.check("verify", &json(&format!("verify q.bin {quote}")));
    checked.check("verify", &json(&format!("verify q.bin {quote} --isv-prod-id 7")));
    checked.check("verify", &json("verify q.bin --source http://127.0.0.1:1 --timeout 1s"));
    checked.check("inspect", &json("inspect q.bin"));
    let metrics = serve.metrics_address();
    checked.check("top", &json(&format!("top --count 1 --metrics {metrics}")));
    checked.check("top", &json("top --count 1 --metrics unix:nobody.socket"));

    let fetch = format!("collateral fetch --quote q.bin {sources}");
    checked.check("collateral-fetch", &json(&fetch));
    checked.check("collateral-fetch", &json(&fetch));
    for (name, line) in
        [("collateral-list", "collateral list"), ("collateral-status", "collateral status --probe")]
    {
        checked.check(name, &json(&format!("{line} {sources}")));
    }
    machine.succeed(&format!("collateral export bundle {sources}"));
    let import = "collateral import bundle --cache-dir other --trusted-root root.pem";
    checked.check("collateral-import", &json(import));
    checked.check("collateral-import", &json("collateral import bundle --cache-dir third"));

    serve.signal(Signal::TERM);
    let (_, log) = serve.wait();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        checked.check("log", &line);
        if line["fields"]["message"] == "quote" {
            checked.check("audit", &line);
        }
    }

    let files = std::fs::read_dir(schemas()).unwrap().map(|file| file.unwrap().path());
    let names = files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned());
    let missing: Vec<_> =
        names.filter(|name| !checked.0.contains(name) && !ELSEWHERE.contains(&&**name)).collect();
    assert!(missing.is_empty(), "nothing was checked against {missing:?}");
}

#[test]
fn a_cluster_that_does_not_answer_is_a_result_too() {
    let server = ApiServer::start(|_| Reply::status(403, "Forbidden"));
    let machine = Machine::new();
    machine.write("kubeconfig", server.kubeconfig());
    let mut command = machine.command("check --cluster --output json");
    let ended = RunResult::of(command.env("KUBECONFIG", machine.path("kubeconfig")));
    Checked::default().check("check", &ended.json());
}
