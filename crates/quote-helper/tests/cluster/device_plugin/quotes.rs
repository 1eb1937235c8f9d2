//! Quotes for containers, by a quote service on the node.

use std::process::Command;

use serde_json::{Value, json};

use super::host::Host;
use super::program::Program;
use crate::EPC;
use crate::add_on::image;
use crate::cluster::offers;
use crate::pod::{Pod, container};

/// The program in the image.
const PROGRAM: &str = "/usr/bin/quote-helper";

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn a_pod_gets_quotes_without_host_volumes() {
    let host = Host::new();
    let _service = serve(&host);
    let _plugin = host.plugin("--epc-size 168MiB");
    offers(EPC, 168);

    let pod = Pod::of_spec(quoting_pod()).succeeds();
    let quote: Value = serde_json::from_str(&pod.log("inspect")).unwrap();
    let qe_id = &quote["fields"]["header"]["user_data"].as_str().unwrap()[..32];
    assert_eq!(qe_id, platform(&host)["qe_id"], "the quote is by the node's platform");
}

/// A quote service on the node.
fn serve(host: &Host) -> Program {
    let mut arguments = vec!["serve".into(), "--platform=software".into()];
    arguments.extend(["--socket".into(), host.aesm_dir().join("aesm.socket").into_os_string()]);
    arguments.extend(["--state-dir".into(), host.path("state").into_os_string()]);
    let mut service = Program::start(&arguments);
    service.event("serving quotes");
    service
}

/// Makes a quote, then shows it. Conforms to Pod Security's level `restricted`.
fn quoting_pod() -> Value {
    let mut quote = container("quote", &[(EPC, 10)]);
    quote["env"] = json!([{ "name": "SGX_AESM_ADDR", "value": "1" }]);
    quote["command"] = json!([PROGRAM, "quote", "--report-data=07", "--out=/quotes/q.bin"]);
    let mut inspect = container("inspect", &[]);
    inspect["command"] = json!([PROGRAM, "inspect", "/quotes/q.bin", "--output=json"]);
    for container in [&mut quote, &mut inspect] {
        container["image"] = json!(image());
        container["volumeMounts"] = json!([{ "name": "quotes", "mountPath": "/quotes" }]);
        container["securityContext"] = json!({
            "allowPrivilegeEscalation": false,
            "capabilities": { "drop": ["ALL"] },
            "readOnlyRootFilesystem": true,
        });
    }
    json!({
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": 65534,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "initContainers": [quote],
        "containers": [inspect],
        "volumes": [{ "name": "quotes", "emptyDir": {} }],
    })
}

/// The platform of the quote service.
fn platform(host: &Host) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quote-helper"));
    command.args(["platform", "show", "--output=json", "--state-dir"]).arg(host.path("state"));
    serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
}
