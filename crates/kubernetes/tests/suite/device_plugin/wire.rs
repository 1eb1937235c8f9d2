//! The encoding of messages, byte by byte. The expected bytes are written by hand, from the field
//! numbers of k8s.io/kubelet and the rules of Protocol Buffers.

use kubernetes::device_plugin::Epc;
use prost::Message;

use crate::device_plugin::kubelet::{Kubelet, allocate_request};
use crate::device_plugin::node::{AZURE, MIB, Node};
use crate::device_plugin::numa_nodes;
use crate::device_plugin::plugin::Plugin;

fn is_encoded_as(message: &impl Message, expected: &[u8]) {
    let encoded = message.encode_to_vec();
    assert_eq!(encoded.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[tokio::test(start_paused = true)]
async fn a_registration() {
    let (_node, kubelet, _plugin) = Plugin::on_node().await;
    let registration = &kubelet.registrations()[0];
    let expected = [
        &b"\x0a\x07v1beta1"[..],
        // Its last nine characters before the end are random.
        b"\x12\x35",
        registration.endpoint.as_bytes(),
        b"\x1a\x27kubernetes.azure.com/sgx_epc_mem_in_MiB",
        // Options, none of which is set.
        b"\x22\x00",
    ];
    assert!(registration.endpoint.starts_with("kubernetes.azure.com_sgx_epc_mem_in_MiB."));
    is_encoded_as(registration, &expected.concat());
}

#[tokio::test(start_paused = true)]
async fn a_list_of_devices() {
    let (node, kubelet) = Kubelet::on_node();
    let options = node.options("azure", Epc::of_size(2 * MIB));
    let _plugin = Plugin::start_ready(&node, options).await;
    kubelet.offers(AZURE, 2).await;
    let expected =
        [&b"\x0a\x0e\x0a\x03AAA\x12\x07Healthy"[..], b"\x0a\x0e\x0a\x03AAB\x12\x07Healthy"];
    is_encoded_as(&kubelet.list(AZURE), &expected.concat());
}

#[tokio::test(start_paused = true)]
async fn a_list_of_devices_in_numa_nodes() {
    let node = Node::new();
    std::fs::remove_file(node.enclave()).unwrap();
    let kubelet = Kubelet::start(&node);
    let epc = numa_nodes::epc(&node, &[(0, MIB), (1, MIB)]);
    let _plugin = Plugin::start_ready(&node, node.options("azure", epc)).await;
    assert_eq!(kubelet.capacity(AZURE), 2);
    let expected = [
        // NUMA node 0: zero is omitted.
        &b"\x0a\x14\x0a\x03AAA\x12\x09Unhealthy\x1a\x02\x0a\x00"[..],
        b"\x0a\x16\x0a\x03AAB\x12\x09Unhealthy\x1a\x04\x0a\x02\x08\x01",
    ];
    is_encoded_as(&kubelet.list(AZURE), &expected.concat());
}

#[tokio::test(start_paused = true)]
async fn an_allocation() {
    let (node, kubelet, _plugin) = Plugin::on_node().await;
    let request = allocate_request(&[&["AAA", "AAB"], &["AAC"]]);
    is_encoded_as(&request, b"\x0a\x0a\x0a\x03AAA\x0a\x03AAB\x0a\x05\x0a\x03AAC");
    let mut response = kubelet.allocate(AZURE, &[&["AAA"]]).await.unwrap();
    for device in &mut response.container_responses[0].devices {
        device.host_path = node.anonymous(&device.host_path);
    }
    let expected = [
        // 130 bytes of the first container.
        &b"\x0a\x82\x01"[..],
        b"\x12\x22\x0a\x0e/var/run/aesmd\x12\x0e/var/run/aesmd\x18\x01",
        b"\x1a\x2d\x0a\x10/dev/sgx_enclave\x12\x15/node/dev/sgx_enclave\x1a\x02rw",
        b"\x1a\x2d\x0a\x10/dev/sgx/enclave\x12\x15/node/dev/sgx_enclave\x1a\x02rw",
    ];
    is_encoded_as(&response, &expected.concat());
}

#[tokio::test(start_paused = true)]
async fn an_allocation_with_cdi() {
    let (node, kubelet) = Kubelet::on_node();
    let mut options = node.azure();
    options.allocator.cdi_dir = Some(node.path("cdi"));
    options.allocator.aesm_dir = None;
    let _plugin = Plugin::start_ready(&node, options).await;
    let response = kubelet.allocate(AZURE, &[&["AAA"]]).await.unwrap();
    is_encoded_as(&response, b"\x0a\x20\x2a\x1e\x0a\x1csgx-quote-helper/sgx=enclave");
}
