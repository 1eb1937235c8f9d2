//! `inject`: YAML in, YAML out. The library has tests of the injected settings.

mod corpus;
mod migration;

use std::io::Write;
use std::process::Stdio;

use crate::support::{Machine, RunResult};

const OBJECTS: &str = "\
# A comment.
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  answer: \"yes\"
---
apiVersion: batch/v1
kind: Job
metadata:
  name: attest
spec:
  novelty: 1
  template:
    metadata:
      labels:
        sgx-quote-helper/inject: \"true\"
    spec:
      containers:
      - name: app
        resources:
          limits:
            kubernetes.azure.com/sgx_epc_mem_in_MiB: 10
        volumeMounts:
        - name: socket
          mountPath: /var/run/aesmd/aesm.socket
";

fn machine() -> Machine {
    let machine = Machine::new();
    machine.write("objects.yaml", OBJECTS);
    machine
}

#[test]
fn standard_output_is_yaml_and_warnings_go_to_standard_error() {
    let ended = machine().succeed("inject -f objects.yaml");
    for part in [
        "kind: ConfigMap",
        "# A comment.\n",
        "metadata: {name: settings}\n",
        "answer: \"yes\"",
        "---",
        "novelty: 1",
        "sgx.intel.com/epc: \"10485760\"",
        "kubernetes.azure.com/sgx_epc_mem_in_MiB: 10\n",
        "- name: SGX_AESM_ADDR\n          value: \"1\"",
        "operator: Exists",
    ] {
        assert!(ended.stdout.contains(part), "{part:?} is missing: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("warning"), "{}", ended.stdout);
    ended.says(&["warning: Job \"attest\": container \"app\" mounts the socket file"]);
}

#[test]
fn a_second_time_adds_nothing() {
    let machine = machine();
    let once = machine.succeed("inject -f objects.yaml").stdout;
    machine.write("once.yaml", &once);
    assert_eq!(machine.succeed("inject --file once.yaml").stdout, once);
}

#[test]
fn it_reads_standard_input() {
    let machine = machine();
    let mut command = machine.command("inject -f - --output json");
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(OBJECTS.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"][0]["data"]["answer"], "yes");
    let pod = &list["items"][1]["spec"]["template"];
    assert_eq!(pod["metadata"]["annotations"]["sgx.intel.com/epc"], "10485760");
}

#[test]
fn one_object_in_json_is_no_list() {
    let machine = Machine::new();
    machine.write("pod.json", r#"{ "apiVersion": "v1", "kind": "Pod" }"#);
    assert_eq!(machine.succeed("inject -f pod.json --output json").json()["kind"], "Pod");
}

#[test]
fn flags_and_variables_say_what_the_cluster_is_like() {
    let machine = Machine::new();
    machine.write("pod.yaml", OBJECTS.replace("/var/run/aesmd/aesm.socket", "/data"));
    let default = machine.succeed("inject -f pod.yaml");
    assert!(default.stdout.contains("path: /var/run/aesmd"), "{}", default.stdout);
    assert!(default.stdout.contains("sgx.intel.com/enclave"), "{}", default.stdout);
    assert_eq!(default.stderr, "");
    let flags = "--aesm-dir /opt/aesm --epc-accounting devices --quote-service false";
    let other = machine.succeed(&format!("inject -f pod.yaml {flags}"));
    assert!(other.stdout.contains("path: /opt/aesm"), "{}", other.stdout);
    assert!(!other.stdout.contains("sgx.intel.com/enclave"), "{}", other.stdout);
    other.says(&["--enable-sgxquotehelper"]);
    let given = machine.succeed("inject -f pod.yaml --socket-by-device-plugin");
    assert!(!given.stdout.contains("hostPath"), "{}", given.stdout);
    let mut command = machine.command("inject -f pod.yaml");
    command.env("QUOTE_HELPER_SOCKET_BY_DEVICE_PLUGIN", "true");
    assert_eq!(RunResult::of(&mut command).stdout, given.stdout);
}

#[test]
fn unreadable_input_is_reported_and_nothing_is_printed() {
    let machine = Machine::new();
    let no_pod = format!("{OBJECTS}---\napiVersion: v1\nkind: Pod\nspec: none\n");
    for (text, says) in [
        ("", "there is no object in it"),
        ("a: [", "it is not YAML"),
        ("a: 1\na: 2\n", "duplicate"),
        (&no_pod, "cannot inject into document 3 of bad.yaml: its pod cannot be read"),
    ] {
        machine.write("bad.yaml", text);
        let ended = machine.run("inject -f bad.yaml").with_code(1);
        assert_eq!(ended.stdout, "");
        ended.says(&["bad.yaml", says]);
    }
    machine.write("bad.yaml", b"a: \xff");
    machine.run("inject -f bad.yaml").with_code(1).says(&["UTF-8"]);
    machine.write("bad.yaml", "#".repeat(5 << 20));
    machine.run("inject -f bad.yaml").with_code(1).says(&["more than 4194304 bytes"]);
    machine.run("inject -f missing.yaml").with_code(1).says(&["missing.yaml"]);
    machine.run("inject").with_code(2).says(&["--file"]);
}

#[test]
fn yaml_that_grows_is_refused() {
    let machine = Machine::new();
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let of = format!("*a{}, ", level - 1).repeat(10);
        bomb += &format!("a{level}: &a{level} [{of}]\n");
    }
    machine.write("bomb.yaml", bomb);
    machine.run("inject -f bomb.yaml").with_code(1).says(&["its aliases add more than"]);
    machine.write("deep.yaml", "[".repeat(1 << 20));
    machine.run("inject -f deep.yaml").with_code(1).says(&["it is not YAML"]);
}
