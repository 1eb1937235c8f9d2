//! The options for the add-on's settings.

mod affinity;
mod cluster_pccs;
mod metadata;
mod pods;

use std::path::PathBuf;

use anyhow::{Context, anyhow, ensure};
use clap::{Args, ValueEnum};
use k8s_openapi::api::core::v1::Toleration;
use kubernetes::device_plugin::Shares;
use kubernetes::manifests::{self, AddOn, InjectionMethod, Pccs};

use self::cluster_pccs::PccsArguments;
use self::pods::PodArguments;
use crate::commands::device_plugin::Accounting;
use crate::files;

/// Options that override settings of the add-on.
#[derive(Debug, Args)]
pub(crate) struct AddOnArguments {
    /// Runs a quote service on each node with SGX. The device plugin and injection into pods are
    /// always installed.
    #[arg(long)]
    enable_sgxquotehelper: bool,

    /// Namespace [default: sgx-quote-helper].
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) namespace: Option<String>,

    /// Image of all pods [default: this version's sgx-quote-helper-sgx, or with the software
    /// platform sgx-quote-helper].
    #[arg(long, value_name = "IMAGE", value_parser = image)]
    image: Option<String>,

    /// Secret of the namespace for pulling the image from a private registry. May be given several
    /// times.
    #[arg(long, value_name = "NAME", value_parser = name)]
    image_pull_secret: Vec<String>,

    /// Resource names of EPC, as for `device-plugin` [default: azure].
    #[arg(long, value_name = "PROFILE[=SIZE],...")]
    resource_profile: Option<Shares>,

    /// Counter of EPC for the profiles azure and aliyun [default: node-status].
    #[arg(long, value_enum)]
    epc_accounting: Option<Accounting>,

    /// Method of injection into pods [default: policy from Kubernetes 1.36 on, else webhook].
    #[arg(long, value_enum)]
    injection: Option<Injection>,

    /// Source of quotes [default: dcap].
    #[arg(long, value_enum)]
    platform: Option<Platform>,

    /// Root of the software platform: `deployment.json` of a state directory [default: the root in
    /// the cluster, else a new one].
    #[arg(long, value_name = "FILE")]
    pub(crate) deployment: Option<PathBuf>,

    /// Priority class of the DaemonSets [default: system-node-critical].
    #[arg(long, value_name = "NAME", value_parser = name)]
    priority_class: Option<String>,

    /// Labels that nodes of the add-on must have.
    #[arg(long, value_name = "LABEL=VALUE,...", value_delimiter = ',', value_parser = label)]
    node_selector: Option<Vec<(String, String)>>,

    /// Tolerated taint. May be given several times. Taints named after an EPC resource are always
    /// tolerated.
    #[arg(long, value_name = "KEY[=VALUE][:EFFECT]", value_parser = toleration)]
    toleration: Vec<Toleration>,

    /// First of three user ids of the add-on's pods. No other pod and no user of a node may have
    /// one of them [default: 61100].
    #[arg(
        long,
        value_name = "UID",
        value_parser = clap::value_parser!(u32).range(1000..=0x7fff_fff0)
    )]
    first_uid: Option<u32>,

    /// Shares the nodes' pid namespace with the quote service. Otherwise all pods of a user count
    /// as one caller; if shared, nodes need a kernel with Landlock [default: true].
    #[arg(long, value_name = "BOOL")]
    host_pid: Option<bool>,

    /// Ids of the host's groups that may open the SGX device nodes, if access is restricted.
    #[arg(
        long,
        value_name = "GID,...",
        value_delimiter = ',',
        value_parser = clap::value_parser!(i64).range(0..=0xffff_fffe)
    )]
    device_groups: Option<Vec<i64>>,

    /// PCCS with the platform's certificates, for instance https://pccs:8081.
    #[arg(long, value_name = "URL", value_parser = url)]
    pccs_url: Option<String>,

    /// Certificates of the PCCS's TLS authorities, in PEM.
    #[arg(long, value_name = "FILE", requires = "pccs_url")]
    pccs_ca: Option<PathBuf>,

    #[command(flatten)]
    cluster_pccs: PccsArguments,

    #[command(flatten)]
    pods: PodArguments,
}

/// The method of injection into pods.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Injection {
    /// Admission policies, which the API server evaluates by itself.
    Policy,
    /// The admission webhook, which runs in the cluster.
    Webhook,
}

/// The source of quotes.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Platform {
    /// Intel's QE and PCE, on processors with SGX.
    Dcap,
    /// The software platform, insecure: on any node, for trying, developing and testing.
    Software,
}

impl AddOnArguments {
    /// The add-on with the given options.
    pub(crate) fn applied_to(self, add_on: AddOn) -> anyhow::Result<AddOn> {
        let pccs = self.pccs()?;
        let or = |chosen: Vec<String>, before| if chosen.is_empty() { before } else { chosen };
        let tolerations = match self.toleration.is_empty() {
            true => add_on.tolerations,
            false => self.toleration,
        };
        let add_on = AddOn {
            quote_service: self.enable_sgxquotehelper || add_on.quote_service,
            namespace: self.namespace.unwrap_or(add_on.namespace),
            image: self.image.or(add_on.image),
            image_pull_secrets: or(self.image_pull_secret, add_on.image_pull_secrets),
            resource_profile: self.resource_profile.unwrap_or(add_on.resource_profile),
            epc_accounting: self.epc_accounting.map_or(add_on.epc_accounting, Into::into),
            injection: self.injection.map(Into::into).or(add_on.injection),
            platform: self.platform.map_or(add_on.platform, Into::into),
            priority_class: self.priority_class.unwrap_or(add_on.priority_class),
            node_selector: self
                .node_selector
                .map_or(add_on.node_selector, |labels| labels.into_iter().collect()),
            tolerations,
            first_uid: self.first_uid.unwrap_or(add_on.first_uid),
            host_pid: self.host_pid.unwrap_or(add_on.host_pid),
            device_groups: self.device_groups.unwrap_or(add_on.device_groups),
            pccs: pccs.or(add_on.pccs),
            cluster_pccs: self.cluster_pccs.applied_to(add_on.cluster_pccs.clone())?,
            ..add_on
        };
        let add_on = self.pods.applied_to(add_on)?;
        let is_software = add_on.platform == manifests::Platform::Software;
        ensure!(
            add_on.cluster_pccs.is_none() || add_on.quote_service || !is_software,
            "with the software platform a PCCS serves the collateral of the quote services, and \
             there are none: add --enable-sgxquotehelper, or leave the PCCS out"
        );
        Ok(add_on)
    }

    fn pccs(&self) -> anyhow::Result<Option<Pccs>> {
        let Some(url) = self.pccs_url.clone() else { return Ok(None) };
        let authority = self.pccs_ca.as_ref().map(|path| {
            let bytes = files::read(path)?;
            let is_certificate = |pem: &pem::Pem| pem.tag() == "CERTIFICATE";
            let parsed = pem::parse_many(&bytes).unwrap_or_default();
            ensure!(
                !parsed.is_empty() && parsed.iter().all(is_certificate),
                "{} holds no certificates in PEM",
                files::Input(path)
            );
            String::from_utf8(bytes).with_context(|| format!("{} is not text", files::Input(path)))
        });
        Ok(Some(Pccs { url, authority: authority.transpose()? }))
    }
}

impl From<Injection> for InjectionMethod {
    fn from(injection: Injection) -> Self {
        match injection {
            Injection::Policy => Self::Policy,
            Injection::Webhook => Self::Webhook,
        }
    }
}

impl From<Platform> for manifests::Platform {
    fn from(platform: Platform) -> Self {
        match platform {
            Platform::Dcap => Self::Dcap,
            Platform::Software => Self::Software,
        }
    }
}

/// A DNS subdomain, as for names of objects.
fn name(text: &str) -> anyhow::Result<String> {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_alphanumeric())
            && word.ends_with(|last: char| last.is_ascii_alphanumeric())
            && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    ensure!(
        text.len() <= 253 && text.split('.').all(is_word),
        "a name has lower case letters, digits and hyphens"
    );
    Ok(text.to_owned())
}

fn image(text: &str) -> anyhow::Result<String> {
    ensure!(
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()),
        "an image has a name without spaces"
    );
    Ok(text.to_owned())
}

fn url(text: &str) -> anyhow::Result<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    ensure!(
        rest.is_some_and(
            |rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic())
        ),
        "write for instance https://pccs:8081"
    );
    Ok(text.to_owned())
}

fn label(text: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = text.split_once('=').ok_or_else(|| anyhow!("write LABEL=VALUE"))?;
    ensure!(!name.is_empty(), "write LABEL=VALUE");
    Ok((name.to_owned(), value.to_owned()))
}

fn toleration(text: &str) -> anyhow::Result<Toleration> {
    let (taint, effect) = match text.split_once(':') {
        Some((taint, effect)) => (taint, Some(effect)),
        None => (text, None),
    };
    let (key, value) = match taint.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (taint, None),
    };
    let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    ensure!(!key.is_empty(), "write KEY[=VALUE][:EFFECT]");
    ensure!(
        effect.is_none_or(|effect| effects.contains(&effect)),
        "an effect is one of {}",
        effects.join(", ")
    );
    Ok(Toleration {
        key: Some(key.to_owned()),
        operator: Some(if value.is_some() { "Equal" } else { "Exists" }.to_owned()),
        value: value.map(ToOwned::to_owned),
        effect: effect.map(ToOwned::to_owned),
        ..Toleration::default()
    })
}
