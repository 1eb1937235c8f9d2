//! `webhook`: serves the admission webhook, which adds the settings that pods with enclaves need.

use std::net::SocketAddr;
use std::time::SystemTime;

use anyhow::Context;
use clap::Args;
use kubernetes::webhook::{self, Metrics, Options, ServiceName};

use crate::cluster;
use crate::commands::inject::ClusterArguments;
use crate::failure::Failure;
use crate::listen::listen;
use crate::memory_limit::memory_limit;
use crate::reload;
use crate::runtime::runtime;
use crate::server_process::{LogFormat, ServerProcess, WritablePaths};
use crate::shutdown::Shutdown;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Address for admission reviews over HTTPS.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "[::]:8443",
        env = "QUOTE_HELPER_LISTEN"
    )]
    listen: SocketAddr,

    /// Serves /metrics, /livez and /readyz over HTTP here [default: nowhere].
    #[arg(long, value_name = "ADDRESS:PORT", env = "QUOTE_HELPER_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,

    /// Namespace of the service and of the Secret.
    #[arg(long, value_name = "NAME", env = "POD_NAMESPACE")]
    namespace: String,

    /// Service by which the API server reaches the webhook.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "sgx-webhook",
        env = "QUOTE_HELPER_SERVICE_NAME"
    )]
    service_name: String,

    /// MutatingWebhookConfiguration with the authorities that the API server trusts.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "sgx-webhook",
        env = "QUOTE_HELPER_WEBHOOK_NAME"
    )]
    webhook_name: String,

    /// Secret with the certificates, which the replicas share.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "sgx-webhook-certificates",
        env = "QUOTE_HELPER_SECRET_NAME"
    )]
    secret_name: String,

    #[command(flatten)]
    cluster: ClusterArguments,

    /// Format of the log on standard error. QUOTE_HELPER_LOG selects the messages, for instance
    /// `debug`.
    #[arg(long, value_enum, default_value = "text", env = "QUOTE_HELPER_LOG_FORMAT")]
    log_format: LogFormat,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    // Certificates are in memory and in the cluster.
    let nothing = || Ok(Some(WritablePaths::default()));
    let _process = ServerProcess::start(arguments.log_format, nothing)?;
    let runtime = runtime()?;
    Ok(runtime.block_on(serve(arguments))?)
}

async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let shutdown = Shutdown::on_signals()?;
    reload::nothing_on_hangup("settings are arguments, and changes of the Secret are detected")?;
    let metrics = Metrics::default();
    let client = cluster::client()
        .await
        .context("the webhook keeps its certificates with the API server")?;
    if let Some(address) = arguments.metrics_listen {
        let listener = listen(address, "metrics").await?;
        tokio::spawn(http_server::serve(listener, metrics.router(), shutdown.begun()));
    }
    let listener = listen(arguments.listen, "admission reviews").await?;
    let options = Options {
        settings: arguments.cluster.into(),
        service: ServiceName { name: arguments.service_name, namespace: arguments.namespace },
        secret: arguments.secret_name,
        configuration: arguments.webhook_name,
        client,
        clock: SystemTime::now,
        memory: memory_limit().unwrap_or(u64::MAX),
    };
    Ok(webhook::run(listener, options, metrics, shutdown.begun()).await?)
}
