//! Combinations of settings.

use kube::core::DynamicObject;
use kubernetes::device_plugin::EpcAccounting;
use kubernetes::manifests::{
    AddOn, Cluster, ClusterPccs, Component, ComputeResources, InjectionMethod, KubernetesVersion,
    LogLevel, Pccs, PccsMode, PccsSecret, PccsSecretKey, Platform, Quantities,
    SoftwarePlatformRoot,
};
use serde_json::json;

/// A secret for the tests.
pub(crate) const DEPLOYMENT: &str = r#"{"seed":"5ec7e7"}"#;

/// A Secret that the administrator creates.
pub(crate) const PCCS_SECRET: &str = "pccs-tokens";

/// Settings with their objects.
pub(crate) struct Choice {
    pub(crate) add_on: AddOn,
    pub(crate) objects: Vec<DynamicObject>,
}

/// The add-on with all optional components.
pub(crate) fn everything(platform: Platform) -> AddOn {
    AddOn {
        quote_service: true,
        injection: Some(InjectionMethod::Webhook),
        platform,
        image_pull_secrets: vec!["registry".to_owned()],
        device_groups: vec![108],
        pccs: Some(Pccs {
            url: "https://pccs.example:8081/".to_owned(),
            authority: Some("-----BEGIN CERTIFICATE-----\n".to_owned()),
        }),
        cluster_pccs: Some(ClusterPccs {
            mode: PccsMode::Req,
            sources: vec!["pcs".to_owned()],
            storage: Some("1Gi".to_owned()),
            secret: Some(PccsSecret {
                name: PCCS_SECRET.to_owned(),
                keys: PccsSecretKey::ALL.into(),
            }),
        }),
        ..AddOn::default()
    }
}

/// The same with other pods: their resources, places, labels, logs and devices.
pub(crate) fn customized(platform: Platform) -> AddOn {
    let compute = |request: &str, limit: &str| ComputeResources {
        requests: Quantities { cpu: Some(request.to_owned()), memory: None },
        limits: Quantities { cpu: None, memory: Some(limit.to_owned()) },
    };
    let affinity = json!({ "nodeAffinity": {} });
    AddOn {
        resources: Component::ALL.map(|it| (it, compute("20m", "256Mi"))).into(),
        webhook_replicas: 3,
        affinity: Component::ALL
            .map(|it| (it, serde_json::from_value(affinity.clone()).unwrap()))
            .into(),
        labels: [("team".to_owned(), "confidential".to_owned())].into(),
        annotations: [("example.com/contact".to_owned(), "ops@example.com".to_owned())].into(),
        log_level: LogLevel::Debug,
        cdi: true,
        software_epc: "1GiB".to_owned(),
        pod_monitor: true,
        ..everything(platform)
    }
}

/// The same with a PCCS with default settings.
pub(crate) fn with_plain_pccs(platform: Platform) -> AddOn {
    AddOn { cluster_pccs: Some(ClusterPccs::default()), pccs: None, ..everything(platform) }
}

/// The properties of the test cluster.
pub(crate) fn cluster(version: &str) -> Cluster {
    Cluster {
        version: version.parse().unwrap(),
        software_platform_root: Some(SoftwarePlatformRoot {
            deployment: DEPLOYMENT.to_owned(),
            certificate: "the root".to_owned(),
        }),
        ..Cluster::default()
    }
}

/// The objects on the newest version.
pub(crate) fn objects(add_on: &AddOn) -> Vec<DynamicObject> {
    let version = KubernetesVersion::default();
    add_on.objects(&Cluster { version, ..cluster("1.33") }).unwrap()
}

/// Settings of all kinds.
pub(crate) fn all() -> Vec<Choice> {
    let mut choices = Vec::new();
    for platform in [Platform::Dcap, Platform::Software] {
        for epc_accounting in [EpcAccounting::Devices, EpcAccounting::NodeStatus] {
            for profile in ["azure", "intel", "aliyun", "azure=1GiB,intel"] {
                let off = AddOn { platform, ..AddOn::default() };
                let by_policy = AddOn { injection: None, ..everything(platform) };
                for add_on in [off, by_policy, everything(platform), with_plain_pccs(platform)] {
                    let resource_profile = profile.parse().unwrap();
                    let add_on = AddOn { epc_accounting, resource_profile, ..add_on };
                    let objects = objects(&add_on);
                    choices.push(Choice { add_on, objects });
                }
            }
        }
    }
    choices
}
