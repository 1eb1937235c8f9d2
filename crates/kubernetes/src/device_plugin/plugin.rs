//! The gRPC service of one resource, which the kubelet calls.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Code, Request, Response, Status};
use tracing::{info, warn};

use super::allocator::Allocator;
use super::kubelet::OPTIONS;
use super::metrics::Metrics;
use super::plan::Resource;
use crate::api::v1beta1::device_plugin_server::DevicePlugin;
use crate::api::v1beta1::{
    AllocateRequest, AllocateResponse, ContainerAllocateRequest, ContainerAllocateResponse,
    DevicePluginOptions, Empty, ListAndWatchResponse, PreStartContainerRequest,
    PreStartContainerResponse, PreferredAllocationRequest, PreferredAllocationResponse,
};

/// The service of one resource.
pub(crate) struct Plugin {
    pub(crate) resource: Resource,
    pub(crate) allocator: Arc<Allocator>,
    /// The health of its devices. Device lists end when the sender is dropped.
    pub(crate) healthy: watch::Receiver<bool>,
    /// Reports when the kubelet starts and stops to watch the devices.
    pub(crate) watch_events: mpsc::UnboundedSender<WatchEvent>,
    pub(crate) metrics: Metrics,
}

/// The kubelet starts or stops to watch the devices of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WatchEvent {
    Started(&'static str),
    Stopped(&'static str),
}

/// Reports the end of the kubelet's watch when it is dropped.
struct ListWatch(&'static str, mpsc::UnboundedSender<WatchEvent>);

impl Drop for ListWatch {
    fn drop(&mut self) {
        // The session may have ended and dropped the receiver.
        let _ = self.1.send(WatchEvent::Stopped(self.0));
    }
}

#[tonic::async_trait]
impl DevicePlugin for Plugin {
    type ListAndWatchStream =
        Pin<Box<dyn Stream<Item = Result<ListAndWatchResponse, Status>> + Send>>;

    async fn get_device_plugin_options(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<DevicePluginOptions>, Status> {
        Ok(Response::new(OPTIONS))
    }

    async fn list_and_watch(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<Self::ListAndWatchStream>, Status> {
        let name = self.resource.name;
        let devices = self.resource.devices.clone();
        let watch = ListWatch(name, self.watch_events.clone());
        let _ = self.watch_events.send(WatchEvent::Started(name));
        let lists = WatchStream::new(self.healthy.clone()).map(move |healthy| {
            // Moves all of it into the closure, so that it lives as long as the list.
            let _: &ListWatch = &watch;
            info!(resource = name, devices = devices.len(), healthy, "sending the device list");
            Ok(devices.message(healthy))
        });
        Ok(Response::new(Box::pin(lists)))
    }

    /// Not announced in [`OPTIONS`].
    async fn get_preferred_allocation(
        &self,
        _: Request<PreferredAllocationRequest>,
    ) -> Result<Response<PreferredAllocationResponse>, Status> {
        Err(Status::unimplemented("each device is as good as any other, side by side or not"))
    }

    async fn allocate(
        &self,
        request: Request<AllocateRequest>,
    ) -> Result<Response<AllocateResponse>, Status> {
        let name = self.resource.name;
        let allocated = self.allocate_all(&request.into_inner().container_requests);
        self.metrics.allocated(name, allocated.as_ref().map_or_else(Status::code, |_| Code::Ok));
        match allocated {
            Ok(container_responses) => Ok(Response::new(AllocateResponse { container_responses })),
            Err(status) => {
                warn!(resource = name, "refused to allocate: {}", status.message());
                Err(status)
            }
        }
    }

    async fn pre_start_container(
        &self,
        _: Request<PreStartContainerRequest>,
    ) -> Result<Response<PreStartContainerResponse>, Status> {
        Ok(Response::new(PreStartContainerResponse {}))
    }
}

/// The kubelet sends one container in a request.
const MAX_CONTAINERS: usize = 1_000;

impl Plugin {
    fn allocate_all(
        &self,
        containers: &[ContainerAllocateRequest],
    ) -> Result<Vec<ContainerAllocateResponse>, Status> {
        let name = self.resource.name;
        if containers.len() > MAX_CONTAINERS {
            let problem = format!("{name}: more than {MAX_CONTAINERS} containers in one request");
            return Err(Status::resource_exhausted(problem));
        }
        let names = containers.iter().flat_map(|container| &container.devices_ids);
        self.resource
            .devices
            .check(names)
            .map_err(|error| Status::invalid_argument(format!("{name}: {error}")))?;
        containers.iter().map(|container| self.allocate_one(container)).collect()
    }

    fn allocate_one(
        &self,
        container: &ContainerAllocateRequest,
    ) -> Result<ContainerAllocateResponse, Status> {
        if container.devices_ids.is_empty() {
            return Ok(ContainerAllocateResponse::default());
        }
        self.allocator.allocate(&self.resource).map_err(|error| {
            Status::failed_precondition(format!("{}: {error}", self.resource.name))
        })
    }
}
