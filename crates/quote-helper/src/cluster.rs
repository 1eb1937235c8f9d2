//! The cluster that commands use.

mod kubeconfig_error;

use anyhow::Context;
use kube::config::KubeConfigOptions;
use kube::{Client, Config};
use kubernetes::api_server::ApiServer;

/// The client of kubectl's current cluster, or of the pod's own.
pub(crate) async fn client() -> anyhow::Result<Client> {
    Ok(api_server(None).await?.client())
}

/// The API server of this context of the kubeconfig; without one, that of [`client`].
pub(crate) async fn api_server(context: Option<&str>) -> anyhow::Result<ApiServer> {
    ApiServer::new(config(context).await?).context("the kubeconfig cannot be used")
}

async fn config(context: Option<&str>) -> anyhow::Result<Config> {
    match context {
        Some(name) => {
            let options = KubeConfigOptions {
                context: Some(name.to_owned()),
                ..KubeConfigOptions::default()
            };
            let config = Config::from_kubeconfig(&options).await;
            let config = config.map_err(|error| kubeconfig_error::reading(&error));
            config.with_context(|| format!("the context {name:?} of the kubeconfig cannot be used"))
        }
        None => Config::infer().await.map_err(|error| kubeconfig_error::inferring(&error)).context(
            "no cluster found: set KUBECONFIG to a kubeconfig, the file with the \
             cluster's address and your credentials",
        ),
    }
}
