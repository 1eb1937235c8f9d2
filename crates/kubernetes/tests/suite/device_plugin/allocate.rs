//! Allocations and refused requests.

use std::fs;

use kubernetes::api::v1beta1::{
    ContainerAllocateResponse, PreStartContainerRequest, PreStartContainerResponse,
    PreferredAllocationRequest, PreferredAllocationResponse,
};
use test_support::grpc;
use tonic::Code;

use crate::device_plugin::kubelet::Kubelet;
use crate::device_plugin::node::{AZURE, Node, PROVISION};
use crate::device_plugin::plugin::Plugin;

/// Device nodes: paths in the container and on the host, and permissions.
fn devices(node: &Node, container: &ContainerAllocateResponse) -> Vec<[String; 3]> {
    let devices = container.devices.iter().map(|device| {
        let host = node.anonymous(&device.host_path);
        [device.container_path.clone(), host, device.permissions.clone()]
    });
    devices.collect()
}

fn is_nothing(container: &ContainerAllocateResponse) -> bool {
    *container == ContainerAllocateResponse::default()
}

#[tokio::test(start_paused = true)]
async fn epc_comes_with_the_device_node_under_both_names_and_the_quote_service() {
    let (node, kubelet) = Kubelet::on_node();
    let mut options = node.azure();
    options.allocator.aesm_dir = Some("/run/host-aesmd".into());
    let _plugin = Plugin::start_ready(&node, options).await;
    for quantity in [1, 5] {
        let container = kubelet.start_container(AZURE, quantity).await.unwrap();
        let expected = [
            ["/dev/sgx_enclave", "/node/dev/sgx_enclave", "rw"],
            ["/dev/sgx/enclave", "/node/dev/sgx_enclave", "rw"],
        ];
        assert_eq!(devices(&node, &container), expected);
        let [mount] = &container.mounts[..] else { panic!("{:?}", container.mounts) };
        assert_eq!(mount.container_path, "/var/run/aesmd");
        assert_eq!(mount.host_path, "/run/host-aesmd");
        assert!(mount.read_only);
        assert!(container.envs.is_empty() && container.annotations.is_empty());
        assert!(container.cdi_devices.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_quote_service_nothing_is_mounted() {
    let (node, kubelet) = Kubelet::on_node();
    let mut options = node.azure();
    options.allocator.aesm_dir = None;
    let _plugin = Plugin::start_ready(&node, options).await;
    let container = kubelet.start_container(AZURE, 1).await.unwrap();
    assert!(container.mounts.is_empty());
    assert_eq!(container.devices.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn older_drivers_serve_both_names() {
    let node = Node::new();
    fs::create_dir(node.path("dev/sgx")).unwrap();
    fs::rename(node.enclave(), node.path("dev/sgx/enclave")).unwrap();
    let kubelet = Kubelet::start(&node);
    let _plugin = Plugin::start_ready(&node, node.azure()).await;
    let container = kubelet.start_container(AZURE, 1).await.unwrap();
    let expected = [
        ["/dev/sgx_enclave", "/node/dev/sgx/enclave", "rw"],
        ["/dev/sgx/enclave", "/node/dev/sgx/enclave", "rw"],
    ];
    assert_eq!(devices(&node, &container), expected);
}

#[tokio::test(start_paused = true)]
async fn a_containerized_plugin_returns_host_paths() {
    let (node, kubelet) = Kubelet::on_node();
    let mut options = node.azure();
    options.allocator.device_dir = "/dev".into();
    options.allocator.host_root = node.path("");
    let plugin = Plugin::start_ready(&node, options).await;
    let container = kubelet.start_container(AZURE, 1).await.unwrap();
    let expected = [
        ["/dev/sgx_enclave", "/dev/sgx_enclave", "rw"],
        ["/dev/sgx/enclave", "/dev/sgx_enclave", "rw"],
    ];
    assert_eq!(devices(&node, &container), expected);
    fs::remove_file(node.enclave()).unwrap();
    kubelet.offers(AZURE, 0).await;
    plugin.stop().await;
}

#[tokio::test(start_paused = true)]
async fn provision_comes_with_its_device_node_alone() {
    let (node, kubelet, _plugin) = Plugin::on_node().await;
    let container = kubelet.start_container(PROVISION, 1).await.unwrap();
    let expected = [
        ["/dev/sgx_provision", "/node/dev/sgx_provision", "rw"],
        ["/dev/sgx/provision", "/node/dev/sgx_provision", "rw"],
    ];
    assert_eq!(devices(&node, &container), expected);
    assert!(container.mounts.is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_container_of_a_request_gets_its_devices() {
    let (_node, kubelet, _plugin) = Plugin::on_node().await;
    let response = kubelet.allocate(AZURE, &[&["AAA"], &[], &["AAB", "AAC"]]).await.unwrap();
    let nothing: Vec<_> = response.container_responses.iter().map(is_nothing).collect();
    assert_eq!(nothing, [false, true, false], "without a request there is no device");
    let response = kubelet.allocate::<&str>(AZURE, &[]).await.unwrap();
    assert!(response.container_responses.is_empty());
}

#[tokio::test(start_paused = true)]
async fn unknown_and_duplicate_devices_are_refused() {
    let (_node, kubelet, _plugin) = Plugin::on_node().await;
    let very_long = "x".repeat(1 << 20);
    let requests: &[(&[&[&str]], &str)] = &[
        (&[&["AAI"]], "\"AAI\""),
        (&[&["AAA"], &["___"]], "\"___\""),
        (&[&["AAA", "AAB", "AAA"]], "\"AAA\""),
        (&[&["AAA"], &["AAB", "AAA"]], "\"AAA\""),
        (&[&[""]], "\"\""),
        (&[&["0"]], "\"0\""),
        (&[&["AA"]], "\"AA\""),
        (&[&["AAAA"]], "\"AAAA\""),
        (&[&["AA\n"]], "\"AA\\n\""),
        (&[&["ÄA"]], "\"ÄA\""),
        (&[&["\u{202e}\0😀"]], "\"\\u{202e}\\0😀\""),
        (&[&[&very_long]], "xxx"),
        // All of them, and one that does not exist.
        (&[&["AAA", "AAB", "AAC", "AAD", "AAE", "AAF", "AAG", "AAH", "AAI"]], "\"AAI\""),
    ];
    for (containers, device) in requests {
        let status = kubelet.allocate(AZURE, containers).await.expect_err(device);
        assert_eq!(status.code(), Code::InvalidArgument, "{device}");
        let message = status.message();
        assert!(message.contains(AZURE) && message.contains(device), "{device}: {message}");
        assert!(message.len() < 300, "{} bytes", message.len());
    }
    let all = ["AAA", "AAB", "AAC", "AAD", "AAE", "AAF", "AAG", "AAH"];
    kubelet.allocate(AZURE, &[&all]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_its_device_node_a_container_does_not_start() {
    let (node, kubelet, _plugin) = Plugin::on_node().await;
    fs::remove_file(node.enclave()).unwrap();
    let status = kubelet.allocate(AZURE, &[&["AAA"]]).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let message = node.anonymous(status.message());
    let words = [AZURE, "no sgx_enclave in /node/dev", "driver", "quote-helper check"];
    for word in words {
        assert!(message.contains(word), "{word}: {message}");
    }
    kubelet.allocate(PROVISION, &[&["AAA"]]).await.unwrap();
    kubelet.allocate::<&str>(AZURE, &[&[]]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn unannounced_calls_are_harmless() {
    let (node, kubelet, _plugin) = Plugin::on_node().await;
    let options = kubelet.options(AZURE);
    assert!(!options.pre_start_required && !options.get_preferred_allocation_available);
    let mut api = grpc::Client::connect(&node.socket(AZURE)).await.unwrap();
    let preferred = "/v1beta1.DevicePlugin/GetPreferredAllocation";
    let request = PreferredAllocationRequest::default();
    let status = api.call::<_, PreferredAllocationResponse>(preferred, request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("each device is as good as any other"), "{status}");
    let pre_start = "/v1beta1.DevicePlugin/PreStartContainer";
    let request = PreStartContainerRequest::default();
    let PreStartContainerResponse {} = api.call(pre_start, request).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_number_of_containers_is_limited() {
    let (_node, kubelet, _plugin) = Plugin::on_node().await;
    let no_devices: &[&str] = &[];
    for (containers, problem) in
        [(1_001, "more than 1000 containers"), (1_900_000, "more than 800000 fields")]
    {
        let refused = kubelet.allocate(AZURE, &vec![no_devices; containers]).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(refused.message().contains(problem), "{refused:?}");
    }
    let granted = kubelet.allocate(AZURE, &vec![no_devices; 1_000]).await.unwrap();
    assert!(granted.container_responses.iter().all(is_nothing));
}
