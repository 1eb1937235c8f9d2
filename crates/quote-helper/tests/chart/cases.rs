//! Options of `manifests`, and the values of the chart that correspond.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};

/// Options with the same meaning as values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Case {
    pub(crate) options: Vec<String>,
    pub(crate) values: Map<String, Value>,
}

impl Case {
    fn and(&self, options: &[&str], values: Value) -> Self {
        let mut case = self.clone();
        case.options.extend(options.iter().map(|it| (*it).to_owned()));
        let Value::Object(values) = values else { panic!("{values} are no values") };
        case.values.extend(values);
        case
    }
}

/// Each option alone, and those that have an effect on each other.
pub(crate) fn all(directory: &Path) -> Vec<Case> {
    let none = Case::default();
    let quotes = none.and(&["--enable-sgxquotehelper"], json!({ "enableSgxquotehelper": true }));
    let pccs = none.and(&["--enable-pccs"], json!({ "enablePccs": true }));
    let both = quotes.and(&["--enable-pccs"], json!({ "enablePccs": true }));
    let software = software(directory, &quotes);
    let software_pccs = software.and(&["--enable-pccs"], json!({ "enablePccs": true }));
    let mut cases = vec![
        none.clone(),
        quotes.clone(),
        pccs.clone(),
        both.clone(),
        software.clone(),
        software_pccs.clone(),
        none.and(&["--platform=software"], json!({ "platform": "software" })),
        software.and(&["--pccs-url=http://p/"], json!({ "pccsUrl": "http://p/" })),
        software_pccs.and(&["--pccs-source=https://p"], json!({ "pccsSources": ["https://p"] })),
        software.and(&["--injection=webhook"], json!({ "injection": "webhook" })),
        // As the program writes it.
        software.and(&["--software-epc=512.0 MiB"], json!({ "softwareEpc": "512.0 MiB" })),
    ];
    cases.extend(of_resources(&quotes));
    cases.extend(of_placement(&quotes));
    cases.extend(of_users(&both));
    cases.extend(of_pods(directory, &both));
    cases.extend(of_metadata(&both));
    cases.extend(of_metadata(&software_pccs));
    cases.extend(of_certificates(directory, &quotes, &pccs));
    cases
}

fn of_resources(quotes: &Case) -> Vec<Case> {
    let profile = |profile: &str| {
        let option = format!("--resource-profile={profile}");
        quotes.and(&[&option], json!({ "resourceProfile": profile }))
    };
    let devices = json!({ "epcAccounting": "devices" });
    vec![
        profile("intel"),
        profile("aliyun"),
        profile("azure=1048576,intel"),
        profile("aliyun=1048576,azure=2097152"),
        quotes.and(&["--epc-accounting=devices"], devices.clone()),
        quotes.and(&["--epc-accounting=node-status"], json!({ "epcAccounting": "node-status" })),
        profile("azure=1048576,intel").and(&["--epc-accounting=devices"], devices),
        quotes.and(&["--injection=webhook"], json!({ "injection": "webhook" })),
        quotes.and(&["--injection=policy"], json!({ "injection": "policy" })),
    ]
}

fn of_placement(quotes: &Case) -> Vec<Case> {
    let image = "registry.example/sgx:1@sha256:00";
    vec![
        quotes.and(&[&format!("--image={image}")], json!({ "image": image })),
        quotes.and(
            &["--image-pull-secret=one", "--image-pull-secret=two"],
            json!({ "imagePullSecrets": ["one", "two"] }),
        ),
        quotes.and(&["--priority-class=high"], json!({ "priorityClass": "high" })),
        quotes.and(
            &["--node-selector=pool=sgx,kubernetes.io/os=windows"],
            json!({ "nodeSelector": { "pool": "sgx", "kubernetes.io/os": "windows" } }),
        ),
        quotes.and(
            &["--toleration=pool=sgx:NoSchedule", "--toleration=spot"],
            json!({ "tolerations": [
                { "key": "pool", "operator": "Equal", "value": "sgx", "effect": "NoSchedule" },
                { "key": "spot", "operator": "Exists" },
            ] }),
        ),
    ]
}

fn of_users(both: &Case) -> Vec<Case> {
    let first = |uid: u32| {
        let webhook = both.and(&["--injection=webhook"], json!({ "injection": "webhook" }));
        webhook.and(&[&format!("--first-uid={uid}")], json!({ "firstUid": uid }))
    };
    vec![
        first(1000),
        first(0x7fff_fff0),
        both.and(&["--host-pid=false"], json!({ "hostPid": false })),
        both.and(&["--device-groups=7,4294967294"], json!({ "deviceGroups": [7, 4294967294_u32] })),
    ]
}

fn of_pods(directory: &Path, both: &Case) -> Vec<Case> {
    let webhook = both.and(&["--injection=webhook"], json!({ "injection": "webhook" }));
    let affinity = json!({ "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [{
            "matchExpressions": [{ "key": "pool", "operator": "In", "values": ["sgx"] }],
        }] },
    } });
    let file = directory.join("affinity.json");
    std::fs::write(&file, affinity.to_string()).unwrap();
    let affinity_of = |component: &str| {
        let option = format!("--affinity={component}={}", file.display());
        webhook.and(&[&option], json!({ "affinity": { component: affinity } }))
    };
    let mut cases = ["device-plugin", "quote-service", "pccs", "webhook"].map(affinity_of).to_vec();
    cases.extend([
        webhook.and(
            &["--requests=webhook=cpu=50m,memory=64Mi", "--requests=quote-service=cpu=1"],
            json!({ "requests": {
                "webhook": { "cpu": "50m", "memory": "64Mi" },
                "quote-service": { "cpu": "1" },
            } }),
        ),
        webhook.and(
            &["--limits=device-plugin=cpu=50m", "--limits=pccs=memory=1Gi"],
            json!({ "limits": {
                "device-plugin": { "cpu": "50m" },
                "pccs": { "memory": "1Gi" },
            } }),
        ),
        webhook.and(&["--webhook-replicas=3"], json!({ "webhookReplicas": 3 })),
        webhook.and(&["--log-level=debug"], json!({ "logLevel": "debug" })),
        webhook.and(&["--cdi=true"], json!({ "cdi": true })),
        webhook.and(&["--pod-monitor=true"], json!({ "podMonitor": true })),
    ]);
    cases
}

fn of_metadata(base: &Case) -> Vec<Case> {
    let case = base.and(
        &["--label=team=sgx", "--label=example.com/empty=", "--annotation=contact=a b"],
        json!({
            "labels": { "team": "sgx", "example.com/empty": "" },
            "annotations": { "contact": "a b" },
        }),
    );
    vec![case.and(&["--injection=webhook"], json!({ "injection": "webhook" })), case]
}

fn of_certificates(directory: &Path, quotes: &Case, pccs: &Case) -> Vec<Case> {
    let named = "https://p:8081/?a&b";
    let url = quotes.and(&[&format!("--pccs-url={named}")], json!({ "pccsUrl": named }));
    let file = directory.join("root.pem");
    let authority = std::fs::read_to_string(&file).unwrap();
    let option = format!("--pccs-ca={}", file.display());
    vec![
        url.clone(),
        url.and(&[&option], json!({ "pccsCa": authority })),
        url.and(&["--enable-pccs"], json!({ "enablePccs": true })),
        pccs.and(&["--pccs-mode=offline"], json!({ "pccsMode": "offline" })),
        pccs.and(
            &["--pccs-source=thim", "--pccs-source=https://p"],
            json!({ "pccsSources": ["thim", "https://p"] }),
        ),
        pccs.and(&["--pccs-storage=1Gi"], json!({ "pccsStorage": "1Gi" })),
        pccs.and(&["--pccs-secret=keys"], json!({ "pccsSecret": "keys" })),
        pccs.and(
            &["--pccs-secret=keys=user-token-hash,api-key"],
            json!({ "pccsSecret": "keys=user-token-hash,api-key" }),
        ),
    ]
}

/// Quotes of the software platform, under a root that both sides are given.
fn software(directory: &Path, quotes: &Case) -> Case {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quote-helper"));
        assert!(command.args(arguments).output().unwrap().status.success(), "{arguments:?}");
    };
    let state_dir = format!("--state-dir={}", directory.join("state").display());
    run(&["platform", "init", &state_dir]);
    let root = directory.join("root.pem");
    run(&["platform", "root", &state_dir, &format!("--out={}", root.display())]);
    let deployment = std::fs::read_to_string(directory.join("state/deployment.json")).unwrap();
    quotes.and(
        &[
            "--platform=software",
            &format!("--deployment={}", directory.join("state/deployment.json").display()),
        ],
        json!({
            "platform": "software",
            "deployment": deployment,
            "deploymentRoot": std::fs::read_to_string(root).unwrap(),
        }),
    )
}
