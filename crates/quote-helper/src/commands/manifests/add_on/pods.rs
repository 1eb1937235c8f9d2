//! The options for the pods of all components.

use std::path::PathBuf;

use anyhow::{Context, anyhow, bail, ensure};
use bytesize::ByteSize;
use clap::Args;
use k8s_openapi::api::core::v1::Affinity;
use kubernetes::injection::quantity;
use kubernetes::manifests::{AddOn, Component, LogLevel, Platform, Quantities};

use super::{affinity, metadata};
use crate::values::{self, OneOf};

/// Options that override settings of pods.
#[derive(Debug, Args)]
pub(super) struct PodArguments {
    /// CPU and memory that a component requests: of device-plugin, quote-service, pccs or webhook,
    /// for instance webhook=cpu=50m,memory=64Mi. May be given several times [default:
    /// device-plugin cpu=5m,memory=32Mi; quote-service and pccs cpu=10m,memory=64Mi; webhook
    /// cpu=10m,memory=32Mi].
    #[arg(long, value_name = "COMPONENT=RESOURCE=AMOUNT,...", value_parser = quantities)]
    requests: Vec<(Component, Quantities)>,

    /// Limits of CPU and memory of a component, written as for --requests. May be given several
    /// times [default: device-plugin and webhook memory=128Mi; quote-service and pccs
    /// memory=512Mi].
    #[arg(long, value_name = "COMPONENT=RESOURCE=AMOUNT,...", value_parser = quantities)]
    limits: Vec<(Component, Quantities)>,

    /// Replicas of the webhook [default: 2].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=100))]
    webhook_replicas: Option<u16>,

    /// Affinity of a component's pods, from a file with the fields nodeAffinity, podAffinity and
    /// podAntiAffinity in YAML or JSON. May be given several times [default: quote-service runs on
    /// nodes with a label of SGX, the replicas of the webhook prefer different nodes].
    #[arg(long, value_name = "COMPONENT=FILE", value_parser = affinity_file)]
    affinity: Vec<(Component, PathBuf)>,

    /// Label of all objects and pods. May be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = metadata::label)]
    label: Vec<(String, String)>,

    /// Annotation of all objects and pods. May be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = metadata::annotation)]
    annotation: Vec<(String, String)>,

    /// Least severe messages in the logs of all pods [default: info].
    #[arg(long, value_name = "LEVEL", value_parser = OneOf::<LogLevel>::of(LogLevel::ALL))]
    log_level: Option<LogLevel>,

    /// Passes device nodes to containers by the Container Device Interface (CDI), described in
    /// /var/run/cdi of the nodes, whose runtime must have CDI enabled [default: false].
    #[arg(long, value_name = "BOOL")]
    cdi: Option<bool>,

    /// Simulated EPC of each node with the software platform [default: 256MiB].
    #[arg(long, value_name = "SIZE", value_parser = software_epc)]
    software_epc: Option<ByteSize>,

    /// Adds a PodMonitor, by which the Prometheus operator collects the metrics of all pods. The
    /// namespace of Prometheus needs the label metrics=enabled [default: false].
    #[arg(long, value_name = "BOOL")]
    pod_monitor: Option<bool>,
}

impl PodArguments {
    /// The add-on with the given options.
    pub(super) fn applied_to(self, add_on: AddOn) -> anyhow::Result<AddOn> {
        ensure!(
            self.software_epc.is_none() || add_on.platform == Platform::Software,
            "--software-epc is for the software platform: add --platform software"
        );
        let mut resources = add_on.resources;
        for (component, chosen) in self.requests {
            let requests = &mut resources.entry(component).or_default().requests;
            *requests = chosen.or(std::mem::take(requests));
        }
        for (component, chosen) in self.limits {
            let limits = &mut resources.entry(component).or_default().limits;
            *limits = chosen.or(std::mem::take(limits));
        }
        let affinities =
            self.affinity.iter().map(|(component, path)| Ok((*component, affinity::read(path)?)));
        let affinities: Vec<(Component, Affinity)> = affinities.collect::<anyhow::Result<_>>()?;
        let or = |chosen: Vec<(String, String)>, before| match chosen.is_empty() {
            true => before,
            false => chosen.into_iter().collect(),
        };
        let add_on = AddOn {
            resources,
            webhook_replicas: self.webhook_replicas.unwrap_or(add_on.webhook_replicas),
            affinity: add_on.affinity.into_iter().chain(affinities).collect(),
            labels: or(self.label, add_on.labels),
            annotations: or(self.annotation, add_on.annotations),
            log_level: self.log_level.unwrap_or(add_on.log_level),
            cdi: self.cdi.unwrap_or(add_on.cdi),
            software_epc: self.software_epc.map_or(add_on.software_epc, |size| size.to_string()),
            pod_monitor: self.pod_monitor.unwrap_or(add_on.pod_monitor),
            ..add_on
        };
        add_on.check_compute_resources()?;
        Ok(add_on)
    }
}

/// For instance `webhook=cpu=50m,memory=64Mi`.
fn quantities(text: &str) -> anyhow::Result<(Component, Quantities)> {
    let form = "write for instance webhook=cpu=50m,memory=64Mi";
    let (component, amounts) = text.split_once('=').context(form)?;
    let component = component.parse()?;
    let mut quantities = Quantities::default();
    for amount in amounts.split(',') {
        let (resource, amount) = amount.split_once('=').context(form)?;
        let field = match resource {
            "cpu" => &mut quantities.cpu,
            "memory" => &mut quantities.memory,
            _ => bail!("unknown resource {resource:?}; expected cpu or memory"),
        };
        let is_positive = quantity::parse_milli(amount).is_some_and(|amount| amount > 0);
        ensure!(is_positive, "{amount:?} is no amount of {resource}; {form}");
        ensure!(field.is_none(), "{resource} is given twice");
        *field = Some(amount.to_owned());
    }
    Ok((component, quantities))
}

/// For instance `webhook=affinity.yaml`.
fn affinity_file(text: &str) -> anyhow::Result<(Component, PathBuf)> {
    let (component, path) = text
        .split_once('=')
        .filter(|(_, path)| !path.is_empty())
        .ok_or_else(|| anyhow!("write for instance webhook=affinity.yaml"))?;
    Ok((component.parse()?, path.into()))
}

fn software_epc(text: &str) -> anyhow::Result<ByteSize> {
    let size = values::size(text)?;
    ensure!(size.as_u64() >= 1 << 20, "a node needs at least 1MiB");
    Ok(size)
}
