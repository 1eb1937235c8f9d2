//! `helm-hook`: what the Helm chart cannot do, in a pod of its own before and after a change.

use anyhow::Context;
use clap::Subcommand;
use kubernetes::api_server::ApiServer;
use kubernetes::installation::helm_hook::{apply_root, clean_up, root_of_namespace};
use kubernetes::installation::{serves_trust_bundles, verifier_namespaces};
use kubernetes::manifests::{AddOn, Cluster};

use crate::cluster::api_server;
use crate::commands::manifests::software_platform;
use crate::failure::Failure;
use crate::output;
use crate::runtime::runtime;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Creates the software platform's root, unless there is one, and gives it to verifiers.
    Root {
        /// The settings of the installation, in JSON.
        #[arg(long, value_name = "JSON")]
        settings: String,
    },
    /// Removes the root, and EPC in the status of the nodes.
    CleanUp {
        /// The namespace of the installation.
        #[arg(long, value_name = "NAME")]
        namespace: String,
    },
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    Ok(runtime()?.block_on(async {
        let api_server = api_server(None).await?;
        match command {
            Command::Root { settings } => root(&api_server, settings).await,
            Command::CleanUp { namespace } => Ok(clean_up(&api_server, namespace).await?),
        }
    })?)
}

async fn root(api_server: &ApiServer, settings: &str) -> anyhow::Result<()> {
    let add_on: AddOn = serde_json::from_str(settings).context("--settings is not valid")?;
    let root = match root_of_namespace(api_server, &add_on.namespace).await? {
        Some(root) => root,
        None => {
            output::note("creating a root for the software platform, INSECURE by design");
            software_platform::root(None)?
        }
    };
    let cluster = Cluster {
        version: api_server.version().await?,
        software_platform_root: Some(root),
        serves_trust_bundles: Some(serves_trust_bundles(api_server).await?),
        verifier_namespaces: verifier_namespaces(api_server).await?,
    };
    Ok(apply_root(api_server, add_on.root_objects(&cluster)?).await?)
}
