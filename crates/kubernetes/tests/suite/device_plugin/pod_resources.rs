//! The kubelet's pod resources API.

use std::path::Path;
use std::sync::Arc;

use kubernetes::api::v1::{
    ContainerDevices, ContainerResources, ListPodResourcesRequest, ListPodResourcesResponse,
    PodResources,
};
use test_support::grpc;
use tokio::net::UnixListener;

use crate::device_plugin::kubelet::Kubelet;

/// Serves the kubelet's allocations, and a device of another plugin.
pub(crate) fn serve(socket: &Path, kubelet: &Arc<Kubelet>) {
    let listener = UnixListener::bind(socket).unwrap();
    let kubelet = Arc::clone(kubelet);
    grpc::serve(listener, "/v1.PodResourcesLister/List", move |_: ListPodResourcesRequest| {
        std::future::ready(Ok(list(&kubelet)))
    });
}

fn list(kubelet: &Kubelet) -> ListPodResourcesResponse {
    let mut allocated = kubelet.allocated();
    allocated.insert("example.com/gpu".to_owned(), vec!["0".to_owned()]);
    // Two devices in each pod, while they last.
    let pods = allocated
        .iter()
        .flat_map(|(resource, names)| names.chunks(2).map(|names| pod(resource, names.to_vec())));
    ListPodResourcesResponse { pod_resources: pods.collect() }
}

fn pod(resource: &str, device_ids: Vec<String>) -> PodResources {
    let devices = ContainerDevices { resource_name: resource.to_owned(), device_ids };
    let container = ContainerResources { name: "container".to_owned(), devices: vec![devices] };
    PodResources {
        name: "pod".to_owned(),
        namespace: "default".to_owned(),
        containers: vec![container],
    }
}
