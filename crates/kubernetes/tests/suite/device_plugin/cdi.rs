//! Device nodes by their names in the Container Device Interface.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use kubernetes::device_plugin::Options;

use crate::clock::eventually;
use crate::device_plugin::golden;
use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::node::{AZURE, Node, PROVISION, names};
use crate::device_plugin::plugin::Plugin;

const FILE: &str = "cdi/sgx-quote-helper-sgx.json";

fn with_cdi(node: &Node) -> Options {
    let mut options = node.azure();
    options.allocator.cdi_dir = Some(node.path("cdi"));
    options
}

#[tokio::test(start_paused = true)]
async fn the_specification_describes_allocated_names() {
    let (node, kubelet) = Kubelet::on_node();
    let _plugin = Plugin::start_ready(&node, with_cdi(&node)).await;
    for (resource, name) in
        [(AZURE, "sgx-quote-helper/sgx=enclave"), (PROVISION, "sgx-quote-helper/sgx=provision")]
    {
        let container = kubelet.start_container(resource, 1).await.unwrap();
        assert_eq!(container.devices, [], "else the runtime would make them twice");
        let names: Vec<_> = container.cdi_devices.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, [name]);
        assert_eq!(container.mounts.len(), usize::from(resource == AZURE));
    }
    let description = serde_json::from_slice(&fs::read(node.path(FILE)).unwrap()).unwrap();
    let description = format!("{:#}\n", golden::sorted(&description));
    golden::check("cdi.json", &node.anonymous(&description));
    assert_eq!(names(&node.path("cdi")).len(), 1, "nothing else is left in the directory");
    let mode = fs::metadata(node.path(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "the runtime may be another user");
}

#[tokio::test(start_paused = true)]
async fn only_existing_device_nodes_are_described() {
    let node = Node::new();
    fs::remove_file(node.enclave()).unwrap();
    let described = |name: &str| fs::read_to_string(node.path(FILE)).unwrap().contains(name);
    let _kubelet = Kubelet::start(&node);
    let plugin = Plugin::start_ready(&node, with_cdi(&node)).await;
    assert!(described("sgx_provision") && !described("sgx_enclave"));
    fs::write(node.enclave(), "").unwrap();
    eventually("it is described", async || described("sgx_enclave")).await;
    fs::remove_file(node.provision()).unwrap();
    eventually("it is not described", async || !described("sgx_provision")).await;
    plugin.stop().await;
    assert!(described("sgx_enclave"), "running containers may start anew");
}

#[tokio::test(start_paused = true)]
async fn an_unwritable_specification_is_reported() {
    let node = Node::new();
    fs::write(node.path("cdi"), "a file").unwrap();
    let kubelet = Kubelet::start(&node);
    let plugin = Plugin::start(&node, with_cdi(&node)).await;
    plugin.has_problem("CDI: cannot describe the devices in").await;
    kubelet.offers(AZURE, 8).await;
    assert!(plugin.problems().contains("CDI"), "{}", plugin.problems());
}
