//! The kubelet's pod resources API.

use std::path::Path;
use std::sync::Arc;

use kubernetes::api::v1::pod_resources_lister_server::{
    PodResourcesLister, PodResourcesListerServer,
};
use kubernetes::api::v1::{
    ContainerDevices, ContainerResources, ListPodResourcesRequest, ListPodResourcesResponse,
    PodResources,
};
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use crate::device_plugin::kubelet::Kubelet;

/// Serves the kubelet's allocations, and a device of another plugin.
pub(crate) fn serve(socket: &Path, kubelet: &Arc<Kubelet>) {
    let listener = UnixListener::bind(socket).unwrap();
    let server = Server::builder()
        .add_service(PodResourcesListerServer::new(Lister(Arc::clone(kubelet))))
        .serve_with_incoming(UnixListenerStream::new(listener));
    tokio::spawn(server);
}

struct Lister(Arc<Kubelet>);

#[tonic::async_trait]
impl PodResourcesLister for Lister {
    async fn list(
        &self,
        _: Request<ListPodResourcesRequest>,
    ) -> Result<Response<ListPodResourcesResponse>, Status> {
        let mut allocated = self.0.allocated();
        allocated.insert("example.com/gpu".to_owned(), vec!["0".to_owned()]);
        // Two devices in each pod, while they last.
        let pods = allocated.iter().flat_map(|(resource, names)| {
            names.chunks(2).map(|names| pod(resource, names.to_vec()))
        });
        Ok(Response::new(ListPodResourcesResponse { pod_resources: pods.collect() }))
    }
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
