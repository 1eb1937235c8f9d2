//! `inject`: adds to pods in YAML the settings that the webhook would add.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use kubernetes::injection::{Settings, inject_object};
use kubernetes::manifests::{DEFAULT_FIRST_UID, uids};
use kubernetes_yaml::Yaml;
use serde_json::Value;

use crate::commands::device_plugin::Accounting;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::{files, objects};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// File with objects in YAML or JSON; - is standard input. Pods, the kinds of Kubernetes that
    /// have pods, lists of them, and pod templates in custom resources are changed. All other text
    /// stays the same, to the byte; a warning names EPC outside of pods.
    #[arg(long, short, value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    cluster: ClusterArguments,

    /// Output format: yaml is the text of the file with additions in place, json is one object or a
    /// list of kind List, as kubectl reads it.
    #[arg(long, value_parser = Format::one_of(objects::FORMATS), default_value = "yaml")]
    output: Format,
}

/// The properties of the cluster that pods are for.
#[derive(Debug, Args)]
pub(crate) struct ClusterArguments {
    /// The nodes' directory with the quote service's socket.
    #[arg(
        long,
        value_name = "PATH",
        default_value = "/var/run/aesmd",
        env = "QUOTE_HELPER_AESM_DIR"
    )]
    aesm_dir: PathBuf,

    /// The device plugin mounts the socket's directory into each container with EPC, so that pods
    /// need no volume for it.
    #[arg(long, env = "QUOTE_HELPER_SOCKET_BY_DEVICE_PLUGIN")]
    socket_by_device_plugin: bool,

    /// Counter of EPC for the device plugin's profiles azure and aliyun.
    #[arg(long, value_enum, default_value = "node-status", env = "QUOTE_HELPER_EPC_ACCOUNTING")]
    epc_accounting: Accounting,

    /// Nodes have a quote service; if not, pods that use one get a warning.
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        action = clap::ArgAction::Set,
        env = "QUOTE_HELPER_QUOTE_SERVICE"
    )]
    quote_service: bool,

    /// First of the users of the add-on's pods; pods that share one get a warning.
    #[arg(
        long,
        value_name = "UID",
        default_value_t = DEFAULT_FIRST_UID,
        env = "QUOTE_HELPER_FIRST_UID"
    )]
    first_uid: u32,
}

impl From<ClusterArguments> for Settings {
    fn from(cluster: ClusterArguments) -> Self {
        Self {
            aesm_dir: cluster.aesm_dir,
            socket_by_device_plugin: cluster.socket_by_device_plugin,
            epc_accounting: cluster.epc_accounting.into(),
            has_quote_service: cluster.quote_service,
            add_on_uids: uids(cluster.first_uid),
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let name = files::Input(&arguments.file);
    let text = read(&arguments.file).with_context(|| format!("cannot read {name}"))?;
    let yaml = Yaml::parse(&text).with_context(|| format!("cannot read {name}: it is not YAML"))?;
    let mut objects = yaml.values().with_context(|| format!("cannot read {name}"))?;
    if objects.iter().all(Value::is_null) {
        return Err(anyhow!("cannot read {name}: there is no object in it").into());
    }
    let settings = arguments.cluster.into();
    for (index, object) in objects.iter_mut().enumerate() {
        let named = named(object, index);
        let written = |pointer: &str| yaml.written(index, pointer).map(str::to_owned);
        let warnings = inject_object(object, &settings, &written)
            .with_context(|| format!("cannot inject into {named} of {name}"))?;
        for warning in warnings {
            output::note(format_args!("warning: {named}: {warning}"));
        }
    }
    match arguments.output {
        Format::Yaml | Format::Text => {
            let injected = yaml.with(&objects);
            output::bytes(
                injected.with_context(|| format!("cannot inject into {name}"))?.as_bytes(),
            )?;
        }
        Format::Json => {
            objects.retain(|object| !object.is_null());
            objects::print(Format::Json, &objects)?;
        }
    }
    Ok(())
}

/// The text of the file.
fn read(file: &Path) -> anyhow::Result<String> {
    String::from_utf8(files::read(file)?).context("it is not text in UTF-8")
}

/// The object's kind and name, or its position.
fn named(object: &Value, index: usize) -> String {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
    match (text("/kind"), text("/metadata/name")) {
        (Some(kind), Some(name)) => format!("{kind} {name:?}"),
        _ => format!("document {}", index.saturating_add(1)),
    }
}
