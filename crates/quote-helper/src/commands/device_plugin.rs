//! `device-plugin`: offers this node's enclave memory to Kubernetes.

mod quote_service;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use bytesize::ByteSize;
use clap::{Args, ValueEnum};
use kubernetes::device_plugin::{
    self, Allocator, Epc, EpcAccounting, Metrics, NUMA_NODES, NodeStatus, Offer, Options,
    PLUGIN_DIR, POD_RESOURCES_SOCKET, Shares,
};
use raw_cpuid::CpuIdReaderNative;
use tracing::warn;

use crate::cluster;
use crate::failure::Failure;
use crate::listen::listen;
use crate::reload;
use crate::runtime::runtime;
use crate::server_process::{LogFormat, Sandbox, ServerProcess, WritablePaths};
use crate::shutdown::Shutdown;
use crate::values;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Resource names of EPC: azure (kubernetes.azure.com/sgx_epc_mem_in_MiB), intel
    /// (sgx.intel.com/epc) or aliyun (alibabacloud.com/sgx_epc_MiB). Several divide the EPC: all
    /// but one need a size, for instance azure=8GiB,intel.
    #[arg(
        long,
        value_name = "PROFILE[=SIZE],...",
        default_value = "azure",
        env = "QUOTE_HELPER_RESOURCE_PROFILE"
    )]
    resource_profile: Shares,

    /// Counter of EPC for the profiles azure and aliyun. EPC of the profile intel is always counted
    /// in the node's status.
    #[arg(long, value_enum, default_value = "node-status", env = "QUOTE_HELPER_EPC_ACCOUNTING")]
    epc_accounting: Accounting,

    /// EPC of this node, instead of that reported by the processor and the kernel.
    #[arg(long, value_name = "SIZE", value_parser = values::size, env = "QUOTE_HELPER_EPC_SIZE")]
    epc_size: Option<ByteSize>,

    /// Advertises this amount of simulated EPC, without device nodes: for enclaves in simulation
    /// mode on nodes without SGX.
    #[arg(
        long,
        value_name = "SIZE",
        value_parser = values::size,
        conflicts_with = "epc_size",
        env = "QUOTE_HELPER_SOFTWARE_EPC"
    )]
    software_epc: Option<ByteSize>,

    /// EPC to reserve for users outside of Kubernetes, such as a quote service of the host.
    #[arg(
        long,
        value_name = "SIZE",
        value_parser = values::size,
        default_value = "0",
        env = "QUOTE_HELPER_RESERVE"
    )]
    reserve: ByteSize,

    /// Maximum number of containers with sgx.intel.com/enclave, which accompanies EPC in the node's
    /// status. The kubelet needs time for the product of offered and allocated ones.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "256",
        value_parser = clap::value_parser!(u32).range(..=10_000),
        env = "QUOTE_HELPER_ENCLAVE_LIMIT"
    )]
    enclave_limit: u32,

    /// Maximum number of containers with sgx.intel.com/provision: for the quote service only.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "1",
        value_parser = clap::value_parser!(u32).range(..=10_000),
        env = "QUOTE_HELPER_PROVISION_LIMIT"
    )]
    provision_limit: u32,

    /// The host's directory of device nodes.
    #[arg(long, value_name = "PATH", default_value = "/dev", env = "QUOTE_HELPER_DEVICE_DIR")]
    device_dir: PathBuf,

    /// Mount of the host's file system, for a plugin in a container: device nodes are searched
    /// below it.
    #[arg(long, value_name = "PATH", default_value = "/", env = "QUOTE_HELPER_HOST_ROOT")]
    host_root: PathBuf,

    /// The host's directory with the quote service's socket. Containers with EPC get it at
    /// /var/run/aesmd, read-only.
    #[arg(
        long,
        value_name = "PATH",
        default_value = "/var/run/aesmd",
        env = "QUOTE_HELPER_AESM_DIR"
    )]
    aesm_dir: PathBuf,

    /// Does not mount the socket's directory into containers: there is no quote service.
    #[arg(long, conflicts_with = "aesm_dir", env = "QUOTE_HELPER_NO_AESM_DIR")]
    no_aesm_dir: bool,

    /// Passes device nodes as devices of the Container Device Interface (CDI), described in this
    /// directory, usually /var/run/cdi. Needs Kubernetes 1.28 and a runtime with CDI.
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_CDI_DIR")]
    cdi_dir: Option<PathBuf>,

    /// The kubelet's directory of plugins.
    #[arg(long, value_name = "PATH", default_value = PLUGIN_DIR, env = "QUOTE_HELPER_PLUGIN_DIR")]
    plugin_dir: PathBuf,

    /// The kubelet's pod resources socket, for the metrics.
    #[arg(
        long,
        value_name = "PATH",
        default_value = POD_RESOURCES_SOCKET,
        env = "QUOTE_HELPER_POD_RESOURCES_SOCKET"
    )]
    pod_resources_socket: PathBuf,

    /// This node's name, for resources in its status. The API server is found as by kubectl, or as
    /// in any pod.
    #[arg(long, value_name = "NAME", env = "NODE_NAME")]
    node_name: Option<String>,

    /// Tests the quote service at this socket, and reports in the node's condition
    /// QuoteServiceReady and in Events about the node if it makes quotes [default: no test].
    #[arg(
        long,
        value_name = "PATH",
        conflicts_with = "no_aesm_dir",
        env = "QUOTE_HELPER_QUOTE_SERVICE_SOCKET"
    )]
    quote_service_socket: Option<PathBuf>,

    /// Serves /metrics, /livez and /readyz over HTTP here [default: nowhere].
    #[arg(long, value_name = "ADDRESS:PORT", env = "QUOTE_HELPER_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,

    /// Format of the log on standard error. QUOTE_HELPER_LOG selects the messages, for instance
    /// `debug`.
    #[arg(long, value_enum, default_value = "text", env = "QUOTE_HELPER_LOG_FORMAT")]
    log_format: LogFormat,
}

/// The counter of EPC.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Accounting {
    /// The kubelet, with a device for each MiB: for small nodes without the API server. Containers
    /// get the device node with the EPC.
    Devices,
    /// The API server, in the node's status: any size. Containers get the device node by
    /// sgx.intel.com/enclave, which injection adds.
    NodeStatus,
}

impl From<Accounting> for EpcAccounting {
    fn from(accounting: Accounting) -> Self {
        match accounting {
            Accounting::Devices => Self::Devices,
            Accounting::NodeStatus => Self::NodeStatus,
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let writable = || writable_paths(&arguments).map(Some);
    let process = ServerProcess::start(arguments.log_format, writable)?;
    let runtime = runtime()?;
    Ok(runtime.block_on(serve(arguments, &process.sandbox))?)
}

/// The kubelet's directory, for the sockets of resources, and that of CDI.
fn writable_paths(arguments: &Arguments) -> anyhow::Result<WritablePaths> {
    let mut writable = WritablePaths::default();
    let directories = [Some(&arguments.plugin_dir), arguments.cdi_dir.as_ref()];
    directories.into_iter().flatten().try_for_each(|directory| writable.add_readable(directory))?;
    Ok(writable)
}

async fn serve(arguments: Arguments, sandbox: &Sandbox) -> anyhow::Result<()> {
    let shutdown = Shutdown::on_signals()?;
    reload::nothing_on_hangup("settings are arguments, and changes of devices are detected")?;
    let metrics = Metrics::default();
    let metrics_listen = arguments.metrics_listen;
    let router = metrics.router(arguments.pod_resources_socket.clone());
    let options = options(arguments).await?;
    if let Some(address) = metrics_listen {
        let listener = listen(address, "metrics").await?;
        tokio::spawn(http_server::serve(listener, router, shutdown.begun()));
    }
    tokio::select! {
        () = device_plugin::run(options, metrics, shutdown.begun()) => Ok(()),
        path = sandbox.path_replaced() => bail!(
            "{} was replaced by another directory, which the sandbox does not let this process \
             write; restart the process",
            path.display()
        ),
    }
}

async fn options(arguments: Arguments) -> anyhow::Result<Options> {
    let epc = epc(&arguments);
    let offer = Offer {
        shares: arguments.resource_profile,
        accounting: arguments.epc_accounting.into(),
        enclave_limit: arguments.enclave_limit,
        provision_limit: arguments.provision_limit,
        has_device_nodes: arguments.software_epc.is_none(),
    };
    let node_status = match offer.needs_node_status() {
        true => Some(node_status(arguments.node_name).await?),
        false => None,
    };
    let allocator = Allocator {
        device_dir: arguments.device_dir,
        host_root: arguments.host_root,
        aesm_dir: (!arguments.no_aesm_dir).then_some(arguments.aesm_dir),
        cdi_dir: arguments.cdi_dir,
    };
    ensure!(
        node_status.is_some() || arguments.quote_service_socket.is_none(),
        "--quote-service-socket reports in the node's status, which is not used with \
         --epc-accounting devices"
    );
    Ok(Options {
        offer,
        epc,
        allocator,
        plugin_dir: arguments.plugin_dir,
        node_status,
        quote_service: arguments.quote_service_socket.map(quote_service::probe),
    })
}

/// The EPC to offer.
fn epc(arguments: &Arguments) -> Epc {
    let mut epc = match (arguments.software_epc, arguments.epc_size) {
        (Some(size), _) => {
            warn!(
                "advertising {size} of simulated EPC: enclaves are not protected by hardware on \
                 this node"
            );
            Epc::of_size(size.as_u64())
        }
        (None, Some(size)) => Epc::of_size(size.as_u64()),
        (None, None) => Epc::detect(CpuIdReaderNative, Path::new(NUMA_NODES)),
    };
    let _ = epc.take(arguments.reserve.as_u64());
    epc
}

async fn node_status(node_name: Option<String>) -> anyhow::Result<NodeStatus> {
    let name = node_name.context(
        "EPC that is counted in the node's status needs the node's name: pass --node-name, or set \
         NODE_NAME from the pod's field spec.nodeName. On a small node --epc-accounting devices \
         does without",
    )?;
    let client = cluster::client()
        .await
        .context("EPC that is counted in the node's status needs the API server")?;
    Ok(NodeStatus::new(client, name))
}
