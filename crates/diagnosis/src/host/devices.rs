//! The SGX device nodes, and this user's access to them.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User};
use quoting::SGX_ENCLAVE_DEVICE;
use rustix::fs::Access;

use super::driver::DCAP_DRIVER_DEVICE;
use super::processor::{Processor, SEE_PROCESSOR};
use crate::finding::Finding;
use crate::mounts::Mount;

const SGX_PROVISION_DEVICE: &str = "/dev/sgx_provision";

/// The device nodes as this user sees them.
#[derive(Debug, Clone)]
pub(crate) struct Devices {
    user: String,
    enclave: Option<Node>,
    provision: Option<Node>,
}

/// A device node, or another file at its path.
#[derive(Debug, Clone)]
struct Node {
    path: &'static str,
    is_device: bool,
    /// Permission bits.
    mode: u32,
    /// The group's name, or its number if it has none here.
    group: String,
    /// True if the user may open it for reading and writing.
    is_accessible: bool,
    /// The mount point of its file system, if that is mounted noexec.
    noexec: Option<PathBuf>,
}

impl Devices {
    pub(crate) fn gather() -> Self {
        Self {
            user: user_name(Uid::current()),
            enclave: Node::gather(SGX_ENCLAVE_DEVICE).or_else(|| Node::gather(DCAP_DRIVER_DEVICE)),
            provision: Node::gather(SGX_PROVISION_DEVICE)
                .or_else(|| Node::gather("/dev/sgx/provision")),
        }
    }

    pub(crate) fn findings(&self, processor: &Processor) -> Vec<Finding> {
        vec![self.enclave(processor), self.noexec(processor), self.provision(processor)]
    }

    /// The findings for an application's container: the enclave device, if there is enclave memory.
    pub(crate) fn in_pod(&self, processor: &Processor) -> Vec<Finding> {
        match &self.enclave {
            Some(_) => vec![self.enclave(processor), self.noexec(processor)],
            None if processor.runs_enclaves() => vec![Finding::warning(
                "enclave-device",
                "this node has enclave memory, and this container has no device node for it",
                "ask for EPC (limits: kubernetes.azure.com/sgx_epc_mem_in_MiB), if an enclave runs \
                 here; nothing for the software platform",
            )],
            None => Vec::new(),
        }
    }

    /// True if this user may open the provisioning device.
    pub(crate) fn has_provision(&self) -> bool {
        self.provision.as_ref().is_some_and(|node| node.is_device && node.is_accessible)
    }

    fn enclave(&self, processor: &Processor) -> Finding {
        let name = "enclave-device";
        let Some(node) = &self.enclave else { return missing(name, processor) };
        if !node.is_device {
            return node.is_no_device(name);
        }
        if node.is_accessible {
            return Finding::ok(name, format!("{} may open {}", self.user, node.describe()));
        }
        Finding::failed(
            name,
            format!("{} may not open {}, so can make no enclaves", self.user, node.describe()),
            node.grant(&self.user, "sgx", "libsgx-enclave-common"),
        )
    }

    fn noexec(&self, processor: &Processor) -> Finding {
        let name = "noexec";
        let Some(node) = &self.enclave else { return missing(name, processor) };
        match &node.noexec {
            None => Finding::ok(name, format!("{} can be mapped to run code", node.path)),
            Some(mount) => {
                let mount = mount.display();
                Finding::failed(
                    name,
                    format!("{mount} is mounted noexec, so no enclave can run"),
                    format!(
                        "mount -o remount,exec {mount}; for good, take noexec off where it comes \
                     from: /etc/fstab, a systemd before version 248, an old initramfs, or the \
                     container runtime"
                    ),
                )
            }
        }
    }

    fn provision(&self, processor: &Processor) -> Finding {
        let name = "provision-device";
        let Some(node) = &self.provision else {
            if self.enclave.is_none() {
                return missing(name, processor);
            }
            return Finding::warning(
                name,
                format!("{SGX_PROVISION_DEVICE} is not here; the quote service needs it"),
                "in the service's container, give it the device (docker run --device \
                 /dev/sgx_provision; in Kubernetes the resource sgx.intel.com/provision); \
                 applications need none",
            );
        };
        if !node.is_device {
            return node.is_no_device(name);
        }
        if node.mode & 0o006 != 0 {
            return node.is_open_to_all(name);
        }
        let (user, described) = (&self.user, node.describe());
        if node.is_accessible {
            return Finding::ok(name, format!("{user} may open {described}"));
        }
        Finding::warning(
            name,
            format!(
                "{user} may not open {described}: right for an application, wrong for the quote \
                 service"
            ),
            node.grant(user, "sgx_prv", "libsgx-ae-pce"),
        )
    }
}

impl Node {
    fn gather(path: &'static str) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        Some(Self {
            path,
            is_device: file.file_type().is_char_device(),
            mode: file.mode() & 0o777,
            group: group_name(Gid::from_raw(file.gid())),
            is_accessible: rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK).is_ok(),
            noexec: Mount::of(Path::new(path)).filter(|it| it.is_noexec).map(|it| it.point),
        })
    }

    fn describe(&self) -> String {
        format!("{} (mode {:04o}, group {})", self.path, self.mode, self.group)
    }

    fn is_no_device(&self, name: &'static str) -> Finding {
        Finding::failed(
            name,
            format!("{} is there, but is no device", self.path),
            "remove it; most often a container was given a device that its host does not have",
        )
    }

    fn is_open_to_all(&self, name: &'static str) -> Finding {
        let path = self.path;
        Finding::warning(
            name,
            format!("every user may open {}: each can identify this platform", self.describe()),
            format!(
                "restrict it to the service's group: groupadd -f -r sgx_prv; usermod -aG sgx_prv \
                 USER for the user of the quote service; chgrp sgx_prv {path} && chmod 0660 \
                 {path}, and the same in the udev rule; restart the service"
            ),
        )
    }

    /// The fix that lets the user open the node: its group, or a rule that gives it one.
    fn grant(&self, user: &str, group: &str, package: &str) -> String {
        let (path, own) = (self.path, &self.group);
        if self.mode & 0o060 == 0o060 && own != "root" {
            return format!(
                "add {user} to the group {own} (usermod -aG {own} {user}; in a container docker \
                 run --group-add, in Kubernetes supplementalGroups), and log in again, or restart \
                 the service that runs as this user"
            );
        }
        let kernel_name = path.trim_start_matches("/dev/");
        format!(
            "groupadd -f -r {group}; usermod -aG {group} {user}; write the udev rule \
             KERNEL==\"{kernel_name}\", SUBSYSTEM==\"misc\", GROUP=\"{group}\", MODE=\"0660\" to \
             /etc/udev/rules.d/90-{group}.rules (Intel's package {package} brings one); udevadm \
             control --reload; udevadm trigger"
        )
    }
}

fn missing(name: &'static str, processor: &Processor) -> Finding {
    let fix = if processor.runs_enclaves() { "see `driver`" } else { SEE_PROCESSOR };
    Finding::skipped(name, "there is no device node", fix)
}

/// The name of a user, else its number.
fn user_name(id: Uid) -> String {
    User::from_uid(id).ok().flatten().map_or_else(|| id.to_string(), |user| user.name)
}

/// The name of a group, else its number.
fn group_name(id: Gid) -> String {
    Group::from_gid(id).ok().flatten().map_or_else(|| id.to_string(), |group| group.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Status;
    use crate::fixtures::{self, by_name, statuses};

    fn node(path: &'static str, mode: u32, group: &str, is_accessible: bool) -> Node {
        let group = group.to_owned();
        Node { path, is_device: true, mode, group, is_accessible, noexec: None }
    }

    /// The state after the installation of Intel's packages, for the service's user.
    fn in_order() -> Devices {
        Devices {
            user: "quoter".to_owned(),
            enclave: Some(node(SGX_ENCLAVE_DEVICE, 0o666, "root", true)),
            provision: Some(node(SGX_PROVISION_DEVICE, 0o660, "sgx_prv", true)),
        }
    }

    #[track_caller]
    fn has(devices: &Devices, name: &str, status: Status, texts: &[&str]) {
        let finding = by_name(&devices.findings(&fixtures::server()), name);
        assert_eq!(finding.status, status, "{finding:?}");
        let text = format!("{}\n{}", finding.detail, finding.fix.unwrap());
        for expected in texts {
            assert!(text.contains(expected), "\"{expected}\" is missing: {text}");
        }
    }

    #[test]
    fn in_order_is_ok() {
        let findings = in_order().findings(&fixtures::server());
        assert!(statuses(&findings).all(|status| status == Status::Ok), "{findings:?}");
    }

    #[test]
    fn a_group_that_the_user_is_not_in_is_named() {
        let enclave = node(SGX_ENCLAVE_DEVICE, 0o660, "sgx", false);
        let provision = node(SGX_PROVISION_DEVICE, 0o660, "123", false);
        let devices = Devices { enclave: Some(enclave), provision: Some(provision), ..in_order() };
        has(&devices, "enclave-device", Status::Failed, &["usermod -aG sgx quoter"]);
        has(&devices, "provision-device", Status::Warning, &["group 123", "supplementalGroups"]);
    }

    #[test]
    fn a_node_for_root_alone_gets_a_group_by_a_rule() {
        let enclave = node(SGX_ENCLAVE_DEVICE, 0o600, "root", false);
        let provision = node(SGX_PROVISION_DEVICE, 0o660, "root", false);
        let devices = Devices { enclave: Some(enclave), provision: Some(provision), ..in_order() };
        let rule = "KERNEL==\"sgx_enclave\", SUBSYSTEM==\"misc\", GROUP=\"sgx\"";
        has(&devices, "enclave-device", Status::Failed, &["mode 0600", rule]);
        let rule = "KERNEL==\"sgx_provision\", SUBSYSTEM==\"misc\", GROUP=\"sgx_prv\"";
        has(&devices, "provision-device", Status::Warning, &[rule, "groupadd -f -r sgx_prv"]);
    }

    #[test]
    fn a_provision_device_for_everybody_is_too_open() {
        let provision = Some(node(SGX_PROVISION_DEVICE, 0o666, "root", true));
        let devices = Devices { provision, ..in_order() };
        has(&devices, "provision-device", Status::Warning, &["every user", "chmod 0660"]);
    }

    #[test]
    fn an_application_container_has_no_provision_device() {
        let devices = Devices { provision: None, ..in_order() };
        has(&devices, "provision-device", Status::Warning, &["sgx.intel.com/provision"]);
    }

    #[test]
    fn a_directory_in_place_of_a_device_is_no_device() {
        let directory = |path| Some(Node { is_device: false, ..node(path, 0o755, "root", true) });
        let (enclave, provision) = (directory(SGX_ENCLAVE_DEVICE), directory(SGX_PROVISION_DEVICE));
        let devices = Devices { enclave, provision, ..in_order() };
        has(&devices, "enclave-device", Status::Failed, &["is no device", "remove it"]);
        has(&devices, "provision-device", Status::Failed, &["is no device", "remove it"]);
    }

    #[test]
    fn a_noexec_mount_has_its_fix() {
        let mut devices = in_order();
        devices.enclave.as_mut().unwrap().noexec = Some("/dev".into());
        has(&devices, "noexec", Status::Failed, &["mount -o remount,exec /dev;"]);
    }

    #[test]
    fn without_nodes_there_is_nothing_to_look_at() {
        let devices = Devices { enclave: None, provision: None, ..in_order() };
        for processor in [fixtures::server(), fixtures::amd()] {
            let findings = devices.findings(&processor);
            assert!(statuses(&findings).all(|status| status == Status::Skipped));
        }
    }

    #[test]
    fn names_are_found_by_number() {
        assert_eq!(user_name(Uid::from_raw(0)), "root");
        assert_eq!(group_name(Gid::from_raw(4_000_000_000)), "4000000000");
    }
}
