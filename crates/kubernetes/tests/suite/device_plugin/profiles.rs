//! The messages between kubelet, plugin and API server, for each profile.

use std::fmt::Write;

use kubernetes::api::v1beta1::RegisterRequest;
use kubernetes::device_plugin::{Epc, EpcAccounting, Options};

use crate::clock::eventually;
use crate::device_plugin::api_server::{ApiServer, Behaviour};
use crate::device_plugin::golden;
use crate::device_plugin::kubelet::{Kubelet, allocate_request};
use crate::device_plugin::node::{ALIYUN, AZURE, ENCLAVE, INTEL, MIB, Node, PROVISION};
use crate::device_plugin::plugin::Plugin;

/// Offers 8 MiB, checks the registered resources and their numbers of devices, and compares the
/// messages with the golden.
async fn check(node: &Node, options: Options, resources: &[(&str, usize)], golden: &str) {
    let api_server = ApiServer::start(Behaviour::Accepts).await;
    let node_status = options.offer.needs_node_status().then(|| api_server.node_status());
    let in_node_status = node_status.is_some();
    let kubelet = Kubelet::start(node);
    let _plugin = Plugin::start_ready(node, Options { node_status, ..options }).await;
    for (resource, quantity) in resources {
        kubelet.offers(resource, *quantity).await;
        assert_eq!(kubelet.capacity(resource), *quantity);
    }
    assert_eq!(kubelet.registrations().len(), resources.len());
    let mut said = String::new();
    for (resource, _) in resources {
        said += &exchange(&kubelet, resource).await;
    }
    if in_node_status {
        eventually("a patch", async || !api_server.patches().is_empty()).await;
        let patch = golden::sorted(&api_server.patches()[0]);
        writeln!(said, "PATCH /api/v1/nodes/node-1/status\n{patch:#}").unwrap();
    }
    golden::check(golden, &node.anonymous(&said));
}

/// All messages about one resource.
async fn exchange(kubelet: &Kubelet, resource: &str) -> String {
    let registrations = kubelet.registrations();
    let registration = registrations.iter().find(|it| it.resource_name == resource).unwrap();
    let registration = without_random(registration.clone());
    let list = kubelet.list(resource).devices;
    let request = allocate_request(&[&["AAA"]]);
    let response = kubelet.allocate(resource, &[&["AAA"]]).await.unwrap();
    format!(
        "---- {resource} ----\n\n\
         Register: {registration:#?}\n\n\
         GetDevicePluginOptions: {:#?}\n\n\
         ListAndWatch: {} in number, the first and the last being\n    {:?}\n    {:?}\n\n\
         Allocate: {request:#?}\n->\n{response:#?}\n\n",
        kubelet.options(resource),
        list.len(),
        list[0],
        list[list.len() - 1],
    )
}

/// The request without the random part of the socket's name.
fn without_random(mut registration: RegisterRequest) -> RegisterRequest {
    let endpoint = registration.endpoint.strip_suffix(".sock").unwrap();
    let (name, random) = endpoint.rsplit_once('.').unwrap();
    assert_eq!(random.len(), 8, "{endpoint}");
    registration.endpoint = format!("{name}.<random>.sock");
    registration
}

fn eight_mib(node: &Node, profile: &str) -> Options {
    node.options(profile, Epc::of_size(8 * MIB))
}

#[tokio::test(start_paused = true)]
async fn azure() {
    let node = Node::new();
    let resources = [(AZURE, 8), (PROVISION, 1)];
    check(&node, eight_mib(&node, "azure"), &resources, "azure.txt").await;
}

#[tokio::test(start_paused = true)]
async fn aliyun() {
    let node = Node::new();
    let resources = [(ALIYUN, 8), (PROVISION, 1)];
    check(&node, eight_mib(&node, "aliyun"), &resources, "aliyun.txt").await;
}

#[tokio::test(start_paused = true)]
async fn intel() {
    let node = Node::new();
    let resources = [(ENCLAVE, 110), (PROVISION, 1)];
    check(&node, eight_mib(&node, "intel"), &resources, "intel.txt").await;
}

#[tokio::test(start_paused = true)]
async fn azure_and_intel() {
    let node = Node::new();
    let resources = [(AZURE, 6), (ENCLAVE, 110), (PROVISION, 1)];
    check(&node, eight_mib(&node, "azure=6MiB,intel"), &resources, "azure_and_intel.txt").await;
}

#[tokio::test(start_paused = true)]
async fn azure_in_the_node_status() {
    let node = Node::new();
    let mut options = eight_mib(&node, "azure");
    options.offer.accounting = EpcAccounting::NodeStatus;
    let resources = [(ENCLAVE, 110), (PROVISION, 1)];
    check(&node, options, &resources, "azure_in_the_node_status.txt").await;
}

#[tokio::test(start_paused = true)]
async fn limits_of_device_nodes() {
    let node = Node::new();
    let mut options = eight_mib(&node, "intel");
    options.offer.enclave_limit = 3;
    options.offer.provision_limit = 0;
    options.node_status = Some(ApiServer::start(Behaviour::Accepts).await.node_status());
    let kubelet = Kubelet::start(&node);
    let _plugin = Plugin::start_ready(&node, options).await;
    kubelet.offers(ENCLAVE, 3).await;
    assert_eq!(kubelet.registrations().len(), 1, "there is no {PROVISION}");
}

#[tokio::test(start_paused = true)]
async fn software_epc_has_no_device_nodes() {
    let node = Node::new();
    let mut options = eight_mib(&node, "azure");
    options.offer.has_device_nodes = false;
    std::fs::remove_dir_all(node.path("dev")).unwrap();
    let kubelet = Kubelet::start(&node);
    let _plugin = Plugin::start_ready(&node, options).await;
    kubelet.offers(AZURE, 8).await;
    assert_eq!(kubelet.registrations().len(), 1, "there is no {PROVISION}");
    let container = kubelet.start_container(AZURE, 1).await.unwrap();
    assert_eq!(container.devices, []);
    assert_eq!(container.mounts.len(), 1, "the quote service may well be there");
}

/// The sum of all offered EPC, in bytes.
#[tokio::test(start_paused = true)]
async fn profiles_do_not_exceed_the_epc() {
    for shares in ["azure=6MiB,intel", "intel=3MiB,azure", "azure=100MiB,aliyun,intel=1MiB"] {
        let node = Node::new();
        let api_server = ApiServer::start(Behaviour::Accepts).await;
        let mut options = eight_mib(&node, shares);
        options.node_status = Some(api_server.node_status());
        let kubelet = Kubelet::start(&node);
        let _plugin = Plugin::start_ready(&node, options).await;
        eventually("a patch", async || !api_server.patches().is_empty()).await;
        let by_kubelet = (kubelet.capacity(AZURE) + kubelet.capacity(ALIYUN)) as u64 * MIB;
        let by_api_server = api_server.capacity(INTEL).map_or(0, |it| it.parse::<u64>().unwrap());
        assert_eq!(by_kubelet + by_api_server, 8 * MIB, "{shares}");
    }
}
