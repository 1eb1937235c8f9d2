use std::fs;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use kubernetes::manifests::{AddOn, Cluster, InjectionMethod};
use serde_json::{Value as Json, json};

use super::schema::schema;
use super::value::Value;
use super::{is_value, options, values_file};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn values() -> Vec<Value> {
    let options = options();
    let values = options.get_arguments().filter(is_value).map(|it| Value::of(it, &options));
    let mut values: Vec<_> = values.collect();
    let deployment = values.iter().position(|value| value.name == "deployment").unwrap();
    values.insert(deployment.saturating_add(1), Value::deployment_root());
    values
}

/// The files of the chart that follow from this program.
fn generated() -> Vec<(&'static str, String)> {
    let policies = "crates/kubernetes/src/manifests/admission_policy";
    let copy = |name| fs::read_to_string(repository().join(policies).join(name)).unwrap();
    let [requests_epc, mentions_sgx] = conditions();
    vec![
        ("values.yaml", values_file::text(&values())),
        ("values.schema.json", serde_json::to_string_pretty(&schema(&values())).unwrap() + "\n"),
        ("files/injection.yaml", copy("injection.yaml")),
        ("files/warnings.yaml", copy("warnings.yaml")),
        ("files/requests-epc.cel", requests_epc + "\n"),
        ("files/mentions-sgx.cel", mentions_sgx + "\n"),
        ("Chart.yaml", chart()),
    ]
}

/// The chart's description, of this version.
fn chart() -> String {
    let file = repository().join("deploy/chart/sgx-quote-helper/Chart.yaml");
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| match line.split_once(": ") {
        Some((key @ ("version" | "appVersion"), _)) => {
            format!("{key}: {}\n", env!("CARGO_PKG_VERSION"))
        }
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// The conditions of the webhook's two parts.
fn conditions() -> [String; 2] {
    let add_on = AddOn { injection: Some(InjectionMethod::Webhook), ..AddOn::default() };
    let objects = add_on.objects(&Cluster::default()).unwrap();
    let is_configuration = |kind: &str| kind == "MutatingWebhookConfiguration";
    let configuration = objects
        .iter()
        .find(|it| it.types.as_ref().is_some_and(|types| is_configuration(&types.kind)))
        .unwrap();
    let webhooks = &configuration.data["webhooks"];
    [&webhooks[0]["matchConditions"][0], &webhooks[1]["matchConditions"][1]]
        .map(|condition| condition["expression"].as_str().unwrap().to_owned())
}

#[test]
fn chart_is_up_to_date() {
    let writes = std::env::var_os("WRITE_CHART").is_some();
    let directory = repository().join("deploy/chart/sgx-quote-helper");
    for (name, text) in generated() {
        let file = directory.join(name);
        if writes {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &text).unwrap();
        }
        let written = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(written, text, "{name}: run `just chart`");
    }
}

fn parsed(option: &str, text: &str) -> Option<ArgMatches> {
    let pccs = "--pccs-url=https://pccs".to_owned();
    let own = (option == "pccs-ca").then_some(pccs);
    let arguments = ["values".to_owned(), format!("--{option}={text}")];
    options().try_get_matches_from(arguments.into_iter().chain(own)).ok()
}

fn is_valid(name: &str, value: &Json) -> bool {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("schema.json", schema(&values())).unwrap();
    let schema = compiler.compile("schema.json", &mut schemas).unwrap();
    schemas.validate(&json!({ name: value }), schema).is_ok()
}

#[test]
fn values_have_the_defaults_of_options() {
    let text = values_file::text(&values());
    for line in [
        "platform: \"dcap\"",
        "firstUid: 61100",
        "hostPid: true",
        "enableSgxquotehelper: false",
        "priorityClass: \"system-node-critical\"",
        "pccsMode: \"lazy\"",
        "image: \"\"",
        "tolerations: []",
        "nodeSelector: {}",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in:\n{text}");
    }
    for value in values() {
        assert!(is_valid(&value.name, &value.default), "{}", value.name);
    }
}

#[test]
fn schema_accepts_the_texts_that_the_option_accepts() {
    for (option, name, text) in [
        ("image", "image", "registry.example/sgx:1@sha256:00"),
        ("image", "image", "two words"),
        ("resource-profile", "resourceProfile", "azure=8GiB,intel"),
        ("resource-profile", "resourceProfile", "amazon"),
        ("epc-accounting", "epcAccounting", "devices"),
        ("epc-accounting", "epcAccounting", "both"),
        ("injection", "injection", "webhook"),
        ("injection", "injection", "none"),
        ("platform", "platform", "software"),
        ("platform", "platform", "simulation"),
        ("priority-class", "priorityClass", "high.priority-1"),
        ("priority-class", "priorityClass", "High"),
        ("pccs-url", "pccsUrl", "https://pccs:8081"),
        ("pccs-url", "pccsUrl", "pccs:8081"),
        ("pccs-mode", "pccsMode", "offline"),
        ("pccs-mode", "pccsMode", "eager"),
        ("pccs-storage", "pccsStorage", "1.5Gi"),
        ("pccs-storage", "pccsStorage", "large"),
        ("pccs-secret", "pccsSecret", "pccs=api-key,admin-token-hash"),
        ("pccs-secret", "pccsSecret", "pccs=password"),
        ("log-level", "logLevel", "trace"),
        ("log-level", "logLevel", "loud"),
        ("software-epc", "softwareEpc", "512MiB"),
        ("software-epc", "softwareEpc", "much"),
    ] {
        let is_accepted = parsed(option, text).is_some();
        assert_eq!(is_valid(name, &json!(text)), is_accepted, "{name}: {text}");
    }
    for (option, name, text) in [
        ("image-pull-secret", "imagePullSecrets", "registry"),
        ("image-pull-secret", "imagePullSecrets", "registry_secret"),
        ("pccs-source", "pccsSources", "thim"),
        ("pccs-source", "pccsSources", "https://pccs.example"),
        ("pccs-source", "pccsSources", "/srv/collateral"),
    ] {
        let is_accepted = parsed(option, text).is_some();
        assert_eq!(is_valid(name, &json!([text])), is_accepted, "{name}: {text}");
    }
}

#[test]
fn schema_accepts_the_numbers_that_the_option_accepts() {
    for number in [-1, 0, 999, 1000, 61_100, 0x7fff_fff0, 0x7fff_fff1, 0xffff_fffe, 0xffff_ffff] {
        let text = i64::to_string(&number);
        let is_accepted = parsed("first-uid", &text).is_some();
        assert_eq!(is_valid("firstUid", &json!(number)), is_accepted, "{number}");
        let is_accepted = parsed("device-groups", &text).is_some();
        assert_eq!(is_valid("deviceGroups", &json!([number])), is_accepted, "{number}");
    }
    for number in [0, 1, 2, 100, 101] {
        let is_accepted = parsed("webhook-replicas", &i64::to_string(&number)).is_some();
        assert_eq!(is_valid("webhookReplicas", &json!(number)), is_accepted, "{number}");
    }
}

#[test]
fn schema_accepts_the_maps_that_the_option_accepts() {
    for (text, map) in [
        ("webhook=cpu=50m,memory=64Mi", json!({ "webhook": { "cpu": "50m", "memory": "64Mi" } })),
        ("webhook=disk=1", json!({ "webhook": { "disk": "1" } })),
        ("webhook=cpu=some", json!({ "webhook": { "cpu": "some" } })),
        ("kubelet=cpu=1", json!({ "kubelet": { "cpu": "1" } })),
    ] {
        let is_accepted = parsed("requests", text).is_some();
        assert_eq!(is_valid("requests", &map), is_accepted, "{map}");
        assert_eq!(is_valid("limits", &map), is_accepted, "{map}");
    }
    for key in ["team", "example.com/team", "app.kubernetes.io/name", "sgx-quote-helper/inject"] {
        for (option, name) in [("label", "labels"), ("annotation", "annotations")] {
            let is_accepted = parsed(option, &format!("{key}=some")).is_some();
            assert_eq!(is_valid(name, &json!({ key: "some" })), is_accepted, "{name}: {key}");
        }
    }
}

#[test]
fn schema_refuses_unknown_values() {
    assert!(!is_valid("namespace", &json!("sgx")));
    assert!(!is_valid("enablePCCS", &json!(true)));
    assert!(is_valid("global", &json!({ "imageRegistry": "registry.example" })));
}
