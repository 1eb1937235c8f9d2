//! `startup-probe`: waits until a quote service has started, and prints the reason if it has not.
//!
//! The add-on's pod runs it as its startup probe. The kubelet puts the output of a failed probe
//! into an Event of the pod, so that the pod needs no account for that.

use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use hyper::StatusCode;
use tokio::time::sleep;

use super::top::Endpoint;
use crate::failure::{Failure, explain};
use crate::runtime::runtime;
use crate::values;

const POLL_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The metrics and health of the service: a URL, an address, or the path of a Unix socket.
    #[arg(long, value_name = "URL|ADDRESS:PORT|PATH", default_value = "127.0.0.1:17490")]
    metrics: Endpoint,

    /// Timeout for the service to start. A service that says why it does not start is not awaited.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "8s",
        value_parser = values::nonzero_duration
    )]
    timeout: Duration,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    Ok(runtime()?.block_on(started(&arguments.metrics, arguments.timeout))?)
}

/// # Errors
/// The reason why the service has not started.
async fn started(service: &Endpoint, timeout: Duration) -> anyhow::Result<()> {
    let begin = Instant::now();
    loop {
        let reason = match service.get("/startupz").await {
            Ok((StatusCode::OK, _)) => return Ok(()),
            Ok((StatusCode::SERVICE_UNAVAILABLE, reason)) => reason.trim().to_owned(),
            Ok((StatusCode::INTERNAL_SERVER_ERROR, reason)) => bail!("{}", reason.trim()),
            Ok((status, _)) => bail!("{service} is no quote service: it answers {status}"),
            Err(error) => format!("no answer from {service}: {}", explain(&error)),
        };
        if begin.elapsed() >= timeout {
            bail!("{reason}");
        }
        sleep(POLL_INTERVAL).await;
    }
}
