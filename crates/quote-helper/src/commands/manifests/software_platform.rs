//! The root of the software platform for the add-on.

use std::path::Path;

use anyhow::Context;
use kubernetes::manifests::SoftwarePlatformRoot;
use software_platform::{Deployment, SubjectNames};
use time::OffsetDateTime;

use crate::files;

/// The root of the deployment in this file, or a new one.
pub(crate) fn root(deployment: Option<&Path>) -> anyhow::Result<SoftwarePlatformRoot> {
    let deployment = match deployment {
        Some(path) => serde_json::from_slice(&files::read(path)?)
            .with_context(|| format!("{} is not a deployment", files::Input(path)))?,
        None => Deployment::generate(SubjectNames::Software, OffsetDateTime::now_utc())?,
    };
    Ok(SoftwarePlatformRoot {
        deployment: serde_json::to_string(&deployment)?,
        certificate: deployment.root_certificate().pem().to_owned(),
    })
}
