//! The health of devices follows their device node.

use std::fs;

use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::node::{AZURE, Node, PROVISION};
use crate::device_plugin::plugin::Plugin;

#[tokio::test(start_paused = true)]
async fn without_the_device_node_its_resource_is_unhealthy_and_no_other() {
    let (node, kubelet, plugin) = Plugin::on_node().await;
    kubelet.offers(AZURE, 8).await;
    kubelet.offers(PROVISION, 1).await;

    fs::remove_file(node.enclave()).unwrap();
    kubelet.offers(AZURE, 0).await;
    assert_eq!((kubelet.capacity(AZURE), kubelet.allocatable(PROVISION)), (8, 1));

    fs::remove_file(node.provision()).unwrap();
    kubelet.offers(PROVISION, 0).await;
    fs::write(node.enclave(), "").unwrap();
    kubelet.offers(AZURE, 8).await;
    assert_eq!(kubelet.allocatable(PROVISION), 0);

    fs::write(node.provision(), "").unwrap();
    kubelet.offers(PROVISION, 1).await;
    assert_eq!(kubelet.registrations().len(), 2, "all on the same connections");
    assert_eq!(plugin.problems(), "", "the plugin itself did its work");
}

#[tokio::test(start_paused = true)]
async fn devices_are_unhealthy_until_the_driver_is_loaded() {
    let node = Node::new();
    fs::remove_dir_all(node.path("dev")).unwrap();
    let kubelet = Kubelet::start(&node);
    let _plugin = Plugin::start_ready(&node, node.azure()).await;
    assert_eq!((kubelet.capacity(AZURE), kubelet.allocatable(AZURE)), (8, 0));
    fs::create_dir_all(node.path("dev/sgx")).unwrap();
    fs::write(node.path("dev/sgx/enclave"), "").unwrap();
    kubelet.offers(AZURE, 8).await;
}
