//! `check`: tells what a machine, a container or a cluster has for quoting, and what to do about what it
//! lacks.
//!
//! Each section is a file of its own: a structure of facts, which `gather` fills, and a function from the
//! facts to findings, which tests call for machines and clusters that they do not have.

mod certificates;
mod cluster;
mod collateral;
mod devices;
mod diagnosis;
mod driver;
mod expiry;
mod finding;
mod libraries;
mod machine;
mod platform;
mod pod;
mod processor;
#[cfg(test)]
mod recorded;
mod self_quote;
mod service;
mod service_section;
mod tcb;
mod verification;

use clap::Args;

use self::diagnosis::{Diagnosis, Subject};
use crate::endorsements::Endorsements;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::quote_source::{ServiceSocket, unasked_service};

/// The heading of options about the machine or container.
const MACHINE_OPTIONS: &str = "Options for a machine or a container";
/// The heading of options about a cluster.
const CLUSTER_OPTIONS: &str = "Options for a cluster";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    asked: Asked,

    /// The form of the result. JSON and YAML have all findings.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    /// Shows what is fine and what was skipped, too.
    #[arg(long, short)]
    verbose: bool,

    #[command(flatten, next_help_heading = MACHINE_OPTIONS)]
    service: ServiceSocket,

    #[command(flatten, next_help_heading = MACHINE_OPTIONS)]
    endorsements: Endorsements,

    #[command(flatten, next_help_heading = CLUSTER_OPTIONS)]
    cluster: cluster::Which,
}

/// What is to be looked at.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Asked {
    /// Looks at this machine. Without --machine, --in-pod and --cluster it is the cluster if there is a
    /// kubeconfig (KUBECONFIG, or ~/.kube/config) and no option is about a machine, else the machine.
    #[arg(long)]
    machine: bool,

    /// Looks at the container that this runs in, as an application in it sees it: quick enough for a probe.
    #[arg(long)]
    in_pod: bool,

    /// Looks at a cluster: its nodes, the add-on's parts, and the quote service of each node.
    #[arg(long)]
    cluster: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let diagnosis = diagnose(arguments)?.verbose(arguments.verbose);
    match arguments.output {
        // It has made itself printable, but for its own colors.
        Format::Text => output::document(&diagnosis)?,
        format => output::result(format, &diagnosis)?,
    }
    if diagnosis.passed {
        return Ok(());
    }
    if !arguments.is_about_cluster()
        && let Some(hint) = unasked_service(Some(&arguments.service.path()?))
    {
        output::note(hint);
    }
    Err(Failure::Diagnosed)
}

fn diagnose(arguments: &Arguments) -> anyhow::Result<Diagnosis> {
    if arguments.is_about_cluster() {
        return cluster::diagnose(&arguments.cluster);
    }
    let source = &arguments.endorsements;
    let (socket, roots) = (arguments.service.path()?, source.trusted_roots()?);
    Ok(match arguments.asked.in_pod {
        true => Diagnosis::new(Subject::Pod, pod::sections(socket, source, &roots)),
        false => Diagnosis::new(Subject::Machine, machine::sections(socket, source, &roots)),
    })
}

impl Arguments {
    fn is_about_cluster(&self) -> bool {
        let Asked { machine, in_pod, cluster } = self.asked;
        let has_machine_option = self.service.is_named() || self.endorsements.are_named();
        cluster
            || !machine
                && !in_pod
                && (self.cluster.is_given() || !has_machine_option && cluster::has_kubeconfig())
    }
}

/// The schemas of what it prints as JSON.
#[cfg(test)]
pub(crate) fn schemas() -> Vec<(&'static str, schemars::Schema)> {
    use crate::schemas;
    vec![("check", schemas::of::<Diagnosis>())]
}

#[cfg(test)]
mod tests {
    use super::devices::Devices;
    use super::driver::Driver;
    use super::finding::Status;
    use super::*;

    #[test]
    fn each_finding_but_the_good_ones_has_a_fix_whatever_the_processor_is() {
        for processor in recorded::processors() {
            let findings = [
                processor.findings(),
                Driver::gather().findings(&processor),
                Devices::gather().findings(&processor),
                Devices::gather().in_pod(&processor),
                libraries::findings(&libraries::gather(), &processor),
            ];
            for finding in findings.concat() {
                let fix = finding.fix.as_deref().unwrap_or_default();
                assert_eq!(finding.status == Status::Ok, fix.is_empty(), "{finding:?}");
            }
        }
    }
}
