//! Services of the add-on.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::AddOn;
use super::pod::selected;

/// The Service for a named port of the component's pods. The number is the Service's own.
pub(super) fn service(
    add_on: &AddOn,
    name: &str,
    component: &str,
    (port, number): (&str, i32),
) -> Service {
    Service {
        metadata: add_on.metadata(name),
        spec: Some(ServiceSpec {
            selector: Some(selected(component)),
            ports: Some(vec![ServicePort {
                name: Some(port.to_owned()),
                port: number,
                target_port: Some(IntOrString::String(port.to_owned())),
                protocol: Some("TCP".to_owned()),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}
