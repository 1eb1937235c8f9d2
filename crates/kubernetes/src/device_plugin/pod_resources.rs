//! Allocated devices, from the kubelet's pod resources API.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tonic::Status;
use tonic::client::Grpc;

use super::kubelet;
use crate::api::call;
use crate::api::v1::{ListPodResourcesRequest, ListPodResourcesResponse};

/// The maximum size of the list in bytes: enough for a machine with 256 GiB of EPC.
const MAX_MESSAGE: usize = 16 << 20;
/// The timeout of the request.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The number of allocated devices of each resource, from the API at `socket` (Kubernetes 1.20 and
/// later).
///
/// # Errors
/// Those of gRPC.
pub(crate) async fn allocated(socket: &Path) -> Result<BTreeMap<String, u64>, Status> {
    let client = Grpc::new(kubelet::channel(socket, TIMEOUT));
    let mut client = client.max_decoding_message_size(MAX_MESSAGE);
    let request = ListPodResourcesRequest {};
    let list: ListPodResourcesResponse =
        call(&mut client, "/v1.PodResourcesLister/List", request).await?;
    let containers = list.pod_resources.into_iter().flat_map(|pod| pod.containers);
    let mut allocated = BTreeMap::<_, u64>::new();
    for devices in containers.flat_map(|container| container.devices) {
        let number = u64::try_from(devices.device_ids.len()).unwrap_or(u64::MAX);
        let sum = allocated.entry(devices.resource_name).or_default();
        *sum = sum.saturating_add(number);
    }
    Ok(allocated)
}
