//! The add-on in YAML, as `manifests` prints it and as it is in `deploy`.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::Machine;

fn deployed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The objects, whatever order their fields have.
fn objects(yaml: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(yaml).unwrap()
}

fn kinds(yaml: &str) -> BTreeSet<String> {
    objects(yaml).iter().map(|object| object["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_defaults_are_in_deploy() {
    let machine = Machine::new();
    for (arguments, file) in [
        ("", "sgx-device-plugin.yaml"),
        ("--enable-sgxquotehelper", "sgx-quote-helper.yaml"),
        ("--installer-role", "installer-role.yaml"),
    ] {
        let printed = machine.succeed(&format!("manifests {arguments}"));
        assert_eq!(printed.stderr, "");
        let same = objects(&printed.stdout) == objects(&deployed(file));
        assert!(same, "{file} is not what `just manifests` writes");
    }
}

#[test]
fn a_dry_run_of_install_prints_the_same_and_needs_no_cluster() {
    let machine = Machine::new();
    let printed = machine.succeed("manifests --enable-sgxquotehelper --namespace confidential");
    let dry = machine.succeed("install --enable-sgxquotehelper --namespace confidential --dry-run");
    assert_eq!(dry.stdout, printed.stdout);
}

#[test]
fn nothing_defaults_to_the_software_platform() {
    for file in ["sgx-device-plugin.yaml", "sgx-quote-helper.yaml"] {
        let manifests = deployed(file);
        assert!(manifests.contains("kind: DaemonSet"), "{file}");
        // A setting for the other platform.
        let manifests = manifests.replace("software_epc", "");
        assert!(!manifests.contains("software"), "{file}");
    }
}

#[test]
fn the_software_platform_has_a_root_of_its_own_or_the_given_one() {
    let machine = Machine::new();
    let command = "manifests --enable-sgxquotehelper --platform software";
    let [one, other] = [machine.succeed(command), machine.succeed(command)];
    one.says(&["INSECURE", "Secret"]);
    assert_ne!(one.stdout, other.stdout);

    machine.succeed("platform init --state-dir state");
    let command = format!("{command} --deployment state/deployment.json");
    let [one, other] = [machine.succeed(&command), machine.succeed(&command)];
    assert_eq!(one.stdout, other.stdout);
    machine.succeed("platform root --state-dir state --out root.pem");
    let objects = objects(&one.stdout);
    let root = String::from_utf8(machine.read("root.pem")).unwrap();
    let told = objects.iter().filter(|object| object["data"]["trusted-root.pem"] == root.as_str());
    assert_eq!(told.count(), 2);
}

#[test]
fn features_that_older_clusters_lack_are_left_out() {
    let machine = Machine::new();
    let webhook = "manifests --enable-sgxquotehelper --injection webhook";
    let new = machine.succeed(webhook).stdout;
    let old = machine.succeed(&format!("{webhook} --kubernetes-version v1.20.2")).stdout;
    // Deployments have it on all versions.
    assert!(new.matches("maxSurge").count() > old.matches("maxSurge").count());
    let missing: Vec<_> = kinds(&new).difference(&kinds(&old)).cloned().collect();
    assert_eq!(missing, ["PodDisruptionBudget"]);
}

#[test]
fn json_is_one_list() {
    let printed = Machine::new().succeed("manifests --output json");
    let list: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"], Value::Array(objects(&deployed("sgx-device-plugin.yaml"))));
}

#[test]
fn the_pccs_of_the_cluster_understands_its_arguments() {
    let machine = Machine::new();
    let printed = machine.succeed(
        "manifests --enable-pccs --pccs-mode req --pccs-source pcs --pccs-source https://pccs.example:8081 \
         --pccs-secret tokens=user-token-hash,api-key --pccs-storage 2Gi",
    );
    let objects = objects(&printed.stdout);
    let deployment = objects
        .iter()
        .find(|object| object["kind"] == "Deployment" && object["metadata"]["name"] == "sgx-pccs");
    let arguments = &deployment.unwrap()["spec"]["template"]["spec"]["containers"][0]["args"];
    let arguments: Vec<String> = serde_json::from_value(arguments.clone()).unwrap();
    assert_eq!(
        arguments[6..],
        [
            "--source=pcs",
            "--source=https://pccs.example:8081",
            "--api-key-file=/etc/sgx-pccs/api-key",
            "--user-token-file=/etc/sgx-pccs/user-token-hash",
        ]
    );
    // It gets as far as these files, which are in its pod alone.
    let arguments = arguments.join(" ").replace("[::]", "127.0.0.1").replace(":8081 --m", ":0 --m");
    let arguments = arguments.replace("/var/lib/quote-helper", "state").replace("17490", "0");
    machine.run(&arguments).with_code(1).says(&["/etc/sgx-pccs/"]);
}

#[test]
fn choices_that_cannot_be_are_refused_with_the_way_to_write_them() {
    let machine = Machine::new();
    machine.write("empty.pem", "");
    for (arguments, says) in [
        ("--namespace SGX", "lower case"),
        ("--namespace -", "lower case"),
        ("--namespace a..b", "lower case"),
        ("--toleration :NoSchedule", "KEY[=VALUE][:EFFECT]"),
        ("--toleration sgx:Never", "NoSchedule"),
        ("--node-selector pool", "LABEL=VALUE"),
        ("--pccs-url pccs.example", "https://"),
        ("--pccs-ca empty.pem", "--pccs-url"),
        ("--enable-pccs --pccs-mode eager", "lazy, req, offline"),
        ("--enable-pccs --pccs-source intel", "\"pcs\""),
        ("--enable-pccs --pccs-source /files", "name a URL"),
        ("--enable-pccs --pccs-storage 1GB", "1Gi"),
        ("--enable-pccs --pccs-storage 0", "1Gi"),
        ("--enable-pccs --pccs-secret tokens=password", "user-token-hash"),
        ("--enable-pccs --pccs-secret Tokens", "lower case"),
        ("--device-groups sgx", "sgx"),
        ("--device-groups=-1", "-1"),
        ("--kubernetes-version newest", "1.33"),
        ("--resource-profile amazon", "azure"),
        ("--installer-role --namespace sgx", "--installer-role"),
        ("--installer-role --enable-pccs", "--installer-role"),
        ("--requests webhook", "webhook=cpu=50m,memory=64Mi"),
        ("--requests web=cpu=1", "device-plugin, quote-service, pccs, webhook"),
        ("--requests webhook=disk=1Gi", "cpu or memory"),
        ("--requests webhook=cpu=0", "no amount of cpu"),
        ("--limits pccs=memory=1GB", "no amount of memory"),
        ("--limits pccs=cpu=1,cpu=2", "cpu is given twice"),
        ("--webhook-replicas 0", "from 1 to 100"),
        ("--affinity affinity.yaml", "webhook=affinity.yaml"),
        ("--affinity web=affinity.yaml", "device-plugin, quote-service, pccs, webhook"),
        ("--label team", "KEY=VALUE"),
        ("--label /team=a", "example.com/team"),
        ("--label team=a/b", "at most 63"),
        ("--label app.kubernetes.io/name=other", "sets app.kubernetes.io/name itself"),
        ("--annotation sgx-quote-helper/inject=false", "sets sgx-quote-helper/inject itself"),
        ("--log-level loud", "error, warn, info, debug, trace"),
        ("--cdi maybe", "false"),
        ("--pod-monitor yes", "false"),
        ("--software-epc some", "512MiB"),
        ("--platform software --software-epc 1", "at least 1MiB"),
    ] {
        machine.run(&format!("manifests {arguments}")).with_code(2).says(&[says]);
    }
    let unusable = "manifests --pccs-url https://pccs.example --pccs-ca empty.pem";
    machine.run(unusable).with_code(1).says(&["empty.pem holds no certificates"]);
    let unusable = "manifests --enable-sgxquotehelper --platform software --deployment empty.pem";
    machine.run(unusable).with_code(1).says(&["empty.pem is not a deployment"]);
    machine.write("list.yaml", "[]");
    let unusable = "manifests --affinity webhook=list.yaml";
    machine.run(unusable).with_code(1).says(&["list.yaml is not an affinity", "nodeAffinity"]);
    let missing = "manifests --affinity webhook=missing.yaml";
    machine.run(missing).with_code(1).says(&["missing.yaml"]);
    let above = "manifests --requests webhook=memory=256Mi";
    machine.run(above).with_code(1).says(&["memory=256Mi, more than its limit of 128Mi"]);
    let real = "manifests --software-epc 1GiB";
    machine.run(real).with_code(1).says(&["--platform software"]);
    let alone = "manifests --pccs-storage 1Gi";
    machine.run(alone).with_code(1).says(&["--enable-pccs"]);
    let nothing_to_keep = "manifests --enable-pccs --platform software";
    machine.run(nothing_to_keep).with_code(1).says(&["--enable-sgxquotehelper"]);
}
