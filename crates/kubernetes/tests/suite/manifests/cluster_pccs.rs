//! The cluster's PCCS.

use std::collections::BTreeSet;

use kubernetes::manifests::{AddOn, ClusterPccs, PccsMode, Platform};
use serde_json::{Value, json};

use crate::manifests::choices::{PCCS_SECRET, everything, objects, with_plain_pccs};
use crate::manifests::{find, is};

/// Its URL in the cluster.
const URL: &str = "http://sgx-pccs.sgx-quote-helper.svc:8081";

fn deployment(add_on: &AddOn) -> Value {
    find(&objects(add_on), "Deployment", "sgx-pccs")["spec"].take()
}

fn pod(add_on: &AddOn) -> Value {
    deployment(add_on)["template"]["spec"].take()
}

fn arguments(add_on: &AddOn) -> BTreeSet<String> {
    serde_json::from_value(pod(add_on)["containers"][0]["args"].take()).unwrap()
}

fn has(add_on: &AddOn, argument: &str) -> bool {
    arguments(add_on).contains(argument)
}

#[test]
fn the_pccs_is_optional() {
    let off = AddOn { cluster_pccs: None, ..everything(Platform::Dcap) };
    let is_of_it =
        |object: &kube::core::DynamicObject| object.metadata.name.as_deref() == Some("sgx-pccs");
    assert!(!objects(&off).iter().any(is_of_it));
    assert_eq!(
        objects(&with_plain_pccs(Platform::Dcap)).iter().filter(|it| is_of_it(it)).count(),
        3
    );
    assert_eq!(objects(&everything(Platform::Dcap)).iter().filter(|it| is_of_it(it)).count(), 4);
}

#[test]
fn updates_of_its_pod_do_not_overlap_on_a_volume() {
    let deployment = deployment(&everything(Platform::Dcap));
    assert_eq!(deployment["replicas"], 1);
    assert_eq!(deployment["strategy"], json!({ "type": "Recreate" }));
}

#[test]
fn it_also_runs_on_nodes_without_sgx() {
    let pod = pod(&with_plain_pccs(Platform::Dcap));
    assert_eq!(pod["affinity"], Value::Null);
    let limits = pod["containers"][0]["resources"]["limits"].as_object().unwrap();
    assert_eq!(limits.keys().collect::<Vec<_>>(), ["memory"]);
}

#[test]
fn it_works_without_the_quote_service() {
    let add_on = AddOn { quote_service: false, ..with_plain_pccs(Platform::Dcap) };
    let objects = objects(&add_on);
    find(&objects, "Deployment", "sgx-pccs");
    assert_eq!(find(&objects, "ConfigMap", "sgx-verification")["data"]["pccs-url"], URL);
}

#[test]
fn it_is_the_default_pccs_of_quote_services() {
    for (add_on, url) in [
        (with_plain_pccs(Platform::Dcap), URL),
        (everything(Platform::Dcap), "https://pccs.example:8081"),
    ] {
        let provider = find(&objects(&add_on), "ConfigMap", "sgx-quote-provider");
        let configuration = provider["data"]["sgx_default_qcnl.conf"].as_str().unwrap();
        let configuration: Value = serde_json::from_str(configuration).unwrap();
        assert_eq!(configuration["pccs_url"], format!("{url}/sgx/certification/v4/"));
    }
}

#[test]
fn sources_and_trusted_root_follow_the_settings() {
    let plain = with_plain_pccs(Platform::Dcap);
    let is_source = |argument: &String| argument.starts_with("--source");
    // It detects its sources.
    assert!(!arguments(&plain).iter().any(is_source));
    assert!(has(&everything(Platform::Dcap), "--source=pcs"));
    assert!(!arguments(&plain).iter().any(|it| it.starts_with("--trusted-root")));

    let software = with_plain_pccs(Platform::Software);
    assert!(has(&software, "--source=http://sgx-collateral.sgx-quote-helper.svc:17492"));
    assert!(has(&software, "--trusted-root=/etc/sgx-software-platform/root.pem"));
    assert!(has(&everything(Platform::Software), "--source=pcs"));
}

#[test]
fn the_software_platforms_key_is_not_mounted() {
    let pod = pod(&with_plain_pccs(Platform::Software));
    let volumes = pod["volumes"].as_array().unwrap();
    let secret = |volume: &Value| volume["secret"]["secretName"] == "sgx-software-platform";
    let volume = volumes.iter().find(|volume| secret(volume)).unwrap();
    assert_eq!(volume["secret"]["items"], json!([{ "key": "root.pem", "path": "root.pem" }]));
}

#[test]
fn source_modes_are_passed() {
    for (mode, argument) in [
        (PccsMode::Lazy, "--mode=lazy"),
        (PccsMode::Req, "--mode=req"),
        (PccsMode::Offline, "--mode=offline"),
    ] {
        let cluster_pccs = Some(ClusterPccs { mode, ..ClusterPccs::default() });
        assert!(has(&AddOn { cluster_pccs, ..everything(Platform::Dcap) }, argument));
    }
}

#[test]
fn the_chosen_volume_holds_its_state() {
    let objects = objects(&everything(Platform::Dcap));
    let claim = find(&objects, "PersistentVolumeClaim", "sgx-pccs");
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "1Gi");
    assert_eq!(claim["spec"]["accessModes"], json!(["ReadWriteOnce"]));

    let state = |add_on: &AddOn| {
        let pod = pod(add_on);
        let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
        let mount = &mounts[0];
        // The volume's group may write to the volume, but not to the server's own directory below
        // it.
        assert!(has(add_on, &format!("--state-dir={}/pccs", mount["mountPath"].as_str().unwrap())));
        assert_eq!(pod["securityContext"]["fsGroup"], 61101);
        let volumes = pod["volumes"].as_array().unwrap();
        volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap().clone()
    };
    let kept = state(&everything(Platform::Dcap));
    assert_eq!(kept["persistentVolumeClaim"]["claimName"], "sgx-pccs");
    let passing = state(&with_plain_pccs(Platform::Dcap));
    assert_eq!(passing["emptyDir"], json!({}));
    // Server-side apply would leave both types in a volume of the same name.
    assert_ne!(kept["name"], passing["name"]);
}

#[test]
fn its_secrets_are_files_of_an_existing_secret() {
    let add_on = everything(Platform::Dcap);
    for argument in [
        "--api-key-file=/etc/sgx-pccs/api-key",
        "--user-token-file=/etc/sgx-pccs/user-token-hash",
        "--admin-token-file=/etc/sgx-pccs/admin-token-hash",
    ] {
        assert!(has(&add_on, argument), "{argument}: {:?}", arguments(&add_on));
    }
    let pod = pod(&add_on);
    let volumes = pod["volumes"].as_array().unwrap();
    let volume = volumes.iter().find(|it| it["secret"]["secretName"] == PCCS_SECRET).unwrap();
    assert_eq!(volume["secret"]["items"].as_array().unwrap().len(), 3);
    assert_eq!(volume["secret"]["defaultMode"], 0o440);
    let is_made = |object: &kube::core::DynamicObject| is(object, "Secret", PCCS_SECRET);
    assert!(!objects(&add_on).iter().any(is_made));

    let arguments = arguments(&with_plain_pccs(Platform::Dcap));
    assert!(!arguments.iter().any(|argument| argument.contains("-file=")), "{arguments:?}");
}

#[test]
fn its_probes_and_ports_are_the_common_ones() {
    let pod = pod(&with_plain_pccs(Platform::Dcap));
    let server = &pod["containers"][0];
    for (probe, path) in [("readinessProbe", "/readyz"), ("livenessProbe", "/livez")] {
        let asked = json!({ "path": path, "port": "metrics" });
        assert_eq!(server[probe]["httpGet"], asked, "{probe}");
    }
    let ports = server["ports"].as_array().unwrap();
    let port =
        |name: &str| ports.iter().find(|it| it["name"] == name).unwrap()["containerPort"].clone();
    assert_eq!((port("collateral"), port("metrics")), (json!(8081), json!(17490)));
}

#[test]
fn certificates_of_a_node_outlive_the_pods_of_its_quote_service() {
    let service = |add_on: &AddOn| find(&objects(add_on), "DaemonSet", "sgx-quote-helper");
    let variables = |add_on: &AddOn| {
        let service = service(add_on);
        let pod = &service["spec"]["template"]["spec"];
        let host =
            pod["volumes"].as_array().unwrap().iter().find(|it| it["name"] == "state").unwrap();
        assert_eq!(host["hostPath"]["path"], "/var/lib/sgx-quote-helper");
        let list = pod["containers"][0]["env"].as_array().unwrap().clone();
        list.into_iter()
            .map(|it| (it["name"].as_str().unwrap().to_owned(), it["value"].clone()))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let of_named = variables(&everything(Platform::Dcap));
    assert_eq!(of_named["QUOTE_HELPER_COLLATERAL_CACHE_DIR"], "/var/lib/quote-helper/collateral");
    // The mount of the named PCCS's authorities.
    assert_eq!(of_named["QUOTE_HELPER_COLLATERAL_CA_FILE"], "/etc/ssl/certs/ca-certificates.crt");
    let of_own = variables(&with_plain_pccs(Platform::Dcap));
    assert!(!of_own.contains_key("QUOTE_HELPER_COLLATERAL_CA_FILE"));
    // Its certificates are its own.
    let of_software = variables(&everything(Platform::Software));
    assert!(!of_software.contains_key("QUOTE_HELPER_COLLATERAL_CACHE_DIR"));
}
